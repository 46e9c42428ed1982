"""RawInsert: the barest thing that could keep a fact: an INSERT of the same bytes into a table with one key."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from uuid_utils.compat import uuid7

from bench.connections import Connection, Connections, connected
from bench.rounds import repeated
from bench.servers import Servers
from bench.submissions import CATEGORY, NAME, json_of

DATABASE = "bench_raw"
CONNECTIONS = 16
PIECE = 1_000
TABLE = """create table if not exists raw (
    position bigint generated always as identity primary key,
    fact_id uuid not null,
    stream text not null,
    name text not null,
    data jsonb not null
)"""


class RawInsert:
    """A Rival that checks nothing, and whose reader trusts that positions appear in their order. They do not."""

    def __init__(self, connections: Sequence[Connection], reading: Connection) -> None:
        self._connections = connections
        self._reading = reading

    def called(self, at_once: int) -> str:
        return f"raw insert, {min(at_once, CONNECTIONS)} connections"

    async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
        return await repeated(partial(_insert, Connections(self._connections[:at_once])), at_once, seconds)

    async def end(self) -> int:
        position: int = await self._reading.fetchval("select coalesce(max(position), 0) from raw")
        return position

    async def read(self, after: int) -> tuple[Sequence[UUID], int]:
        rows = await self._reading.fetch(
            "select fact_id, position from raw where position > $1 order by position limit $2", after, PIECE
        )
        return [row["fact_id"] for row in rows], rows[-1]["position"] if rows else after


async def _insert(connections: Connections) -> UUID:
    fact = uuid7()
    async with connections.one() as connection:
        await connection.execute(
            "insert into raw (fact_id, stream, name, data) values ($1, $2, $3, $4)",
            fact,
            f"{CATEGORY}/{fact}",
            NAME,
            json_of(fact),
        )
    return fact


@asynccontextmanager
async def raw_insert(servers: Servers) -> AsyncGenerator[RawInsert]:
    """Make the table, and connect."""
    await servers.make(DATABASE)
    await servers.execute(DATABASE, TABLE)
    dsn = servers.dsn(DATABASE)
    async with connected(dsn, CONNECTIONS) as connections, connected(dsn, 1) as [reading]:
        yield RawInsert(connections, reading)
