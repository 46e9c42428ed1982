"""A topic that was lost is written again from its log, and read again, while relay and consumer go on."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest

from eventlog import key_reader, republishing
from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.facts import Stored
from eventlog.kafka import Record
from eventlog.key_reader import KeyReader
from eventlog.postgres_log import PostgresLog
from eventlog.records import from_record, to_record
from eventlog.relay import Relay
from eventlog.shared_keys import SharedKeys
from eventlog.sources import Topic
from eventlog.wrapping import Wrapping
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until


@dataclass
class Diary:
    """Writes each fact down."""

    name: str = "diary"
    essential: bool = False

    async def act(self, facts: Sequence[Stored]) -> None:
        del facts

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        await connection.executemany("insert into diary values ($1)", [(fact.position,) for fact in facts])


@pytest.fixture(autouse=True)
async def diary_table(database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("create table diary (position bigint); grant all on diary to public")
    await owner.close()


@pytest.fixture(autouse=True)
def hasty_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(republishing, "PATIENCE", 0.01)


async def diary(pool: Pool) -> Sequence[int]:
    return [row["position"] for row in await pool.fetch("select position from diary order by ctid")]


async def republished(pool: Pool, kafka: MemoryKafka) -> None:
    """What an operator's command does to one service's database."""
    async with pool.acquire() as connection:
        assert await republishing.write_again(connection, kafka) == [TOPIC]
        assert await republishing.read_again(connection) == [TOPIC]


async def begins_anew(pool: Pool, kafka: MemoryKafka) -> bool | None:
    async with pool.acquire() as connection:
        return await republishing.begins_anew(connection, kafka, TOPIC)


class Service:
    """A relay and a consumer of what it relays."""

    def __init__(self, pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
        self.relay = Relay(pool, log, kafka, TOPIC)
        self.consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])

    @asynccontextmanager
    async def runs(self) -> AsyncGenerator[None]:
        async with running(self.relay.run(), self.consumer.run()):
            yield


async def at_rest(pool: Pool, kafka: MemoryKafka, facts: int) -> bool:
    if TOPIC not in kafka.topics or await pool.fetchval("select pseq <> $1 from eventlog.relays", facts):
        return False
    return await pool.fetchval("select token = $1 from eventlog.cursors", len(kafka.topics[TOPIC])) is True


def numbers(kafka: MemoryKafka) -> Sequence[int]:
    return [number for _, number in map(from_record, kafka.topics[TOPIC])]


@pytest.mark.parametrize("more", [0, 3])
async def test_a_lost_topic_is_written_and_read_again(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, more: int
) -> None:
    service = Service(pool, log, kafka)
    async with service.runs():
        for n in range(8):
            kafka.fail_after_send = n == 3
            await log.append(an_append(facts=2, published=n != 5))
        await until(lambda: at_rest(pool, kafka, 14))
        kafka.topics[TOPIC].clear()
        await until(lambda: service.consumer.halted)
        assert service.consumer.halted == f"CorruptHistory: {TOPIC} does not hold the position we stand at"
        for _ in range(more):
            await log.append(an_append())
        await until(lambda: len(kafka.topics[TOPIC]) >= more)
        await republished(pool, kafka)
        await until(lambda: at_rest(pool, kafka, 14 + more))
        await until(lambda: service.consumer.halted is None)
        await log.append(an_append())
        await until(lambda: at_rest(pool, kafka, 15 + more))
    assert numbers(kafka) == list(range(1, 16 + more))
    facts, _ = await log.after(0, 100)
    assert await diary(pool) == [fact.position for fact in facts if fact.published]
    assert await begins_anew(pool, kafka) is True


async def test_what_a_sleeping_relay_had_in_hand_is_let_pass_and_noticed(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka
) -> None:
    service = Service(pool, log, kafka)
    async with service.runs():
        for _ in range(6):
            await log.append(an_append())
        await until(lambda: at_rest(pool, kafka, 6))
    facts, _ = await log.after(0, 10)

    class Woken(MemoryKafka):
        async def ensure_topic(self, topic: str, settings: object) -> None:
            self.topics[topic] = []
            self.write(topic, [to_record(facts[4], 5), to_record(facts[5], 6)])

    async with pool.acquire() as connection:
        await republishing.write_again(connection, Woken(kafka.topics))
        await republishing.read_again(connection)
    assert await begins_anew(pool, kafka) is False
    await log.append(an_append())
    async with service.runs():
        await until(lambda: at_rest(pool, kafka, 7))
    assert numbers(kafka) == [5, 6, 1, 2, 3, 4, 5, 6, 7]
    assert await diary(pool) == [1, 2, 3, 4, 5, 6, 7]
    await republished(pool, kafka)
    assert await begins_anew(pool, kafka) is None
    async with service.runs():
        await until(lambda: at_rest(pool, kafka, 7))
    assert numbers(kafka) == [1, 2, 3, 4, 5, 6, 7]
    assert await begins_anew(pool, kafka) is True


async def test_a_log_without_published_facts_has_an_empty_topic(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka
) -> None:
    async with Service(pool, log, kafka).runs():
        await log.append(an_append(published=False))
        await until(lambda: at_rest(pool, kafka, 0))
    await republished(pool, kafka)
    assert await begins_anew(pool, kafka) is True


async def test_keys_that_lie_before_where_a_reader_stands_are_read_too(
    keys_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a topic made anew the first records may be others than those that its reader had."""
    monkeypatch.setattr(key_reader, "POLL", 0.01)
    kafka, topic = MemoryKafka({"test.keys": []}), "test.keys"
    keys = [uuid4() for _ in range(5)]
    records = [Record(f"620723/{key}".encode(), b"wrapped", [("sent", b"1")]) for key in keys]
    kafka.write(topic, records[:3])

    async def had() -> set[UUID]:
        return {row["key_id"] for row in await keys_pool.fetch("select key_id from keys.received")}

    async def has(n: int) -> bool:
        return len(await had()) == n

    async with running(KeyReader(kafka, topic, SharedKeys(keys_pool, Wrapping(bytes(32)))).run()):
        await until(partial(has, 3))
        kafka.topics[topic] = []  # lost and full again before the reader looks
        kafka.write(topic, [records[4], records[0], records[1], records[2], records[3]])
        await until(partial(has, 4))
        async with keys_pool.acquire() as connection:
            assert await republishing.read_keys_again(connection) == [topic]
        await until(partial(has, 5))
    assert await had() == set(keys)
