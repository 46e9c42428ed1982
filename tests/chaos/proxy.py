"""Proxy: one link between a client and a server, which can be made to fail in every way a network does.

It counts what it carried and what it did, so that a run can tell whether a planned fault took any effect.
"""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

CHUNK = 1 << 16
LINGER_NOT = struct.pack("ii", 1, 0)  # closing sends RST


class Way(Enum):
    """Which way bytes go: from the client to the server, or back."""

    THERE = "there"
    BACK = "back"


@dataclass
class Tally:
    """Bytes carried and kept back, chunks delayed, connections cut: from the beginning."""

    carried: int = 0
    held: int = 0
    delayed: int = 0
    cut: int = 0


@dataclass(eq=False)
class _Connection:
    client: StreamWriter
    server: StreamWriter
    answered: int = 0  # bytes that came back since the present fault began

    def close(self) -> None:
        self.client.close()
        self.server.close()

    def reset(self) -> None:
        for writer in (self.client, self.server):
            peer = writer.transport.get_extra_info("socket")
            if peer is not None:
                with suppress(OSError):  # it may be gone already
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            writer.transport.abort()


@dataclass
class Proxy:
    """Whoever connects to ``port`` speaks to ``target``, both on this machine, as well as the present fault allows."""

    name: str
    port: int
    target: int
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._open = {way: asyncio.Event() for way in Way}
        self._delay: Callable[[], float] | None = None
        self._cut_after: int | None = None
        self.heal()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Refuse whoever comes, and cut off whoever is here."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    @property
    def connected(self) -> int:
        """How many connections go through now."""
        return len(self._connections)

    def reset(self) -> None:
        """Cut every connection off with an RST."""
        for connection in list(self._connections):
            self._cut(connection)

    def hold(self, *ways: Way) -> None:
        """Let nothing through these ways; what was sent meanwhile arrives once it is healed, as TCP has it."""
        for way in ways:
            self._open[way].clear()

    def delay(self, seconds: Callable[[], float]) -> None:
        """Delay every chunk by what ``seconds`` says each time; the order stays."""
        self._delay = seconds

    def cut_after(self, n: int) -> None:
        """Cut each connection once ``n`` more bytes came back over it: with 0, between a request and its reply."""
        for connection in self._connections:
            connection.answered = 0
        self._cut_after = n

    def heal(self) -> None:
        """Carry everything again. A closed proxy needs ``listen``."""
        for way in Way:
            self._open[way].set()
        self._delay = None
        self._cut_after = None

    async def _serve(self, client_reader: StreamReader, client: StreamWriter) -> None:
        try:
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            client.close()  # the server is down: the client is told as soon as we know
            return
        connection = _Connection(client, server)
        self._connections.add(connection)
        try:
            # Either end of it ends both: none of what is spoken here closes one way only.
            there = asyncio.ensure_future(self._pump(connection, client_reader, server, Way.THERE))
            back = asyncio.ensure_future(self._pump(connection, server_reader, client, Way.BACK))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            there.cancel()
            back.cancel()
            await asyncio.gather(there, back, return_exceptions=True)
        finally:
            self._connections.discard(connection)
            connection.close()

    async def _pump(self, connection: _Connection, reader: StreamReader, writer: StreamWriter, way: Way) -> None:
        try:
            while data := await reader.read(CHUNK):
                if not self._open[way].is_set():
                    self.tally.held += len(data)
                    await self._open[way].wait()
                if self._delay is not None:
                    self.tally.delayed += 1
                    await asyncio.sleep(self._delay())
                if writer.is_closing():
                    return
                if way is Way.BACK and self._cut_after is not None:
                    left = self._cut_after - connection.answered
                    connection.answered += len(data)
                    if len(data) >= left:
                        writer.write(data[: max(left, 0)])
                        self._cut(connection)
                        return
                writer.write(data)
                await writer.drain()
                self.tally.carried += len(data)
        except OSError:
            return  # one side is gone; so is the connection

    def _cut(self, connection: _Connection) -> None:
        self.tally.cut += 1
        self._connections.discard(connection)
        connection.reset()
