"""Incoming: a request whose body is bounded, and read and parsed once, strictly."""

import json

from pydantic import JsonValue
from starlette.requests import Request
from starlette.types import Receive, Scope

from web import strict_json
from web.idempotency import IF_MATCH, digest_of
from web.parts import Limits
from web.refusal import Refusal


class Incoming(Request):
    """What FastAPI reads through. ``json`` refuses what ``strict_json`` refuses."""

    def __init__(self, scope: Scope, receive: Receive, limits: Limits) -> None:
        super().__init__(scope, receive)
        self._limits = limits
        self._bytes: bytes | None = None
        self._value: list[JsonValue] = []  # the parsed body, once there is one: null is a value too

    async def body(self) -> bytes:
        """The whole body. Raises Refusal (413) before or while reading more than the route takes in."""
        if self._bytes is None:
            declared = self.headers.get("content-length", "0")
            if not declared.isdecimal() or len(declared) > 18 or int(declared) > self._limits.body:
                raise Refusal(413, "body-too-large")
            found = bytearray()
            async for chunk in self.stream():
                found += chunk
                if len(found) > self._limits.body:
                    raise Refusal(413, "body-too-large")
            self._bytes = bytes(found)
        return self._bytes

    async def json(self) -> JsonValue:
        if not self._value:
            self._value.append(strict_json.parse(await self.body(), self._limits))
        return self._value[0]

    async def digest(self, part: str, said: bytes | None = None) -> bytes:
        """Tell this request's content from another's: path, query, body (JSON: however it is spaced) and If-Match.

        ``said``: what a part of it says by itself, which then counts in place of query and body.
        """
        match = self.headers.get(IF_MATCH, "").encode("latin-1")
        path: bytes = self.scope["path"].encode()
        if said is not None:
            return digest_of(path, said, match, part.encode())
        body = json.dumps(self._value[0], sort_keys=True).encode() if self._value else await self.body()
        query = json.dumps(sorted(self.query_params.multi_items())).encode()
        return digest_of(path, query, body, match, part.encode())
