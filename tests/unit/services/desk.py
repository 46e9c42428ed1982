"""Desk: a service's routes over a log and keys in memory, and people at its door with real tokens."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from deploy.local.issuer import AUDIENCE, ISSUER, Grant, Issuer
from eventlog.handler import Contexts, Handler
from eventlog.memory_keys import MemoryKeys
from eventlog.memory_log import MemoryLog
from eventlog.progress import Progress
from vocabulary.roles import Permissions
from web.actor import Verifier
from web.app import create_app
from web.health import Health
from web.jwks import Keys
from web.lookout import PoolUse, Working
from web.messages import Messages
from web.routing import APIRouter


class Desk:
    """Speaks to a service by name and role; ``log``, ``handler`` and ``keys`` are what stands behind it."""

    def __init__(self, service: str, messages: Path, routers: Sequence[APIRouter], keys_dir: Path) -> None:
        self.log = MemoryLog()
        self.contexts = Contexts()
        self.handler = Handler(self.log, self.contexts)
        self.keys = MemoryKeys()
        self._issuer = Issuer(keys_dir)
        self.app = create_app(
            service,
            title=service,
            routers=routers,
            verifier=Verifier(Keys(str(self._issuer.jwks)), issuer=ISSUER, audience=AUDIENCE),
            permissions=Permissions.load(),
            messages=Messages.load(messages),
            health=Health(_ready, list, _look, _progress),
            handler=self.handler,
            now=self.log.now,
            digest=self.keys.digest,
        )
        self.app.state.keys = self.keys
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://desk")

    def headers(self, who: str, role: str, at: str, organ: str | None = None) -> dict[str, str]:
        token = self._issuer.issue(who, [Grant(role=role, at=at)], organ)
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}

    async def post(
        self, path: str, body: Mapping[str, object] | None = None, *, who: str = "somebody", role: str, at: str
    ) -> httpx2.Response:
        return await self.client.post(path, json=dict(body or {}), headers=self.headers(who, role, at))

    async def upload(self, path: str, content: bytes, *, who: str = "somebody", role: str, at: str) -> httpx2.Response:
        headers = {**self.headers(who, role, at), "Content-Type": "text/csv"}
        return await self.client.post(path, content=content, headers=headers)

    async def get(self, path: str, *, who: str = "somebody", role: str, at: str) -> httpx2.Response:
        return await self.client.get(path, headers=self.headers(who, role, at))

    async def close(self) -> None:
        await self.client.aclose()


@asynccontextmanager
async def open_desk(
    service: str,
    messages: Path,
    routers: Sequence[APIRouter],
    register: Callable[[Contexts, Handler], None],
    keys_dir: Path,
) -> AsyncGenerator[Desk]:
    """Open a desk whose contexts ``register`` has filled in."""
    desk = Desk(service, messages, routers, keys_dir)
    register(desk.contexts, desk.handler)
    yield desk
    await desk.close()


async def _ready() -> Sequence[str]:
    return ()


async def _look() -> Working:
    return Working(
        working=True,
        stuck=(),
        halted={},
        kafka=True,
        keys_waiting=0,
        pool=PoolUse(limit=0, open=0, idle=0),
        vitals=None,
    )


async def _progress() -> Progress:
    return Progress(end=0, relayed=0, pseq=0, timers_due=0, refusals=0, cursors=())


def json_of(answer: httpx2.Response) -> Any:
    """The body of an answer that is no refusal."""
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None
