"""Person: somebody with a role, speaking to the services as any client does: HTTP, a token, an idempotency key."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx2

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Grant, Issuer


class Refused(Exception):
    """A service answered a command or query with a problem."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(f"{status} {code}: {title}")
        self.status = status
        self.code = code
        self.title = title


class Person:
    """Holds roles at places; remembers how far their own commands reach, so that they read what they wrote."""

    def __init__(
        self, endpoints: Endpoints, issuer: Issuer, name: str, roles: Mapping[str, str], organ: str | None = None
    ) -> None:
        """``roles``: role → division code or organ id it is held at."""
        self.name = name
        grants = [Grant(role=role, at=at) for role, at in roles.items()]
        self.token = issuer.issue(name, grants, organ=organ)
        self._services = endpoints.services
        self._client = httpx2.AsyncClient(
            trust_env=False, timeout=60, headers={"Authorization": f"Bearer {self.token}"}
        )
        self.reached: dict[str, str] = {}

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, service: str, path: str, body: Mapping[str, Any] | None = None, key: str | None = None) -> Any:
        """Send a command; return its answer. A connection torn off is tried again under the same key."""
        headers = {"Idempotency-Key": key or str(uuid4())}
        answer = await self._send(service, path, headers, json=dict(body or {}))
        return answer.json() if answer.content else None

    async def upload(self, service: str, path: str, content: bytes, params: Mapping[str, str], key: str) -> Any:
        """Send a CSV file."""
        headers = {"Idempotency-Key": key, "Content-Type": "text/csv"}
        answer = await self._send(service, path, headers, content=content, params=dict(params))
        return answer.json()

    async def get(self, service: str, path: str, params: Mapping[str, Any] | None = None) -> httpx2.Response:
        """Ask; from reporting, only once it has caught up with this person's own commands."""
        after = list(self.reached.values()) if service == "reporting" else []
        asked = {**(params or {}), **({"after": after} if after else {})}
        url = httpx2.URL(self._services[service] + path).copy_merge_params(asked)
        return checked(await self._client.get(url))

    async def _send(self, service: str, path: str, headers: Mapping[str, str], **kwargs: Any) -> httpx2.Response:
        url = self._services[service] + path
        for _ in range(2):
            try:
                answer = await self._client.post(url, headers=headers, **kwargs)
                break
            except httpx2.TransportError:
                continue
        else:
            answer = await self._client.post(url, headers=headers, **kwargs)
        position = checked(answer).headers.get("Shangyi-Position")
        if position is not None:
            self.reached[service] = position
        return answer


def checked(answer: httpx2.Response) -> httpx2.Response:
    """Let a success through. Raises Refused with the problem's own sentence."""
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        raise Refused(answer.status_code, problem["code"], problem["title"])
    except (ValueError, KeyError, TypeError):
        raise Refused(answer.status_code, "unreadable", answer.reason_phrase) from None
