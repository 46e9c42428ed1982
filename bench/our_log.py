"""OurLog: the log of the platform, as a service uses it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from uuid_utils.compat import uuid7

from bench.connections import Connection, connected
from bench.rounds import repeated
from bench.servers import Servers
from bench.submissions import opening
from eventlog.connections import pool_of
from eventlog.log import Append, Appended
from eventlog.postgres_log import PostgresLog, read_after

DATABASE = "bench_log"
CONNECTIONS = 12  # as many as a service has
PIECE = 1_000


class OurLog:
    """A Rival that is written to through ``log`` and followed through a connection of the reader's own."""

    def __init__(self, log: PostgresLog, reading: Connection) -> None:
        self._log = log
        self._reading = reading

    def called(self, at_once: int) -> str:
        return f"append, {at_once} at once"

    async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
        return await repeated(partial(open_a_stream, self._log), at_once, seconds)

    async def end(self) -> int:
        position: int = await self._reading.fetchval("select eventlog.last_position()")
        return position

    async def read(self, after: int) -> tuple[Sequence[UUID], int]:
        facts, reached = await read_after(self._reading, after, PIECE)
        return [fact.fact_id for fact in facts], reached


async def keep(log: PostgresLog, item: Append) -> int | None:
    """Append what nothing can stand in the way of; return the position. Raises TypeError where something did."""
    outcome = await log.append(item)
    if not isinstance(outcome, Appended):
        raise TypeError(f"it was not appended: {outcome}")
    return outcome.answer.position


async def open_a_stream(log: PostgresLog) -> UUID:
    """Append the first fact of a stream of its own; return its id."""
    item = opening(uuid7())
    await keep(log, item)
    return item.facts[0].fact_id


@asynccontextmanager
async def our_log(servers: Servers, database: str = DATABASE) -> AsyncGenerator[OurLog]:
    """Make the log unless it is there, and open it."""
    await servers.make_log(database)
    async with (
        pool_of(servers.dsn(database), CONNECTIONS) as pool,
        connected(servers.dsn(database), 1) as [reading],
    ):
        yield OurLog(PostgresLog(pool), reading)
