"""The store itself: what came is written once and never changed, and read back as it came."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.facts import Stored
from eventlog.history import matching
from eventlog.parked import Reference
from eventlog.postgres_log import stored
from eventlog.term import Cursor
from services.reporting.fact_store.question import Positions

PIECE = 1_000
_COLUMNS = """fact_id, tenant, stream, version, position, true as published, organ, matter, actor, occurred_at,
              recorded_at, correlation, causation, name, schema, data::text as json"""


class StoreFacts:
    """An Effect: keeps what comes from one service's topic. Everything else here is made of that: it is never parked.

    A topic is taken in without holes and each fact once, so counting on from the last gives each its own ``pseq``.
    """

    name = "facts"
    essential = True

    def __init__(self, service: str) -> None:
        self._service = service

    async def act(self, facts: Sequence[Stored]) -> None:
        del facts

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        await connection.execute(
            """insert into facts (service, pseq, position, tenant, stream, version, fact_id, name, schema, data, organ,
                                  matter, actor, occurred_at, recorded_at, correlation, causation)
               select $1, (select coalesce(max(pseq), 0) from facts where service = $1) + n, position, tenant, stream,
                      version, fact_id, name, schema, data::jsonb, organ, matter, actor, occurred_at, recorded_at,
                      correlation, causation
               from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::text[], $8::smallint[],
                           $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[],
                           $15::uuid[], $16::uuid[]) with ordinality
                    as f (position, tenant, stream, version, fact_id, name, schema, data, organ, matter, actor,
                          occurred_at, recorded_at, correlation, causation, n)""",
            self._service,
            [fact.position for fact in facts],
            [fact.tenant for fact in facts],
            [str(fact.stream) for fact in facts],
            [fact.version for fact in facts],
            [fact.fact_id for fact in facts],
            [fact.name for fact in facts],
            [fact.schema for fact in facts],
            [fact.json for fact in facts],
            [fact.organ for fact in facts],
            [fact.matter for fact in facts],
            [fact.actor for fact in facts],
            [fact.occurred_at for fact in facts],
            [fact.recorded_at for fact in facts],
            [fact.correlation for fact in facts],
            [fact.causation for fact in facts],
        )


async def positions(pool: Pool) -> Positions:
    """Return up to where facts are here, service by service."""
    rows = await pool.fetch(
        """select service, coalesce((select max(position) from facts f where f.service = s.service), 0) as position
           from unnest(array['intake', 'deliberation', 'mediation']) as s (service)"""
    )
    return Positions(**{row["service"]: row["position"] for row in rows})


# _COLUMNS is a constant of the program, never input.


class StoredHistory:
    """A History: what was taken in from one service's topic."""

    def __init__(self, service: str) -> None:
        self._service = service

    async def between(
        self, connection: "Connection[asyncpg.Record]", after: Cursor, until: Cursor, names: Collection[str]
    ) -> AsyncGenerator[Sequence[Stored]]:
        position = after.position
        while rows := await connection.fetch(
            f"""select {_COLUMNS} from facts
                where service = $1 and position > $2 and position <= $3 and name = any($4)
                order by position limit $5""",  # noqa: S608  # a constant
            self._service,
            position,
            until.position,
            list(names),
            PIECE,
        ):
            position = rows[-1]["position"]
            yield [stored(row) for row in rows]

    async def referred(
        self, connection: "Connection[asyncpg.Record]", references: Sequence[Reference]
    ) -> Sequence[Stored]:
        rows = await connection.fetch(
            f"select {_COLUMNS} from facts where service = $1 and position = any($2) order by position",  # noqa: S608  # a constant
            self._service,
            [reference.position for reference in references],
        )
        return matching(references, [stored(row) for row in rows])


async def facts_of(service: str, connection: "Connection[asyncpg.Record]") -> AsyncIterator[Sequence[Stored]]:
    """Give all facts of a service, of every county, in order, piece by piece."""
    position = 0
    while rows := await connection.fetch(
        f"select {_COLUMNS} from facts where service = $1 and position > $2 order by position limit $3",  # noqa: S608
        service,
        position,
        PIECE,
    ):
        position = rows[-1]["position"]
        yield [stored(row) for row in rows]


async def facts_numbered(
    service: str, first: int, limit: int, connection: "Connection[asyncpg.Record]"
) -> Sequence[Stored]:
    """Return a service's facts from the number ``first`` on, at most ``limit``, in order."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from facts where service = $1 and pseq >= $2 order by pseq limit $3",  # noqa: S608
        service,
        first,
        limit,
    )
    return [stored(row) for row in rows]
