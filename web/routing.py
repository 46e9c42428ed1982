"""Routing: routes that ask who is there, and look at what they are handed, before any model or rule sees it."""

from collections.abc import Callable, Coroutine
from typing import Any

import fastapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from web import idempotency, strict_json
from web.incoming import Incoming
from web.parts import Parts, parts_of
from web.refusal import Refusal

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Route(APIRoute):
    """In this order: a valid token (401), a command's headers (400), its type (415), the query (422), then FastAPI.

    Every route is an action: its function's name stands in permissions.toml.
    """

    @property
    def commands(self) -> bool:
        """Whether it may change something."""
        return not (self.methods or set()) <= SAFE

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            incoming = Incoming(request.scope, request.receive)
            await self.admit(incoming)
            return await handle(incoming)

        return strict

    async def admit(self, incoming: Incoming) -> None:
        """Learn who asks, and look at all but the body. Raises Refusal, and Unavailable: no keys to verify with."""
        parts = parts_of(incoming)
        incoming.state.caller = await parts.verifier.caller(incoming.headers.get("authorization"))
        self._check(incoming, parts)

    def _check(self, request: Request, parts: Parts) -> None:
        if self.commands:
            idempotency.key_of(request)
            idempotency.version_of(request)
        if self.body_field is not None:
            strict_json.check_type(request.headers)
        given = request.query_params.multi_items() if request.scope["query_string"] else ()
        if errors := tuple(parts.inputs.query_errors(self.path_format, request.method, given)):
            raise Refusal(422, "invalid-input", errors=errors)


class APIRouter(fastapi.APIRouter):
    """FastAPI's router, with routes as above."""

    def __init__(self, *, prefix: str = "", tags: list[str] | None = None) -> None:
        super().__init__(prefix=prefix, tags=[*tags] if tags else None, route_class=Route, redirect_slashes=False)
