"""Connections: as many as a rival is given, each used by one command at a time."""

from asyncio import Queue
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class Connections:
    """Hands them out in turn; without the reset that a pool of asyncpg costs a round trip for."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._free: Queue[Connection] = Queue()
        for connection in connections:
            self._free.put_nowait(connection)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[Connection]:
        """Give a free one, or wait for it."""
        connection = await self._free.get()
        try:
            yield connection
        finally:
            self._free.put_nowait(connection)


@asynccontextmanager
async def connected(dsn: str, size: int, search_path: str = "public") -> AsyncGenerator[Sequence[Connection]]:
    """Give ``size`` connections, closed behind the block."""
    async with AsyncExitStack() as open_:
        connections: list[Connection] = []
        for _ in range(size):
            connection = await asyncpg.connect(dsn, server_settings={"search_path": search_path})
            open_.push_async_callback(connection.close)
            connections.append(connection)
        yield connections
