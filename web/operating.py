"""Operating: what operators do with any service: parked streams, refused commands, and topics made anew."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from eventlog import parked, republishing
from eventlog.kafka import AioKafka
from eventlog.parked import ParkedStream, Place, Reference
from eventlog.refusals import RefusedCommand, latest
from eventlog.rotation import share_again


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


async def refusals(dsn: str, limit: int) -> Sequence[RefusedCommand]:
    """Return the latest refused commands of reactions and timers."""
    async with _connected(dsn) as connection:
        return await latest(connection, limit)


async def write_topics_again(dsn: str, kafka_bootstrap: str, replication: int) -> Sequence[str]:
    """Make the topic of a service's log anew, to be written from the first fact on; return its name."""
    async with _connected(dsn) as connection:
        return await republishing.write_again(connection, AioKafka(kafka_bootstrap, replication))


async def topics_begin_anew(dsn: str, kafka_bootstrap: str, topics: Sequence[str]) -> bool | None:
    """Whether topics that were made anew begin as they should; None while one is empty that should not be."""
    kafka = AioKafka(kafka_bootstrap)
    async with _connected(dsn) as connection:
        begin = [await republishing.begins_anew(connection, kafka, topic) for topic in topics]
    return None if None in begin else all(begin)


async def read_topics_again(dsn: str, keys_dsn: str) -> Sequence[str]:
    """Have a service read every topic from its beginning, those of keys too; return the topics."""
    async with _connected(dsn) as connection, _connected(keys_dsn) as keys:
        return [*await republishing.read_again(connection), *await republishing.read_keys_again(keys)]


async def publish_keys_again(keys_dsn: str) -> None:
    """Have a service publish all keys it shares, and all it destroyed, once more."""
    async with asyncpg.create_pool(keys_dsn, min_size=1, max_size=1) as pool:
        await share_again(pool)


@asynccontextmanager
async def _connected(dsn: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()
