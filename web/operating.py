"""Operating: what waits for an operator in any service: parked streams, and commands that a rule refused."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from eventlog import parked, reactions
from eventlog.parked import ParkedStream, Place, Reference
from eventlog.reactions import Refusal


async def parked_streams(dsn: str) -> Sequence[ParkedStream]:
    """Return the streams that could not be taken in, longest parked first."""
    async with _connected(dsn) as connection:
        return await parked.parked_streams(connection)


async def parked_facts(dsn: str, stream: str) -> Sequence[tuple[Place, Reference]]:
    """Return where the parked facts of a stream lie, for each effect that waits for them."""
    async with _connected(dsn) as connection:
        return await parked.parked_facts(connection, stream)


async def ask_again(dsn: str, stream: str | None) -> int:
    """Have a stream, or every parked one, tried again by the running service; return how many of them."""
    async with _connected(dsn) as connection:
        return await parked.ask_again(connection, stream)


async def refusals(dsn: str, limit: int) -> Sequence[Refusal]:
    """Return the latest refused commands of reactions and timers."""
    async with _connected(dsn) as connection:
        return await reactions.refusals(connection, limit)


@asynccontextmanager
async def _connected(dsn: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()
