"""Rows that several streams share: however they come, fail, are parked and taken in late, they are those of one fold.

Two topics, each with duplicates and runs repeated, are read in turns by two consumers in batches of any size, which end
their terms at any moment. Some facts cannot be folded until somebody mends that. All along, a table says what the facts
taken in say but for the parked ones; and in the end what it would say had none ever failed.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlog import history, parked, retries, sources
from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.effect import Key
from eventlog.errors import Fenced
from eventlog.facts import Fact, NewFact, Stored, StreamId, Value
from eventlog.history import History, TopicHistory
from eventlog.records import to_record
from eventlog.sources import Batch, Source, Topic
from eventlog.term import Cursor
from tests.fakes.jars import TABLE, Jar, JarEmptied, JarFilled, JarsShaken, broken, jars
from tests.fakes.kafka import MemoryKafka

TENANT = "620723"
TOPICS = ("test.left", "test.right")
TABLES = {"test.left": "left_jars", "test.right": "right_jars"}

MODELS = {topic: jars(table) for topic, table in TABLES.items()}


class Enough(Exception):
    """A term ends here."""


@dataclass
class Limited:
    """A source that ends the term after some reads."""

    source: Source
    reads: int

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def history(self) -> History:
        return self.source.history

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        if self.reads == 0:
            raise Enough
        self.reads -= 1
        return await self.source.read(connection, cursor)

    async def close(self) -> None:
        await self.source.close()


@dataclass(frozen=True)
class Story:
    """One topic's facts, which of them fail at first, and the runs that its relay writes once more: where, how many."""

    facts: Sequence[tuple[str, Fact]]
    fail: frozenset[int]
    again: Sequence[tuple[int, int]]

    def stored(self) -> Sequence[Stored]:
        versions: dict[str, int] = {}
        found: list[Stored] = []
        for n, (stream, fact) in enumerate(self.facts):
            versions[stream] = versions.get(stream, 0) + 1
            new = NewFact.of(UUID(int=n + 1), fact)
            found.append(a_stored(new, stream, versions[stream], 10 * (n + 1)))
        return found

    def numbers(self) -> Sequence[int]:
        """The numbers on the topic: after ``at`` it goes on ``back`` before it, as after a checkpoint that was lost."""
        order = list(range(1, len(self.facts) + 1))
        for at, back in self.again:
            if at <= len(order):
                order[at:at] = order[max(0, at - back) : at]
        return order


def a_stored(new: NewFact, stream: str, version: int, position: int) -> Stored:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return Stored(
        fact_id=new.fact_id,
        tenant=TENANT,
        stream=StreamId("test-jar", stream),
        version=version,
        position=position,
        published=True,
        organ="office",
        matter=None,
        actor="somebody",
        occurred_at=at,
        recorded_at=at,
        correlation=new.fact_id,
        causation=None,
        name=new.name,
        schema=new.schema,
        json=new.json,
    )


some_jar = st.sampled_from("ab")
a_fact = st.tuples(
    st.sampled_from("123"),
    st.one_of(
        st.builds(JarFilled, jar=some_jar, with_what=st.integers(0, 99)),
        st.builds(JarFilled, jar=some_jar, with_what=st.integers(0, 99)),
        st.builds(JarsShaken, jars=st.tuples(some_jar, some_jar)),
        st.builds(JarEmptied, jar=some_jar),
    ),
)
a_story = st.builds(
    Story,
    facts=st.lists(a_fact, min_size=4, max_size=16),
    fail=st.frozensets(st.integers(0, 9), max_size=3),
    again=st.lists(st.tuples(st.integers(0, 16), st.integers(0, 6)), max_size=3),
)
a_turn = st.tuples(st.sampled_from([*TOPICS, *TOPICS, "ask", "mend"]), st.integers(1, 10))


@contextmanager
def cut(batch: int, share: float) -> Generator[None]:
    """Make batches and pieces small, so that there are many, and wait for nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "BATCH", batch)
        patch.setattr(sources, "POLL", 0)
        patch.setattr(retries, "SHARE", share)
        patch.setattr(retries, "LOOK", 0)
        patch.setattr(retries, "PIECE", 2)
        patch.setattr(history, "PIECE", 3)
        yield


@pytest.fixture(autouse=True)
async def tables(database: str) -> None:
    owner = await asyncpg.connect(database)
    for table in TABLES.values():
        await owner.execute(f"{TABLE.format(table=table)}; grant all on {table} to public")
    await owner.close()


def hashed(rows: Mapping[Key, Value | None]) -> str:
    told = sorted((key, row.model_dump_json()) for key, row in rows.items() if row is not None)
    return sha256(json.dumps(told).encode()).hexdigest()


def folded(topic: str, facts: Sequence[Stored]) -> Mapping[Key, Jar | None]:
    model = MODELS[topic]
    return model.fold({}, model.touched(facts))


class Reading:
    """Both topics and who reads them, over one database."""

    def __init__(self, pool: Pool, stories: Mapping[str, Story]) -> None:
        self.pool = pool
        self.kafka = MemoryKafka()
        self.stories = stories
        for topic, story in stories.items():
            facts = story.stored()
            self.kafka.topics[topic] = []
            self.kafka.write(topic, [to_record(facts[n - 1], n) for n in story.numbers()])

    async def read(self, topic: str, reads: int) -> None:
        source = Limited(Topic(self.kafka, topic), reads)
        reader = Consumer("jars", source, self.pool, [MODELS[topic]])
        async with self.pool.acquire() as connection:
            with pytest.raises(Enough):
                await reader.lead(connection)

    async def says_what_was_taken_in(self, topic: str) -> None:
        """The rows are those of the facts taken in but for the parked ones."""
        taken = await self.pool.fetchval("select position from eventlog.cursors where source = $1", topic) or 0
        first = (await parked.first_of_each(self.pool, "jars", topic)).get(MODELS[topic].name, {})
        facts = [
            fact
            for fact in self.stories[topic].stored()
            if fact.position <= taken
            and not ((key := (fact.tenant, fact.stream)) in first and fact.position >= first[key])
        ]
        broken_before = frozenset(broken)
        broken.clear()  # what was taken in before it broke counts as it did then
        assert hashed(await self.rows(topic)) == hashed(folded(topic, facts))
        broken.update(broken_before)

    async def rows(self, topic: str) -> Mapping[Key, Jar]:
        found = await self.pool.fetch(f"select tenant, jar, to_jsonb(t)::text as row from {TABLES[topic]} t")  # noqa: S608
        return {(r["tenant"], r["jar"]): Jar.model_validate_json(r["row"], extra="ignore") for r in found}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stories=st.fixed_dictionaries(dict.fromkeys(TOPICS, a_story)),
    turns=st.lists(a_turn, max_size=12),
    batch=st.integers(1, 6),
    share=st.sampled_from([0.00001, 5.0]),
)
async def test_they_are_those_of_one_fold(
    pool: Pool, stories: Mapping[str, Story], turns: Sequence[tuple[str, int]], batch: int, share: float
) -> None:
    await pool.execute("update eventlog.cursors set position = 0, pseq = 0, token = 0; delete from eventlog.parked")
    await pool.execute("delete from left_jars; delete from right_jars")
    broken.clear()
    broken.update(UUID(int=n + 1) for story in stories.values() for n in story.fail)
    reading = Reading(pool, stories)
    with cut(batch, share):
        for turn, n in turns:
            match turn:
                case "ask":
                    await parked.ask_again(pool, f"test-jar/{n}" if n <= 3 else None)
                case "mend":
                    broken.difference_update(sorted(broken)[:n])
                case topic:
                    await reading.read(topic, n)
                    await reading.says_what_was_taken_in(topic)
        broken.clear()
        for topic in TOPICS:
            await parked.ask_again(pool)
            await reading.read(topic, 40)
            await parked.ask_again(pool)
            await reading.read(topic, 40)
            await reading.says_what_was_taken_in(topic)
            assert hashed(await reading.rows(topic)) == hashed(folded(topic, stories[topic].stored()))
    assert await parked.count(pool) == 0


async def test_a_stream_is_taken_in_while_another_that_shares_its_rows_stays_parked(pool: Pool) -> None:
    filled = [(stream, JarFilled(jar="a", with_what=n)) for n, stream in enumerate("1212312")]
    reading = Reading(pool, dict.fromkeys(TOPICS, Story(filled, frozenset({0, 1}), ())))
    left = TOPICS[0]
    broken.clear()
    broken.update({UUID(int=1), UUID(int=2)})
    with cut(2, 5.0):
        await reading.read(left, 5)
        assert await reading.rows(left) == {(TENANT, "a"): Jar(jar="a", holds=(4,))}
        broken.discard(UUID(int=1))
        await parked.ask_again(pool, "test-jar/1")
        await reading.read(left, 2)
        assert await reading.rows(left) == {(TENANT, "a"): Jar(jar="a", holds=(0, 2, 4, 5))}
        assert [stream.stream for stream in await parked.parked_streams(pool)] == ["test-jar/2"]
        broken.clear()
        await parked.ask_again(pool)
        await reading.read(left, 2)
        assert await reading.rows(left) == {(TENANT, "a"): Jar(jar="a", holds=(0, 1, 2, 3, 4, 5, 6))}


async def test_what_comes_while_rows_are_folded_again_is_in_them(pool: Pool) -> None:
    filled = [("1" if n == 0 else "2", JarFilled(jar="a", with_what=n)) for n in range(30)]
    reading = Reading(pool, dict.fromkeys(TOPICS, Story(filled, frozenset({0}), ())))
    left = TOPICS[0]
    broken.clear()
    broken.add(UUID(int=1))
    with cut(2, 0.00001):
        await reading.read(left, 6)
        broken.clear()
        await parked.ask_again(pool)
        await reading.read(left, 30)
    assert await reading.rows(left) == {(TENANT, "a"): Jar(jar="a", holds=tuple(range(30)))}
    assert await parked.count(pool) == 0


async def test_a_straggler_that_folds_again_rolls_back(pool: Pool) -> None:
    """While it folds, another term takes the late facts in, and more: its rows are those of a place long passed."""
    filled = [("1" if n == 0 else "2", JarFilled(jar="a", with_what=n)) for n in range(12)]
    reading = Reading(pool, dict.fromkeys(TOPICS, Story(filled, frozenset({0}), ())))
    left = TOPICS[0]
    broken.clear()
    broken.add(UUID(int=1))
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(TopicHistory):
        async def between(
            self, connection: "Connection[asyncpg.Record]", after: Cursor, until: Cursor, names: Collection[str]
        ) -> AsyncGenerator[Sequence[Stored]]:
            async for facts in super().between(connection, after, until, names):
                begun.set()
                await go_on.wait()
                yield facts

    with cut(2, 5.0):
        await reading.read(left, 3)
        broken.clear()
        await parked.ask_again(pool)
        straggler = Consumer("jars", Topic(reading.kafka, left), pool, [MODELS[left]], Slow(reading.kafka, left))
        async with pool.acquire() as connection:
            late = asyncio.create_task(straggler.lead(connection))
            await begun.wait()
            await reading.read(left, 20)
            go_on.set()
            with pytest.raises(Fenced):
                await late
    assert await reading.rows(left) == {(TENANT, "a"): Jar(jar="a", holds=tuple(range(12)))}
