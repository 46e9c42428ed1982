"""Republishing: topics made anew from the logs, after a broker has lost them, while everything goes on.

A topic is a copy: the n-th published fact of a log has number n today and for ever, so a relay that is set back to the
beginning writes the same records once more, and a consumer that reads from the beginning drops what it has. Whoever
leads such a piece of work is made to begin another term; what one that slept still sends comes early, and is let pass
(see sources).
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import asyncpg

from eventlog.connections import Connection
from eventlog.election import lock_of
from eventlog.kafka import FACTS_TOPIC, Kafka
from eventlog.records import from_record

AnyConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | Connection[asyncpg.Record]"
PATIENCE = 1.0  # seconds for a first record to come


class Broker(Kafka, Protocol):
    """A broker whose topics may be taken away."""

    async def delete_topic(self, topic: str) -> None: ...


async def write_again(connection: AnyConnection, broker: Broker) -> Sequence[str]:
    """Make the log's topic anew, empty, and have its relay begin with the first fact; return its name, if it has one.

    The relay's checkpoint is held all the while, so that nobody goes on from an old place. Raises Unavailable.
    """
    async with connection.transaction():
        topics = [
            row["topic"]
            for row in await connection.fetch(
                "update eventlog.relays set epoch = epoch + 1, position = 0, pseq = 0, token = 0 returning topic"
            )
        ]
        for topic in topics:
            await _end_term(connection, f"relay/{topic}")
            await broker.delete_topic(topic)
            await broker.ensure_topic(topic, FACTS_TOPIC)
    return topics


async def begins_anew(connection: AnyConnection, kafka: Kafka, topic: str) -> bool | None:
    """Whether a topic begins with number 1, as one made anew does; None while nothing is in it that should be.

    False: a relay that slept wrote behind our back what it had in hand. Raises Unavailable.
    """
    reader = await kafka.reader(topic, 0)
    try:
        records = await reader.read(1, PATIENCE)
    finally:
        await reader.close()
    if records:
        _, number = from_record(records[0])
        return number == 1
    published: bool = await connection.fetchval("select exists (select from eventlog.facts where published)")
    return None if published else True


async def read_again(connection: AnyConnection) -> Sequence[str]:
    """Have every consumer of a topic read from its beginning; return the topics. What they have they keep."""
    async with connection.transaction():
        rows = await connection.fetch(
            """update eventlog.cursors set epoch = epoch + 1, token = 0 where source <> 'log'
               returning consumer, source"""
        )
        for row in rows:
            await _end_term(connection, f"consumer/{row['consumer']}/{row['source']}")
    return [row["source"] for row in rows]


async def read_keys_again(connection: AnyConnection) -> Sequence[str]:
    """In a database of keys: have every key topic read from its beginning; return the topics."""
    async with connection.transaction():
        rows = await connection.fetch("update keys.read_up_to set next_offset = 0 returning topic")
        for row in rows:
            await _end_term(connection, f"key-reader/{row['topic']}")
    return [row["topic"] for row in rows]


async def _end_term(connection: AnyConnection, work: str) -> None:
    """End the session of whoever leads a piece of work, and wait for its end: the next term reads what stands here."""
    await connection.fetch(
        """select pg_terminate_backend(pid, 5000) from pg_locks
           where locktype = 'advisory' and granted and objsubid = 1
             and database = (select oid from pg_database where datname = current_database())
             and (classid::bigint << 32 | objid::bigint) = $1""",
        lock_of(work),
    )
