"""A broker killed and frozen under load: commands are answered, nothing is lost, nobody waits for ever."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from eventlog.connections import Pool
from eventlog.kafka import AioKafka
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from tests.integration.eventlog.faults.load import under_load
from tests.integration.eventlog.faults.servers import Broker
from tests.integration.eventlog.faults.witness import (
    a_witness,
    all_witnessed,
    published,
    records,
    repeats,
    witnessed,
)
from tests.integration.eventlog.running import running, until

BACK = 60.0  # seconds that a broker may take to come back, and everybody with it

pytestmark = pytest.mark.usefixtures("owner")


@asynccontextmanager
async def relayed_and_witnessed(pool: Pool, log: PostgresLog, kafka: AioKafka, topic: str) -> AsyncGenerator[None]:
    """Run relay and witness; in the end each fact came once, through a topic without a hole, and no task is left."""
    before = asyncio.all_tasks()
    async with running(Relay(pool, log, kafka, topic).run(), a_witness(pool, kafka, topic).run()):
        yield
        await until(lambda: all_witnessed(pool), BACK)
    expected = await published(pool)
    repeats(await records(kafka, topic), expected)
    assert await witnessed(pool) == expected
    await until(lambda: asyncio.all_tasks() <= before)


async def more_witnessed(pool: Pool) -> None:
    """Wait until what is there now has come, and some at any rate."""
    facts = max(10, len(await published(pool)))
    await until(lambda: pool.fetchval("select count(*) >= $1 from witnessed", facts), BACK)


async def terms(pool: Pool) -> int:
    epoch: int = await pool.fetchval("select epoch from eventlog.relays")
    return epoch


async def test_killed(pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str) -> None:
    async with relayed_and_witnessed(pool, log, real_kafka, topic), under_load(log):
        await more_witnessed(pool)
        await broker.kill()
        await broker.start()
        await more_witnessed(pool)


async def test_frozen(pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str) -> None:
    """Its connections stay, and nothing comes: the relay gives it up rather than wait, and begins anew."""
    async with relayed_and_witnessed(pool, log, real_kafka, topic), under_load(log):
        await more_witnessed(pool)
        before = await terms(pool)
        broker.freeze()
        await asyncio.sleep(6)  # twice as long as it is waited for
        await broker.thaw()
        await more_witnessed(pool)
        assert await terms(pool) > before
