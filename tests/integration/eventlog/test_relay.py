"""The relay: published facts, in order, densely numbered; after a crash duplicates at most, under the same numbers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

from eventlog.connections import Pool
from eventlog.facts import Stored
from eventlog.kafka import Producer, Record
from eventlog.postgres_log import PostgresLog
from eventlog.records import from_record, to_record
from eventlog.relay import Relay
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until


def relayed(kafka: MemoryKafka) -> Sequence[tuple[Stored, int]]:
    return [from_record(record) for record in kafka.topics[TOPIC]]


async def published(log: PostgresLog) -> Sequence[Stored]:
    facts, _ = await log.after(0, 10_000)
    return [fact for fact in facts if fact.published]


async def test_every_published_fact_once_in_order_and_nothing_private(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka
) -> None:
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        for n in range(30):
            await log.append(an_append(str(n % 4), facts=n % 3, published=n % 4 != 0))
        expected = await published(log)
        await until(lambda: len(kafka.topics[TOPIC]) >= len(expected))
    assert relayed(kafka) == list(zip(expected, range(1, len(expected) + 1), strict=True))
    assert kafka.open_clients == 0


async def test_sends_what_those_who_compare_make_of_the_facts(pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
    times = ["2026-03-02T09:00:00", "2026-03-02T09:00:00.000001", "2026-03-02T09:00:00.100", "0001-01-02", "9999-12-31"]
    for n, time in enumerate(times):
        occurred = datetime.fromisoformat(time).replace(tzinfo=UTC)
        said: dict[str, Any] = {"organ": "王家庄\\x", "actor": "' \"\n", "matter": "m" if n % 2 else None}
        causation = UUID(int=n) if n % 2 else None
        await log.append(replace(an_append(f"村/{n}"), occurred_at=occurred, causation=causation, **said))
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: len(kafka.topics[TOPIC]) == len(times))
    expected = [to_record(fact, n) for n, fact in enumerate(await published(log), start=1)]
    sent = [(record.key, record.value, list(record.headers)) for record in kafka.topics[TOPIC]]
    assert sent == [(record.key, record.value, list(record.headers)) for record in expected]


async def test_a_backlog_larger_than_a_round(pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
    await log.append(an_append("1", facts=1_300))
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: len(kafka.topics[TOPIC]) == 1_300)
    assert [pseq for _, pseq in relayed(kafka)] == list(range(1, 1_301))


async def test_private_facts_move_the_checkpoint(pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
    await log.append(an_append(published=False, facts=3))
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: pool.fetchval("select position = 3 and pseq = 0 from eventlog.relays"))
    assert kafka.topics[TOPIC] == []


async def test_a_crash_between_send_and_checkpoint_repeats_under_the_same_numbers(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka
) -> None:
    await log.append(an_append(facts=3))
    kafka.fail_after_send = True
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: len(kafka.topics[TOPIC]) == 6)
        await log.append(an_append(facts=2))
        await until(lambda: len(kafka.topics[TOPIC]) == 8)
    facts = await published(log)
    assert relayed(kafka) == [*zip(facts[:3], (1, 2, 3), strict=True), *zip(facts, range(1, 6), strict=True)]


async def test_a_send_that_never_arrived_is_sent_again(pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
    await log.append(an_append(facts=3))
    kafka.fail_before_send = True
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: len(kafka.topics[TOPIC]) == 3)
    assert [pseq for _, pseq in relayed(kafka)] == [1, 2, 3]


async def test_of_two_one_relays_and_the_other_takes_over(pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
    first, second = (Relay(pool, log, kafka, TOPIC) for _ in range(2))
    async with running(second.run()):
        async with running(first.run()):
            for n in range(20):
                await log.append(an_append(str(n)))
                await asyncio.sleep(0.005)
        for n in range(20):
            await log.append(an_append(str(n)))
        await until(lambda: len(kafka.topics[TOPIC]) >= 40)
    assert [pseq for _, pseq in relayed(kafka)] == list(range(1, 41))


class Slow(MemoryKafka):
    """Holds the first send back until told."""

    def __init__(self) -> None:
        super().__init__({TOPIC: []})
        self.sending, self.go_on = asyncio.Event(), asyncio.Event()

    async def producer(self) -> Producer:
        return _SlowProducer(self, await super().producer())


class _SlowProducer:
    def __init__(self, kafka: Slow, producer: Producer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        if not self._kafka.sending.is_set():
            self._kafka.sending.set()
            await self._kafka.go_on.wait()
        return await self._producer.send(topic, records)

    async def close(self) -> None:
        await self._producer.close()


async def test_a_leader_that_wakes_up_late_writes_duplicates_and_steps_down(pool: Pool, log: PostgresLog) -> None:
    kafka = Slow()
    await log.append(an_append(facts=3))
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await kafka.sending.wait()
        # Its lock is lost while it sleeps in a send; another leads meanwhile.
        await pool.execute("update eventlog.relays set epoch = epoch + 1")
        facts = await published(log)
        checkpoint = "update eventlog.relays set position = 3, pseq = 3, token = 3"
        from_elsewhere = await kafka.producer()
        await from_elsewhere.send(TOPIC, [to_record(fact, n) for n, fact in enumerate(facts, start=1)])
        await pool.execute(checkpoint)
        await log.append(an_append(facts=1))
        kafka.go_on.set()
        await until(lambda: len(kafka.topics[TOPIC]) == 7)
        await until(partial(relayed_up_to, pool, 4))
        await from_elsewhere.close()
    numbers = [pseq for _, pseq in relayed(kafka)]
    assert numbers == [1, 2, 3, 1, 2, 3, 4]
    assert all(later <= earlier + 1 for earlier, later in pairwise(numbers))


async def relayed_up_to(pool: Pool, pseq: int) -> bool:
    reached: int = await pool.fetchval("select pseq from eventlog.relays")
    return reached == pseq
