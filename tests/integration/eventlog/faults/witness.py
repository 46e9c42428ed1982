"""What became of facts: in the log, in their topic, and with a reader that takes each in once."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.facts import Stored
from eventlog.kafka import Kafka, Reader, Received
from eventlog.records import from_record
from eventlog.sources import Topic

TABLE = """
create table witnessed (n bigint generated always as identity, fact_id uuid not null);
grant select, insert on witnessed to public;
"""


class Witness:
    """An effect that writes down every fact as it comes."""

    name = "witness"
    essential = True

    async def act(self, facts: Sequence[Stored]) -> None:
        return

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        await connection.executemany("insert into witnessed (fact_id) values ($1)", [(f.fact_id,) for f in facts])


def a_witness(pool: Pool, kafka: Kafka, topic: str) -> Consumer:
    return Consumer("witness", Topic(kafka, topic), pool, [Witness()])


async def witnessed(pool: Pool) -> Sequence[UUID]:
    """In the order they came."""
    return [row["fact_id"] for row in await pool.fetch("select fact_id from witnessed order by n")]


async def published(pool: Pool) -> Sequence[UUID]:
    """In the order of the log."""
    rows = await pool.fetch("select fact_id from eventlog.facts where published order by position")
    return [row["fact_id"] for row in rows]


async def all_witnessed(pool: Pool) -> bool:
    """Whether as many have come as there are."""
    return (
        await pool.fetchval(
            "select (select count(*) from witnessed) >= (select count(*) from eventlog.facts where published)"
        )
        is True
    )


async def records(kafka: Kafka, topic: str) -> Sequence[Received]:
    """All that the topic holds."""
    reader: Reader = await kafka.reader(topic, 0)
    found: list[Received] = []
    try:
        while page := await reader.read(10_000, 1.0):
            found.extend(page)
    finally:
        await reader.close()
    return found


def repeats(records: Sequence[Received], facts: Sequence[UUID]) -> int:
    """Count what the topic holds more than once. Anything worse fails: a hole, or a number with two facts."""
    reached = repeated = 0
    for record in records:
        fact, pseq = from_record(record)
        assert fact.fact_id == facts[pseq - 1], f"number {pseq} is another fact"
        assert pseq <= reached + 1, f"a hole: {pseq} behind {reached}"
        repeated += pseq <= reached
        reached = max(reached, pseq)
    assert reached == len(facts), f"{len(facts) - reached} never came"
    return repeated
