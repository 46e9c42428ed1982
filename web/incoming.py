"""Incoming: a request whose body is bounded, read and parsed once, strictly; its headers found without a search."""

import json

from pydantic import JsonValue
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from web import strict_json
from web.idempotency import IF_MATCH, digest_of
from web.parts import parts_of
from web.refusal import Refusal

_sorted = json.JSONEncoder(sort_keys=True).encode


class Incoming(Request):
    """What FastAPI reads through, too. ``json`` refuses what ``strict_json`` refuses."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        """``scope`` names the route: it says how much is taken in."""
        super().__init__(scope, receive)
        self._limits = parts_of(self).limits_of(scope["route"].name)
        self._indexed = Indexed(scope)
        self._bytes: bytes | None = None
        self._value: list[JsonValue] = []  # the parsed body, once there is one: null is a value too

    @property
    def headers(self) -> Headers:
        return self._indexed

    async def body(self) -> bytes:
        """The whole body. Raises Refusal (413) before or while reading more than the route takes in."""
        if self._bytes is None:
            declared = self.headers.get("content-length", "0")
            if not declared.isdecimal() or len(declared) > 18 or int(declared) > self._limits.body:
                raise Refusal(413, "body-too-large")
            found, more = bytearray(), True
            while more:
                message = await self.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                found += message.get("body", b"")
                if len(found) > self._limits.body:
                    raise Refusal(413, "body-too-large")
                more = message.get("more_body", False)
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
        body = _sorted(self._value[0]).encode() if self._value else await self.body()
        query = _sorted(sorted(self.query_params.multi_items())).encode() if self.scope["query_string"] else b"[]"
        return digest_of(path, query, body, match, part.encode())


class Indexed(Headers):
    """A request's headers by name: each is asked for several times, and a walk through all of them costs too much."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._by_name: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            self._by_name.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))

    def getlist(self, key: str) -> list[str]:
        return [*self._by_name.get(key.lower(), ())]

    def __getitem__(self, key: str) -> str:
        return self._by_name[key.lower()][0]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._by_name
