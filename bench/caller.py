"""Caller: an HTTP client that costs next to nothing, so that a rate is the server's and not the client's.

It sends requests made beforehand over connections kept open, and reads of an answer what a measurement needs.
"""

import json
import re
from asyncio import Future, Protocol, Queue, Transport, get_running_loop
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from uuid import uuid4

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_POSITION = re.compile(rb"\r\nshangyi-position: *([a-z]+-\d+)", re.IGNORECASE)


class NotAnswered(Exception):
    """A server refused, or went away: then nothing measured counts."""


@dataclass(frozen=True)
class Reply:
    """A successful answer."""

    head: bytes
    body: bytes

    @property
    def position(self) -> str:
        """How far the command reaches. Raises NotAnswered where none is told."""
        found = _POSITION.search(self.head)
        if found is None:
            raise NotAnswered("the answer names no position")
        return found[1].decode()


class _Connection(Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.transport: Transport | None = None
        self._received = b""
        self._reply: Future[Reply] | None = None

    @property
    def open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes) -> "Future[Reply]":
        if self.transport is None:
            raise TypeError("it was not connected yet")
        self._received = b""
        self._reply = get_running_loop().create_future()
        self.transport.write(request)
        return self._reply

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._reply is None or self._reply.done():
            return
        head = self._received[:end]
        length = _LENGTH.search(head)
        body = self._received[end + 4 :]
        if length is not None and len(body) < int(length[1]):
            return
        if head[9:10] == b"2":
            self._reply.set_result(Reply(head, body))
        else:
            self._reply.set_exception(NotAnswered(f"{head[9:12].decode()}: {body[:300].decode(errors='replace')}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(NotAnswered("the server closed the connection"))

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class Caller:
    """``at_once`` connections to one server; a call takes a free one, or waits for it.

    One that the server closed because it was idle is opened again.
    """

    def __init__(self, url: str, at_once: int) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._at_once = at_once
        self._free: Queue[_Connection] = Queue()

    async def __aenter__(self) -> Self:
        for _ in range(self._at_once):
            self._free.put_nowait(await self._connected())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while not self._free.empty():
            self._free.get_nowait().close()

    async def call(self, request: bytes) -> Reply:
        """Send ``request`` and return its answer. Raises NotAnswered for anything but success."""
        connection = await self._free.get()
        try:
            if not connection.open:
                connection = await self._connected()
            return await connection.ask(request)
        finally:
            self._free.put_nowait(connection)

    async def _connected(self) -> _Connection:
        transport, connection = await get_running_loop().create_connection(_Connection, self._host, self._port)
        connection.transport = transport
        return connection


@dataclass(frozen=True)
class Post:
    """A command to be sent many times, each time as a new one."""

    path: str
    token: str
    body: Mapping[str, object]

    def prepared(self) -> "Prepared":
        """Make everything but the key, once."""
        content = json.dumps(self.body, ensure_ascii=False).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nIdempotency-Key: "
        return Prepared(head.encode(), b"\r\n\r\n" + content)


@dataclass(frozen=True)
class Prepared:
    before: bytes
    behind: bytes

    def once(self) -> bytes:
        """A request under a key of its own."""
        return self.before + uuid4().hex.encode() + self.behind


def get(path: str, token: str) -> bytes:
    """A query."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
