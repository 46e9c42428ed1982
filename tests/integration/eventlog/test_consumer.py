"""A consumer takes in each fact once: rows and position together, duplicates dropped, holes and stragglers stopped."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import asyncpg
import pytest
from structlog.testing import capture_logs

from eventlog import sources
from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.facts import Stored
from eventlog.kafka import Record
from eventlog.postgres_log import PostgresLog
from eventlog.records import to_record
from eventlog.relay import Relay
from eventlog.sources import OwnLog, Topic
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until


@dataclass
class Diary:
    """An effect that writes each fact down: sends outside the transaction, rows inside."""

    acted: list[int] = field(default_factory=list[int])
    away_in_act: bool = False
    away_in_write: bool = False
    name: str = "diary"
    essential: bool = False

    async def act(self, facts: Sequence[Stored]) -> None:
        self.acted.extend(fact.position for fact in facts)
        if self.away_in_act:
            raise Unavailable("what it writes to does not answer")

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        await connection.executemany("insert into diary values ($1)", [(fact.position,) for fact in facts])
        if self.away_in_write:
            raise Unavailable("what it writes to does not answer")


@pytest.fixture(autouse=True)
async def diary_table(database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("create table diary (position bigint); grant all on diary to public")
    await owner.close()


async def diary(pool: Pool) -> Sequence[int]:
    return [row["position"] for row in await pool.fetch("select position from diary order by ctid")]


async def count(pool: Pool) -> int:
    rows: int = await pool.fetchval("select count(*) from diary")
    return rows


class TestOwnLog:
    async def test_takes_in_private_facts_too(self, pool: Pool, log: PostgresLog) -> None:
        async with running(Consumer("diary", OwnLog(log), pool, [Diary()]).run()):
            for n in range(10):
                await log.append(an_append(str(n % 3), published=n % 2 == 0))
            await until(lambda: reached(pool, 10))
        assert await diary(pool) == list(range(1, 11))

    async def test_goes_on_where_it_stopped(self, pool: Pool, log: PostgresLog) -> None:
        for start in (1, 6):
            async with running(Consumer("diary", OwnLog(log), pool, [Diary()]).run()):
                await log.append(an_append(facts=5))
                await until(partial(reached, pool, start + 4))
        assert await diary(pool) == list(range(1, 11))

    async def test_two_of_them_do_the_work_of_one(self, pool: Pool, log: PostgresLog) -> None:
        consumers = [Consumer("diary", OwnLog(log), pool, [Diary()]) for _ in range(2)]
        async with running(*(consumer.run() for consumer in consumers)):
            for n in range(20):
                await log.append(an_append(str(n)))
            await until(lambda: reached(pool, 20))
        assert await diary(pool) == list(range(1, 21))

    async def test_a_rolling_restart_is_quiet(self, pool: Pool, log: PostgresLog) -> None:
        """The next one stands by already and goes on where the first stopped, while facts keep coming."""
        effects = [Diary() for _ in range(4)]
        with capture_logs() as logs:
            async with AsyncExitStack() as last, running(appending(log, 80)):
                before = await last.enter_async_context(AsyncExitStack())
                for effect in effects:
                    after = await last.enter_async_context(AsyncExitStack())
                    await after.enter_async_context(running(Consumer("diary", OwnLog(log), pool, [effect]).run()))
                    await before.aclose()
                    await until(partial(bool, effect.acted))
                    before = after
                await until(lambda: reached(pool, 80))
        assert await diary(pool) == list(range(1, 81))
        assert await pool.fetchval("select epoch from eventlog.cursors") == 4
        assert logs == []


async def appending(log: PostgresLog, facts: int) -> None:
    """Append facts one by one, and then nothing, for ever."""
    for _ in range(facts):
        await log.append(an_append())
    await asyncio.Event().wait()


async def reached(pool: Pool, position: int) -> bool:
    return await pool.fetchval("select position = $1 from eventlog.cursors", position) is True


class TestFaults:
    async def test_rows_and_position_are_both_there_or_both_not(self, pool: Pool, log: PostgresLog) -> None:
        effect = Diary(away_in_write=True)
        consumer = Consumer("diary", OwnLog(log), pool, [effect])
        await log.append(an_append(facts=3))
        async with running(consumer.run()):
            await until(lambda: len(effect.acted) > 3)  # a second try
            assert (await count(pool), await reached(pool, 0)) == (0, True)
            effect.away_in_write = False
            await until(lambda: reached(pool, 3))
        assert await diary(pool) == [1, 2, 3]
        assert consumer.halted is None

    async def test_what_cannot_be_sent_now_is_not_passed_over(self, pool: Pool, log: PostgresLog) -> None:
        effect = Diary(away_in_act=True)
        await log.append(an_append())
        async with running(Consumer("diary", OwnLog(log), pool, [effect]).run()):
            await until(lambda: len(effect.acted) > 1)
            assert (await count(pool), await reached(pool, 0)) == (0, True)
            effect.away_in_act = False
            await until(lambda: reached(pool, 1))
        assert await diary(pool) == [1]

    async def test_a_crash_between_what_it_sends_and_what_it_writes_sends_again_and_writes_once(
        self, pool: Pool, log: PostgresLog
    ) -> None:
        effect = Diary()
        await log.append(an_append(facts=2))
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("lock table diary")  # its write waits, behind what it has sent
            async with running(Consumer("diary", OwnLog(log), pool, [effect]).run()):
                await until(lambda: effect.acted == [1, 2])
        assert (await count(pool), await reached(pool, 0)) == (0, True)
        async with running(Consumer("diary", OwnLog(log), pool, [effect]).run()):
            await until(lambda: reached(pool, 2))
        assert effect.acted == [1, 2, 1, 2]
        assert await diary(pool) == [1, 2]

    async def test_a_straggler_rolls_back(self, pool: Pool, log: PostgresLog) -> None:
        """Another term began while it slept: its next transaction writes nothing, and it starts over in its turn."""
        effect = Diary()
        await log.append(an_append(facts=2))
        async with running(Consumer("diary", OwnLog(log), pool, [effect]).run()):
            await until(lambda: reached(pool, 2))
            await pool.execute("update eventlog.cursors set epoch = epoch + 1")
            await log.append(an_append(facts=1))
            await until(lambda: reached(pool, 3))
        assert effect.acted == [1, 2, 3, 3]
        assert await diary(pool) == [1, 2, 3]
        assert await pool.fetchval("select epoch from eventlog.cursors") == 3

    async def test_a_lost_session_ends_the_term(self, pool: Pool, log: PostgresLog, database: str) -> None:
        owner = await asyncpg.connect(database)
        async with running(Consumer("diary", OwnLog(log), pool, [Diary()]).run()):
            for n in range(1, 6):
                await log.append(an_append())
                await until(partial(reached, pool, n))
                await owner.execute(
                    """select pg_terminate_backend(pid) from pg_locks
                       where locktype = 'advisory' and pid <> pg_backend_pid()"""
                )
            await log.append(an_append())
            await until(lambda: reached(pool, 6))
        await owner.close()
        assert await diary(pool) == list(range(1, 7))


class TestTopic:
    async def test_through_a_relay_that_repeats_itself(self, pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(Relay(pool, log, kafka, TOPIC).run(), consumer.run()):
            for n in range(5):
                kafka.fail_after_send = True
                await log.append(an_append(facts=4, published=n != 2))
                await until(partial(relayed, pool, 4 * n + 4))
            await until(lambda: read_to_the_end(pool, kafka))
        assert len(kafka.topics[TOPIC]) > 16
        assert await diary(pool) == [*range(1, 9), *range(13, 21)]
        assert dict(await pool.fetchrow("select position, pseq, token from eventlog.cursors") or {}) == {
            "position": 20,
            "pseq": 16,
            "token": len(kafka.topics[TOPIC]),
        }
        assert kafka.open_clients == 0

    async def test_a_hole_halts_after_what_lies_before_it(
        self, pool: Pool, log: PostgresLog, kafka: MemoryKafka
    ) -> None:
        await log.append(an_append(facts=5))
        facts, _ = await log.after(0, 10)
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        kafka.write(TOPIC, [records[0], records[1], records[3], records[4]])
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: consumer.halted)
            assert consumer.halted == f"CorruptHistory: {TOPIC} jumps from 2 to 4 at offset 2"
            assert await diary(pool) == [1, 2]
            kafka.topics[TOPIC].clear()
            kafka.write(TOPIC, records)  # the topic was mended
            await pool.execute("update eventlog.cursors set token = 0")
            await until(lambda: count_is(pool, 5))
            await until(lambda: consumer.halted is None)
        assert await diary(pool) == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("had", [0, 3])
    async def test_what_comes_before_its_turn_comes_again_in_its_turn(
        self, pool: Pool, log: PostgresLog, kafka: MemoryKafka, had: int
    ) -> None:
        """A topic that was lost begins with what its relay wrote before somebody set it back to the beginning."""
        await log.append(an_append(facts=6))
        facts, _ = await log.after(0, 10)
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        kafka.write(TOPIC, records[:had])
        async with running(Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()]).run()):
            await until(lambda: count_is(pool, had))
        kafka.topics[TOPIC].clear()
        kafka.write(TOPIC, records[4:5])
        await pool.execute("update eventlog.cursors set token = 0")
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: consumer.halted)
            assert consumer.halted == f"CorruptHistory: {TOPIC} jumps from {had} to 5 at offset 0"
            kafka.write(TOPIC, records[:2])
            kafka.write(TOPIC, records)
            await until(lambda: count_is(pool, 6))
            await until(lambda: consumer.halted is None)
        assert await diary(pool) == [1, 2, 3, 4, 5, 6]
        assert await pool.fetchval("select token from eventlog.cursors") == 9

    async def test_a_hole_shows_also_while_more_keeps_coming(
        self, pool: Pool, log: PostgresLog, kafka: MemoryKafka
    ) -> None:
        await log.append(an_append(facts=200))
        facts, _ = await log.after(0, 500)
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        kafka.write(TOPIC, records[:1])
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])

        async def keep_coming() -> None:
            while True:
                kafka.write(TOPIC, [*records[2:], records[0]])
                await asyncio.sleep(0)

        async with running(consumer.run(), keep_coming()):
            await until(lambda: consumer.halted)
            assert consumer.halted == f"CorruptHistory: {TOPIC} jumps from 1 to 3 at offset 1"
        assert await diary(pool) == [1]
        assert await pool.fetchval("select token from eventlog.cursors") == 1

    async def test_what_is_no_fact_halts_after_what_lies_before_it(
        self, pool: Pool, log: PostgresLog, kafka: MemoryKafka
    ) -> None:
        await log.append(an_append(facts=3))
        facts, _ = await log.after(0, 10)
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        kafka.write(TOPIC, [records[0], records[1], Record(b"who", b"knows", [("pseq", b"3")]), records[2]])
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: consumer.halted)
            assert consumer.halted == f"CorruptHistory: {TOPIC} has no fact at offset 2"
        assert await diary(pool) == [1, 2]

    async def test_a_truncated_topic_halts(self, pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
        await log.append(an_append(facts=3))
        facts, _ = await log.after(0, 10)
        kafka.write(TOPIC, [to_record(fact, n) for n, fact in enumerate(facts, start=1)])
        async with running(Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()]).run()):
            await until(lambda: count_is(pool, 3))
        kafka.topics[TOPIC].clear()
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: consumer.halted)
        assert await diary(pool) == [1, 2, 3]


async def test_a_topic_that_cannot_be_followed_is_not_read(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.append(an_append())
    kafka.write(TOPIC, [to_record(fact, 1) for fact in (await log.after(0, 10))[0]])

    async def refuse(topic: str, settings: object) -> None:
        raise CorruptHistory(f"topic {topic} has 3 partitions")

    monkeypatch.setattr(kafka, "ensure_topic", refuse)
    consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
    async with running(consumer.run()):
        await until(lambda: consumer.halted)
        assert consumer.halted == f"CorruptHistory: topic {TOPIC} has 3 partitions"
    assert await diary(pool) == []


class TestATopicThatIsNotWhatItWas:
    """Of six facts, the fourth twice, all were taken in; then the broker lost some."""

    @pytest.fixture
    async def records(self, pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> Sequence[Record]:
        await log.append(an_append(facts=9))
        facts, _ = await log.after(0, 10)
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        kafka.write(TOPIC, [*records[:4], records[3], *records[4:6]])
        async with running(Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()]).run()):
            await until(lambda: read_to_the_end(pool, kafka))
        return records

    @pytest.mark.parametrize("left", [0, 3, 6])
    async def test_is_waited_for_aloud_and_read_once_it_is_whole(
        self, pool: Pool, kafka: MemoryKafka, records: Sequence[Record], left: int
    ) -> None:
        del kafka.topics[TOPIC][left:]
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: consumer.halted)
            assert (consumer.halted or "").startswith(f"CorruptHistory: {TOPIC} ")
            await until(lambda: pool.fetchval("select token = $1 from eventlog.cursors", left))
            kafka.write(TOPIC, records[max(0, left - 1) :])
            await until(lambda: count_is(pool, 9))
            await until(lambda: consumer.halted is None)
        assert await diary(pool) == list(range(1, 10))

    @pytest.mark.parametrize("facts", [6, 7, 8, 9])
    async def test_and_was_written_again_meanwhile_is_read_to_its_end(
        self, pool: Pool, kafka: MemoryKafka, records: Sequence[Record], facts: int
    ) -> None:
        """Now without the repetition: what follows lies before the place where we stood."""
        kafka.topics[TOPIC].clear()
        kafka.write(TOPIC, records[:facts])
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: count_is(pool, facts))
            await until(lambda: consumer.halted is None)
        assert await diary(pool) == list(range(1, facts + 1))

    async def test_and_was_written_again_while_it_was_quiet_is_noticed(
        self, pool: Pool, kafka: MemoryKafka, records: Sequence[Record], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sources, "LOOK", 0.05)
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])
        async with running(consumer.run()):
            await until(lambda: kafka.open_clients == 1)
            kafka.topics[TOPIC].clear()
            kafka.write(TOPIC, records[:7])
            await until(lambda: count_is(pool, 7))
            await until(lambda: consumer.halted is None)

    async def test_is_searched_once_also_while_others_keep_coming(
        self, pool: Pool, kafka: MemoryKafka, records: Sequence[Record], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sources, "IN_TURN", 0.1)
        kafka.topics[TOPIC].clear()
        kafka.write(TOPIC, [*records[:8], records[8]])
        consumer = Consumer("diary", Topic(kafka, TOPIC), pool, [Diary()])

        async def keep_coming() -> None:
            while True:
                kafka.write(TOPIC, [records[8]])
                await asyncio.sleep(0)

        async with running(consumer.run(), keep_coming()):
            await until(lambda: count_is(pool, 9))
        assert await diary(pool) == list(range(1, 10))


async def read_to_the_end(pool: Pool, kafka: MemoryKafka) -> bool:
    return await pool.fetchval("select token = $1 from eventlog.cursors", len(kafka.topics[TOPIC])) is True


async def count_is(pool: Pool, rows: int) -> bool:
    return await count(pool) == rows


async def relayed(pool: Pool, position: int) -> bool:
    return await pool.fetchval("select position = $1 from eventlog.relays", position) is True
