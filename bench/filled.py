"""Filled: a log as it is after years, made by the server itself: facts, streams, commands, all that appends leave."""

import asyncio
from collections.abc import Sequence
from hashlib import md5
from uuid import UUID

import asyncpg

from bench.servers import Servers
from bench.submissions import CATEGORY, NAME, ORGAN, SQL, TENANT
from eventlog.connections import Pool
from eventlog.kafka import Record
from eventlog.postgres_log import read_after
from eventlog.records import to_record

PIECE = 250_000  # facts a transaction, at most

# What follows takes the numbers of the first and the last stream, the first position, and the facts of each stream.
#
# A stream's facts lie apart, because other streams' facts came in between: all first ones of a piece, all second ones …
# Keys are hashes, so they fall anywhere in an index, as random ones do; those of a piece come sorted, so that the pages
# of that index are visited one after the other.

STREAMS = f"""
insert into eventlog.streams (tenant, stream, version, no, since, timed) overriding system value
select '{TENANT}', '{CATEGORY}/' || md5(no::text)::uuid, $4::bigint, no, $3::bigint - 1 + no - $1, false
from generate_series($1::bigint, $2::bigint) as no
order by 2"""  # noqa: S608  # of constants only, as the other two
FACTS = f"""
insert into eventlog.facts (position, stream_no, tenant, stream, version, published, fact_id, name, schema, data, organ,
                            matter, actor, occurred_at, recorded_at, correlation, causation)
select $3::bigint + (version - 1) * ($2 - $1 + 1) + no - $1, no, '{TENANT}', '{CATEGORY}/' || key, version, true,
       md5(version || '.' || no)::uuid, '{NAME}', 1, {SQL}::jsonb, '{ORGAN}', null, 'clerk', now(), now(),
       md5(version || '/' || no)::uuid, null
from generate_series(1, $4::bigint) as version
cross join lateral (
    select no, md5(no::text)::uuid as key from generate_series($1::bigint, $2::bigint) as no
) as streams"""  # noqa: S608
COMMANDS = f"""
insert into eventlog.commands (tenant, command_id, digest, stream_no, version, added, body)
select '{TENANT}', md5(version || '/' || no)::uuid, sha256(no::text::bytea), no, version, 1,
       jsonb_build_object('id', md5(no::text)::uuid, 'since', $3::bigint)
from generate_series(1, $4::bigint) as version, generate_series($1::bigint, $2::bigint) as no
order by 2"""  # noqa: S608
# In life old rows are vacuumed; here by us and at once, so that no measurement runs into it.
QUIET = """
alter table eventlog.facts_0 set (autovacuum_enabled = off);
alter table eventlog.streams set (autovacuum_enabled = off);
alter table eventlog.commands set (autovacuum_enabled = off)"""
GO_ON = """
select setval('eventlog.positions', max(position)) from eventlog.facts;
select setval(pg_get_serial_sequence('eventlog.streams', 'no'), max(no)) from eventlog.streams;
select eventlog.make_room()"""


async def filled(servers: Servers, database: str, facts: int, a_stream: int = 4) -> None:
    """Make a log, fill it, and let the server come to rest."""
    await servers.make_log(database)
    await fill(servers.owner_dsn(database), facts, a_stream)
    tables = [f"vacuum (analyze) eventlog.{table}" for table in ("streams", "commands")]
    await servers.administer(database, *tables, "analyze eventlog.facts", "checkpoint")


async def fill(dsn: str, facts: int, a_stream: int) -> None:
    """Fill an empty log, as its owner, with ``facts`` facts, ``a_stream`` of them a stream and one a command.

    Indexes, keys and triggers are in place all the time. ``facts`` is a multiple of ``a_stream``.
    """
    await _execute(dsn, QUIET)
    await asyncio.gather(
        _insert(dsn, facts // a_stream, a_stream, [FACTS]),
        _insert(dsn, facts // a_stream, a_stream, [STREAMS, COMMANDS]),
    )
    await _execute(dsn, GO_ON)


async def _insert(dsn: str, streams: int, a_stream: int, statements: Sequence[str]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        at_a_time = PIECE // a_stream
        for first in range(1, streams + 1, at_a_time):
            last = min(first + at_a_time - 1, streams)
            for statement in statements:
                await connection.execute(statement, first, last, (first - 1) * a_stream + 1, a_stream)
    finally:
        await connection.close()


async def _execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def key_of(no: int) -> UUID:
    """The key of the stream with this number, from 1 on."""
    return UUID(md5(str(no).encode(), usedforsecurity=False).hexdigest())


async def records_of(pool: Pool, piece: int = PIECE) -> Sequence[Record]:
    """All facts of a log as its relay would send them, read ``piece`` at a time."""
    records: list[Record] = []
    position = 0
    async with pool.acquire() as connection:
        while True:
            facts, position = await read_after(connection, position, piece)
            if not facts:
                return records
            records += [to_record(fact, len(records) + n) for n, fact in enumerate(facts, start=1)]
