"""What an effect fails on parks its stream, for this effect alone; mended and asked for again, nothing is missing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from eventlog import parked
from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.effect import Effect
from eventlog.errors import Unavailable
from eventlog.facts import Fact, NewFact, Stored
from eventlog.log import Append
from eventlog.parked import Reference
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from eventlog.sources import OwnLog, Topic
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until

STREAM = "test-counter/1"


class How(StrEnum):
    """Where an effect fails, and as what."""

    SENDING = "LookupError"
    WRITING = "ValueError"
    IN_THE_DRIVER = "DataError"
    TAKING_TOO_LONG = "TimeoutError"


@dataclass
class Diary:
    """An effect that sends each fact (outside) and writes it down (inside), and fails on some."""

    name: str = "diary"
    fails_on: set[int] = field(default_factory=set[int])
    how: How = How.WRITING
    essential: bool = False
    sent: list[int] = field(default_factory=list[int])

    def fails(self, fact: Stored, how: How) -> bool:
        return how is self.how and fact.position in self.fails_on

    async def act(self, facts: Sequence[Stored]) -> None:
        for fact in facts:
            self.sent.append(fact.position)
            if self.fails(fact, How.SENDING):
                raise LookupError("somebody's own words")

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        for fact in facts:
            position = 1 << 70 if self.fails(fact, How.IN_THE_DRIVER) else fact.position
            await connection.execute("insert into diary values ($1, $2)", self.name, position)
            if self.fails(fact, How.WRITING):
                raise ValueError("somebody's own words")
            if self.fails(fact, How.TAKING_TOO_LONG):
                raise TimeoutError


@pytest.fixture(autouse=True)
async def diary_table(database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute("create table diary (name text, position bigint); grant all on diary to public")
    await owner.close()


async def diary(pool: Pool, name: str = "diary") -> Sequence[int]:
    rows = await pool.fetch("select position from diary where name = $1 order by ctid", name)
    return [row["position"] for row in rows]


async def reached(pool: Pool, position: int) -> bool:
    return await pool.fetchval("select position = $1 from eventlog.cursors", position) is True


async def waiting(pool: Pool, stream: str = STREAM) -> Sequence[tuple[int, str | None, int]]:
    """The parked facts of a stream: position, error, attempts."""
    facts = await parked.parked_facts(pool, stream)
    return [(reference.position, reference.error, reference.attempts) for _, reference in facts]


async def none_is_parked(pool: Pool) -> bool:
    return await parked.count(pool) == 0


async def tried(pool: Pool) -> bool:
    return await pool.fetchval("select not bool_or(asked) from eventlog.parked") is not False


def three_streams() -> Sequence[Append]:
    """Positions 1, 4, 7, 10 are of stream 1, and so on."""
    return [an_append(str(n % 3 + 1)) for n in range(12)]


async def filled(log: PostgresLog) -> None:
    for item in three_streams():
        await log.append(item)


def consumer(pool: Pool, log: PostgresLog, *effects: Effect) -> Consumer:
    return Consumer("diaries", OwnLog(log), pool, effects)


@pytest.mark.parametrize("how", How)
class TestPoison:
    async def test_parks_its_stream_behind_it_and_others_go_on(self, pool: Pool, log: PostgresLog, how: How) -> None:
        await filled(log)
        effect = Diary(fails_on={4}, how=how)
        reader = consumer(pool, log, effect)
        async with running(reader.run()):
            await until(lambda: reached(pool, 12))
            await log.append(an_append("1"))
            await log.append(an_append("2"))
            await until(lambda: reached(pool, 14))
            assert reader.halted is None
        assert await diary(pool) == [1, 2, 3, 5, 6, 8, 9, 11, 12, 14]
        assert await waiting(pool) == [(4, how, 1), (7, None, 0), (10, None, 0), (13, None, 0)]
        assert await parked.count(pool) == 4
        if how is How.SENDING:
            assert {7, 10, 13}.isdisjoint(effect.sent[effect.sent.index(12) :])

    async def test_is_parked_for_the_effect_that_fails_alone(self, pool: Pool, log: PostgresLog, how: How) -> None:
        await filled(log)
        effects = [Diary("first"), Diary("second", {4, 5}, how), Diary("third", {4}, how)]
        async with running(consumer(pool, log, *effects).run()):
            await until(lambda: reached(pool, 12))
        assert await diary(pool, "first") == list(range(1, 13))
        assert await diary(pool, "second") == [1, 2, 3, 6, 9, 12]
        assert await diary(pool, "third") == [1, 2, 3, 5, 6, 8, 9, 11, 12]
        assert [(s.effect, s.stream, s.position, s.facts) for s in await parked.parked_streams(pool)] == [
            ("second", "test-counter/1", 4, 3),
            ("third", "test-counter/1", 4, 3),
            ("second", "test-counter/2", 5, 3),
        ]

    async def test_mended_and_asked_for_is_taken_in_in_order(self, pool: Pool, log: PostgresLog, how: How) -> None:
        await filled(log)
        effect = Diary(fails_on={4}, how=how)
        async with running(consumer(pool, log, effect).run()):
            await until(lambda: reached(pool, 12))
            effect.fails_on.clear()
            await log.append(an_append("1"))
            assert await parked.ask_again(pool, STREAM) == 1
            await until(lambda: none_is_parked(pool))
            await log.append(an_append("1"))
            await until(lambda: reached(pool, 14))
        assert await diary(pool) == [1, 2, 3, 5, 6, 8, 9, 11, 12, 4, 7, 10, 13, 14]

    async def test_of_one_of_several_ends_where_it_fails_again(self, pool: Pool, log: PostgresLog, how: How) -> None:
        await filled(log)
        effect = Diary(fails_on={4, 10}, how=how)
        async with running(consumer(pool, log, effect).run()):
            await until(lambda: reached(pool, 12))
            assert await parked.ask_again(pool) == 1
            await until(lambda: tried(pool))
            assert await waiting(pool) == [(4, how, 2), (7, None, 0), (10, None, 0)]
            effect.fails_on.discard(4)
            await parked.ask_again(pool)
            await until(lambda: tried(pool))
            assert await waiting(pool) == [(10, how, 1)]
        assert await diary(pool) == [1, 2, 3, 5, 6, 8, 9, 11, 12, 4, 7]


async def test_what_takes_too_long_now_and_then_parks_nothing(pool: Pool, log: PostgresLog) -> None:
    """Twice at one place, then twice at another: that is a busy database, and not the facts."""
    await filled(log)
    effect = Diary(how=How.TAKING_TOO_LONG, fails_on={4})
    reader = consumer(pool, log, effect)
    for position in (4, 13):
        effect.fails_on = {position}
        async with running(reader.run()):
            if position > 12:
                await log.append(an_append("1"))
            await until(lambda: effect.sent.count(position) == 2)  # noqa: B023  # awaited here
            effect.fails_on = set()
            await until(partial(reached, pool, max(12, position)))
    assert await diary(pool) == list(range(1, 14))
    assert await none_is_parked(pool)


async def test_a_reference_says_where_a_fact_lies_and_nothing_of_what_it_says(pool: Pool, log: PostgresLog) -> None:
    await filled(log)
    async with running(consumer(pool, log, Diary(fails_on={4})).run()):
        await until(lambda: reached(pool, 12))
    facts, _ = await log.after(0, 100)
    [(at, reference), *_] = await parked.parked_facts(pool, STREAM)
    assert (at.consumer, at.source, at.effect) == ("diaries", "log", "diary")
    assert reference == Reference(
        "620723", facts[3].stream, 4, 0, facts[3].fact_id, "test-counter-raised", "ValueError", 1
    )
    row = await pool.fetchval("select to_jsonb(p)::text from eventlog.parked p where position = 4")
    assert "words" not in row


async def test_operators_are_told_at_once(pool: Pool, log: PostgresLog) -> None:
    await filled(log)
    with capture_logs() as logs:
        async with running(consumer(pool, log, Diary(fails_on={4})).run()):
            await until(lambda: reached(pool, 12))
    [told] = logs
    assert type(told.pop("exc_info")) is ValueError
    assert told == {
        "event": "parked",
        "log_level": "error",
        "work": "consumer/diaries/log",
        "effect": "diary",
        "stream": STREAM,
        "position": 4,
        "fact": "test-counter-raised",
    }


async def test_where_nothing_can_be_parked_the_position_stays(pool: Pool, log: PostgresLog, database: str) -> None:
    """Reference and position are both there or both not: nothing is passed over."""
    owner = await asyncpg.connect(database)
    await owner.execute("revoke insert on eventlog.parked from public, shangyi_test")
    await owner.close()
    await filled(log)
    reader = consumer(pool, log, Diary(fails_on={4}))
    async with running(reader.run()):
        await until(lambda: reader.halted)
        assert reader.halted == "InsufficientPrivilegeError"
    assert await reached(pool, 3)
    assert await diary(pool) == [1, 2, 3]


async def test_what_stays_parked_stays_so_for_the_next_term(pool: Pool, log: PostgresLog) -> None:
    await filled(log)
    async with running(consumer(pool, log, Diary(fails_on={4})).run()):
        await until(lambda: reached(pool, 12))
    async with running(consumer(pool, log, Diary()).run()):
        await log.append(an_append("1"))
        await log.append(an_append("2"))
        await until(lambda: reached(pool, 14))
    assert await diary(pool) == [1, 2, 3, 5, 6, 8, 9, 11, 12, 14]
    assert [position for position, _, _ in await waiting(pool)] == [4, 7, 10, 13]


async def test_what_all_else_stands_on_halts_instead_of_parking(pool: Pool, log: PostgresLog) -> None:
    await filled(log)
    reader = consumer(pool, log, Diary("store", {4}, essential=True), Diary("other"))
    async with running(reader.run()):
        await until(lambda: reader.halted)
        assert reader.halted == "CorruptHistory: store cannot take in test-counter-raised at position 4 of log"
    assert (await diary(pool, "store"), await diary(pool, "other")) == ([1, 2, 3], [1, 2, 3])
    assert await none_is_parked(pool)


class TestRetry:
    async def test_is_not_overtaken_by_what_comes_meanwhile(
        self, pool: Pool, log: PostgresLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between two late facts live ones are taken in, and those of the stream wait behind."""
        monkeypatch.setattr("eventlog.retries.SHARE", 0.0001)
        await log.append(an_append("1", facts=40))
        effect = Diary(fails_on={1})
        async with running(consumer(pool, log, effect).run()):
            await until(lambda: reached(pool, 40))
            effect.fails_on.clear()
            await parked.ask_again(pool)
            for _ in range(60):
                await log.append(an_append("1"))
                await log.append(an_append("2"))
            await until(lambda: reached(pool, 160))
            await until(lambda: none_is_parked(pool))
        facts, _ = await log.after(0, 1_000)
        order = await diary(pool)
        assert [p for p in order if p <= 40 or p % 2] == [f.position for f in facts if f.stream.key == "1"]
        assert order.index(42) < order.index(40), "the other stream did not wait"

    async def test_by_a_straggler_rolls_back(self, pool: Pool, log: PostgresLog) -> None:
        """While it takes something in late, another term takes all of it in: it must not do so once more."""

        @dataclass
        class Slow(Diary):
            begun: asyncio.Event = field(default_factory=asyncio.Event)
            go_on: asyncio.Event = field(default_factory=asyncio.Event)

            async def act(self, facts: Sequence[Stored]) -> None:
                await super().act(facts)
                if [fact.position for fact in facts] == [4]:
                    self.begun.set()
                    await self.go_on.wait()

        await filled(log)
        slow = Slow(fails_on={4}, how=How.SENDING)
        straggler = consumer(pool, log, slow)
        async with running(straggler.run()):
            await until(lambda: reached(pool, 12))
            slow.fails_on.clear()
            await parked.ask_again(pool)
            await slow.begun.wait()
            async with pool.acquire() as connection, running(consumer(pool, log, Diary()).lead(connection)):
                await until(lambda: none_is_parked(pool))
                await log.append(an_append("1"))
                await until(lambda: reached(pool, 13))
            slow.go_on.set()
            await log.append(an_append("1"))
            await until(lambda: reached(pool, 14))
        assert await diary(pool) == [1, 2, 3, 5, 6, 8, 9, 11, 12, 4, 7, 10, 13, 14]

    async def test_goes_on_after_an_outage(self, pool: Pool, log: PostgresLog) -> None:
        @dataclass
        class Away(Diary):
            away: bool = False

            async def act(self, facts: Sequence[Stored]) -> None:
                if self.away and facts[0].position == 7:
                    self.away = False
                    raise Unavailable("for a moment")
                await super().act(facts)

        await filled(log)
        effect = Away(fails_on={4})
        async with running(consumer(pool, log, effect).run()):
            await until(lambda: reached(pool, 12))
            effect.fails_on.clear()
            effect.away = True
            await parked.ask_again(pool)
            await until(lambda: none_is_parked(pool))
        assert await diary(pool) == [1, 2, 3, 5, 6, 8, 9, 11, 12, 4, 7, 10]

    async def test_reads_another_services_facts_from_its_topic(
        self, pool: Pool, log: PostgresLog, kafka: MemoryKafka
    ) -> None:
        effect = Diary(fails_on={5, 8}, how=How.SENDING)
        async with running(
            Relay(pool, log, kafka, TOPIC).run(), Consumer("diary", Topic(kafka, TOPIC), pool, [effect]).run()
        ):
            for n in range(12):
                kafka.fail_after_send = n % 4 == 2
                await log.append(an_append(str(n % 3 + 1), published=n != 0))
            await until(lambda: reached(pool, 12))
            [(_, first), *_] = await parked.parked_facts(pool, "test-counter/2")
            assert (first.position, first.pseq) == (5, 4)
            effect.fails_on.clear()
            kafka.topics[TOPIC] = kafka.topics[TOPIC][:1] * 3 + kafka.topics[TOPIC]  # offsets say nothing for ever
            await parked.ask_again(pool)
            await until(lambda: none_is_parked(pool))
        assert await diary(pool) == [2, 3, 4, 6, 7, 9, 10, 12, 5, 8, 11]

    async def test_of_what_is_gone_fails_and_halts_nobody(
        self, pool: Pool, log: PostgresLog, kafka: MemoryKafka, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("eventlog.history.PATIENCE", 0.01)
        effect = Diary(fails_on={4}, how=How.SENDING)
        reader = Consumer("diary", Topic(kafka, TOPIC), pool, [effect])
        async with running(Relay(pool, log, kafka, TOPIC).run(), reader.run()):
            await filled(log)
            await until(lambda: reached(pool, 12))
            await pool.execute("update eventlog.parked set pseq = pseq + 100")
            await parked.ask_again(pool)
            await until(lambda: tried(pool))
            assert reader.halted is None
        assert await waiting(pool) == [(4, "CorruptHistory", 2), (7, None, 0), (10, None, 0)]


async def test_a_mended_upcaster_applies_to_what_was_parked(
    pool: Pool, log: PostgresLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is parked is read anew when it is tried anew, by what the program has become."""
    seen: list[Fact] = []

    class Weight(Fact, name="test-parked-weight", schema=2):
        grams: int

        @classmethod
        def upcast(cls, schema: int, data: dict[str, Any]) -> dict[str, Any]:
            return {"grams": data["kilograms"] * 1000}

    @dataclass
    class Reader(Diary):
        async def act(self, facts: Sequence[Stored]) -> None:
            seen.extend(fact.read().data for fact in facts)

    def forgetful(_: int, data: dict[str, Any]) -> dict[str, Any]:
        return {"grams": data["pounds"] * 454}

    right = Weight.upcast
    monkeypatch.setattr(Weight, "upcast", forgetful)
    old = NewFact(UUID(int=1), "test-parked-weight", 1, '{"kilograms": 2}')
    await log.append(replace(an_append("1"), facts=[old]))
    async with running(consumer(pool, log, Reader()).run()):
        await until(lambda: reached(pool, 1))
        assert await waiting(pool) == [(1, "CorruptHistory", 1)]
        monkeypatch.setattr(Weight, "upcast", right)
        await parked.ask_again(pool)
        await until(lambda: none_is_parked(pool))
    assert seen == [Weight(grams=2000)]
