"""A relay killed at any step, or asleep while another leads: duplicates at most, no hole, each fact once in the end.

With a broker in memory at every step and record; with processes, signals and a real broker at every step.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.settings import CHECKOUT
from eventlog.connections import Pool
from eventlog.kafka import AioKafka, Kafka, Producer, Record
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from tests.conftest import as_application
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.faults.relay_process import Orders
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

SCRIPT = Path(__file__).with_name("relay_process.py")
END_THE_LEADER = """select count(pg_terminate_backend(pid)) from pg_locks
                    where locktype = 'advisory' and mode = 'ExclusiveLock'
                      and database = (select oid from pg_database where datname = current_database())"""


class Killed(BaseException):
    """Nobody catches it: whoever is hit by it does nothing more."""


class Deadly(MemoryKafka):
    """Kills who sends, once ``after`` records of that send have been written; acknowledged or not, none was noted."""

    def __init__(self, after: int) -> None:
        super().__init__({TOPIC: []})
        self.after = after

    async def producer(self) -> Producer:
        return _DeadlyProducer(self, await super().producer())


class _DeadlyProducer:
    def __init__(self, kafka: Deadly, producer: Producer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        await self._producer.send(topic, records[: self._kafka.after])
        raise Killed

    async def close(self) -> None:
        await self._producer.close()


@pytest.mark.usefixtures("owner")
async def test_killed_with_any_part_of_a_send_written(pool: Pool, log: PostgresLog) -> None:
    facts = 7
    for n in range(facts):
        await log.append(an_append(str(n % 3)))
    kafka = Deadly(0)
    for after in (*range(facts + 1), 3):
        kafka.after = after
        with pytest.raises(Killed):
            await Relay(pool, log, kafka, TOPIC).run()
        assert await pool.fetchval("select (position, pseq) = (0, 0) from eventlog.relays") is True
    healthy = MemoryKafka(kafka.topics)
    async with running(Relay(pool, log, healthy, TOPIC).run(), a_witness(pool, healthy, TOPIC).run()):
        await until(lambda: pool.fetchval("select pseq = $1 from eventlog.relays", facts))
        await until(lambda: all_witnessed(pool))
    expected = await published(pool)
    assert repeats(kafka.topics[TOPIC], expected) == sum(range(facts + 1)) + 3
    assert await witnessed(pool) == expected


async def test_torn_away_in_the_checkpoint(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Every other round is sent and acknowledged, and then its session ends before that is noted."""
    await owner.execute(
        """create function die() returns trigger language plpgsql as $$begin
               perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(10); return new; end$$;
           create trigger die before update on eventlog.relays
               for each row when (new.position > old.position and new.epoch % 2 = 1) execute function die()"""
    )
    async with running(Relay(pool, log, kafka, TOPIC).run(), a_witness(pool, kafka, TOPIC).run()):
        for n in range(10):
            await log.append(an_append(str(n % 3), facts=3))
            await until(lambda: all_witnessed(pool))
    expected = await published(pool)
    assert repeats(kafka.topics[TOPIC], expected) > 0
    assert await witnessed(pool) == expected


@asynccontextmanager
async def a_process(orders: Orders) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A relay process that leads; gone at the end, whatever became of it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        SCRIPT,
        orders.model_dump_json(),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(CHECKOUT)},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"leads\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.usefixtures("owner")
async def test_processes_killed_at_every_step(
    database: str, pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str
) -> None:
    for n in range(200):
        await log.append(an_append(str(n % 5), published=n % 4 != 0))
    doomed = Orders(dsn=as_application(database), bootstrap=broker.bootstrap, topic=topic)
    for moment, send in (("before", 1), ("half", 1), ("acknowledged", 1), ("before", 2), ("half", 2)):
        orders = doomed.model_copy(update={"moment": moment, "send": send})
        async with a_process(orders) as process, asyncio.timeout(30):
            assert await process.wait() == -signal.SIGKILL
    assert await pool.fetchval("select pseq from eventlog.relays") == 30  # two rounds were noted
    async with running(Relay(pool, log, real_kafka, topic).run(), a_witness(pool, real_kafka, topic).run()):
        await until(lambda: all_witnessed(pool), 30)
    expected = await published(pool)
    assert len(expected) == 150
    assert repeats(await records(real_kafka, topic), expected) > 0
    assert await witnessed(pool) == expected


async def test_a_leader_asleep_while_another_leads(
    database: str,
    pool: Pool,
    log: PostgresLog,
    broker: Broker,
    real_kafka: AioKafka,
    topic: str,
    owner: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    """Stopped with a round in its hands; its session ends, another goes on and far beyond; then it wakes and sends."""
    for n in range(30):
        await log.append(an_append(str(n % 5)))
    sleeper = Orders(dsn=as_application(database), bootstrap=broker.bootstrap, topic=topic, send=2, fall=signal.SIGSTOP)
    async with a_process(sleeper) as process:
        await until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED, 30)
        assert await owner.fetchval(END_THE_LEADER) == 1
        async with running(Relay(pool, log, real_kafka, topic).run(), a_witness(pool, real_kafka, topic).run()):
            for n in range(30):
                await log.append(an_append(str(n % 5)))
            await until(lambda: all_witnessed(pool), 30)
            noted = await pool.fetchrow("select * from eventlog.relays")
            process.send_signal(signal.SIGCONT)
            await until(lambda: repeated_in(real_kafka, topic, pool), 30)
            assert await pool.fetchrow("select * from eventlog.relays") == noted
            await log.append(an_append())
            await until(lambda: all_witnessed(pool), 30)
        assert process.returncode is None
    expected = await published(pool)
    assert repeats(await records(real_kafka, topic), expected) == 10
    assert await witnessed(pool) == expected


async def repeated_in(kafka: Kafka, topic: str, pool: Pool) -> bool:
    return repeats(await records(kafka, topic), await published(pool)) > 0
