"""Verify: every kind of damage is named for what it is, and none is seen where none is, also while facts arrive."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from eventlog import copies, verify
from eventlog.connections import Pool
from eventlog.copies import Told
from eventlog.kafka import Received, Record
from eventlog.log import Expect
from eventlog.postgres_log import PostgresLog
from eventlog.records import to_record
from eventlog.relay import Relay
from eventlog.verify import verify_log
from tests.conftest import as_application
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until

ONE = "620723: test-counter/1"
Damage = Callable[["Damaged"], Awaitable[None]]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every test crosses several."""
    monkeypatch.setattr(copies, "PIECE", 4)
    monkeypatch.setattr(verify, "PIECE", 4)
    monkeypatch.setattr(copies, "PATIENCE", 0.2)


def quiet(what: str, done: int, of: int) -> None:
    del what, done, of


class Damaged:
    """A log with its topic, and somebody who may do anything to either."""

    def __init__(self, pool: Pool, kafka: MemoryKafka, superuser: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.pool = pool
        self.kafka = kafka
        self.superuser = superuser

    @property
    def records(self) -> list[Received]:
        return self.kafka.topics[TOPIC]

    async def sql(self, statement: str) -> None:
        await self.superuser.execute(statement)

    async def verified(self, told: Told = quiet) -> str | None:
        return await verify_log(self.pool, self.kafka, told)

    def rewrite(self, records: Sequence[Record]) -> None:
        """Make these the topic, from offset 0."""
        self.kafka.topics[TOPIC] = []
        self.kafka.write(TOPIC, records)


@asynccontextmanager
async def without_triggers(dsn: str) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("set session_replication_role to replica")
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def damaged(pool: Pool, log: PostgresLog, kafka: MemoryKafka, database: str) -> AsyncGenerator[Damaged]:
    """Streams 1 to 3 with published facts at positions 1 to 3, 4 to 6 and 10 to 12, and a private one at 7 to 9."""
    for key, published in (("1", True), ("2", True), ("private", False), ("3", True)):
        await log.append(an_append(key, Expect.NEW, facts=3, published=published))
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: pool.fetchval("select position = 12 from eventlog.relays"))
    async with without_triggers(database) as superuser:
        yield Damaged(pool, kafka, superuser)


class TestUndamaged:
    async def test_has_no_difference(self, damaged: Damaged) -> None:
        assert await damaged.verified() is None

    async def test_and_empty_has_none_either(self, pool: Pool, kafka: MemoryKafka) -> None:
        assert await verify_log(pool, kafka, quiet) is None

    async def test_may_have_runs_that_the_relay_wrote_again(self, damaged: Damaged) -> None:
        damaged.kafka.write(TOPIC, damaged.records[:7])
        damaged.kafka.write(TOPIC, damaged.records[2:5])
        assert await damaged.verified() is None

    async def test_may_have_a_long_run_written_again_and_then_go_on(self, damaged: Damaged, log: PostgresLog) -> None:
        await log.append(an_append("4", Expect.NEW, facts=40))
        facts = [fact for fact in (await log.after(0, 100))[0] if fact.published]
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        damaged.rewrite([*records[:30], *records[:30], *records[20:]])
        assert await damaged.verified() is None

    async def test_may_begin_with_what_a_relay_that_slept_still_wrote(self, damaged: Damaged) -> None:
        records = list(damaged.records)
        damaged.rewrite([*records[5:], *records])
        assert await damaged.verified() is None
        await damaged.sql("update eventlog.relays set position = 2, pseq = 2")
        for so_far in ([*records[5:], *records[:2]], [*records[:2], *records[5:]]):
            damaged.rewrite(so_far)
            assert await damaged.verified() is None

    async def test_may_have_facts_that_are_still_to_be_relayed(self, damaged: Damaged, log: PostgresLog) -> None:
        await log.append(an_append("1"))
        await log.append(an_append("nothing", Expect.NEW, facts=0))
        assert await damaged.verified() is None

    async def test_tells_how_far_it_is(self, damaged: Damaged) -> None:
        told: list[tuple[str, int, int]] = []
        await damaged.verified(lambda what, done, of: told.append((what, done, of)))
        assert told == [
            *(("log", done, 12) for done in (4, 8, 12, 12)),
            *((TOPIC, done, 9) for done in (4, 8, 9, 9)),
        ]


IN_THE_LOG = {
    "a fact is gone": (
        "delete from eventlog.facts where position = 2",
        f"the log: {ONE} goes from version 1 to 3 at position 3",
    ),
    "the last fact of a stream is gone": (
        "delete from eventlog.facts where position = 3",
        f"the log: {ONE} should be at version 3, its facts end at 2",
    ),
    "a private fact is gone": (
        "delete from eventlog.facts where position = 9",
        "the log: 620723: test-counter/private should be at version 3, its facts end at 2",
    ),
    "two facts have changed places": (
        "update eventlog.facts set position = 1003 - position where position in (1, 2);"
        "update eventlog.facts set position = position - 1000 where position > 1000",
        f"the log: {ONE} goes from version 0 to 2 at position 1",
    ),
    "a stream's row is gone": (
        "delete from eventlog.streams where stream = 'test-counter/2'",
        "the log: 620723: test-counter/2 has facts, and is not among the streams",
    ),
    "a stream's row is ahead": (
        "update eventlog.streams set version = 4 where stream = 'test-counter/2'",
        "the log: 620723: test-counter/2 should be at version 4, its facts end at 3",
    ),
    "all facts of a stream are gone, its row, too": (
        "update eventlog.commands set command_id = '00000000-0000-0000-0000-000000000006'"
        " where stream_no = (select no from eventlog.streams where stream = 'test-counter/private');"
        "delete from eventlog.facts where stream = 'test-counter/private';"
        "delete from eventlog.streams where stream = 'test-counter/private'",
        "the log: command 00000000-0000-0000-0000-000000000006 of 620723 was told that its stream is at version 3, "
        "and no such fact is there",
    ),
    "a fact bears the number of another stream": (
        "update eventlog.facts set stream_no = 99 where position = 8",
        "the log: version 2 of 620723: test-counter/private at position 8 is not where the stream looks for it",
    ),
    "a stream says that it begins later": (
        "update eventlog.streams set since = 10 where stream = 'test-counter/3'",
        "the log: version 1 of 620723: test-counter/3 at position 10 is not where the stream looks for it",
    ),
    "a fact's words were changed": (
        "update eventlog.facts set data = '{\"by\": 2}' where position = 5",
        f"{TOPIC}: fact 5 at offset 4 has another content than test-counter-raised at position 5 "
        "(version 2 of test-counter/2) in the log",
    ),
    "a fact was given to somebody else": (
        "update eventlog.facts set actor = 'somebody-else' where position = 12",
        f"{TOPIC}: fact 9 at offset 8 has another actor than test-counter-raised at position 12 "
        "(version 3 of test-counter/3) in the log",
    ),
    "a private fact was made public": (
        "update eventlog.facts set published = true where position = 7",
        f"{TOPIC}: fact 7 at offset 6 has another position than test-counter-raised at position 7 "
        "(version 1 of test-counter/private) in the log",
    ),
    "a fact was written where none was": (
        """insert into eventlog.facts
           select 13, stream_no, tenant, stream, 4, published, gen_random_uuid(), name, schema, data, organ, matter,
                  actor, occurred_at, recorded_at, correlation, causation from eventlog.facts where position = 12""",
        "the log: 620723: test-counter/3 should be at version 3, its facts end at 4",
    ),
}


@pytest.mark.parametrize(("statement", "named"), IN_THE_LOG.values(), ids=IN_THE_LOG.keys())
async def test_damage_in_the_log_is_named(damaged: Damaged, statement: str, named: str) -> None:
    await damaged.sql(statement)
    assert await damaged.verified() == named


def changed(record: Record, **changes: bytes) -> Record:
    """The record with other headers."""
    return replace(record, headers=[(name, changes.get(name, value)) for name, value in record.headers])


def without(records: Sequence[Record], n: int) -> Sequence[Record]:
    return [*records[:n], *records[n + 1 :]]


IN_THE_TOPIC: dict[str, tuple[Callable[[Sequence[Received]], Sequence[Record]], str]] = {
    "a record is missing": (
        lambda records: without(records, 4),
        "it goes from fact 4 to 6 at offset 4: test-counter-raised at position 5 (version 2 of test-counter/2) "
        "is missing",
    ),
    "the first record is missing": (
        lambda records: records[1:],
        "it goes from fact 0 to 2 at offset 0: test-counter-raised at position 1 (version 1 of test-counter/1) "
        "is missing",
    ),
    "the last record is missing": (lambda records: records[:-1], "it ends at fact 8, the log has 9"),
    "all are missing": (lambda _: [], "it is empty, the log has 9 facts"),
    "two records have changed places": (
        lambda records: [records[1], records[0], *records[2:]],
        "it goes from fact 1 to 3 at offset 2: test-counter-raised at position 2 (version 2 of test-counter/1) "
        "is missing",
    ),
    "a record has another byte": (
        lambda records: [replace(records[0], value=b'{"by": 9}'), *records[1:]],
        "fact 1 at offset 0 has another content than test-counter-raised at position 1 "
        "(version 1 of test-counter/1) in the log",
    ),
    "a record bears another fact's number": (
        lambda records: [*records[:8], changed(records[7], pseq=b"9")],
        "fact 9 at offset 8 has another position than test-counter-raised at position 12 "
        "(version 3 of test-counter/3) in the log",
    ),
    "a record has one header more": (
        lambda records: [replace(records[0], headers=[*records[0].headers, ("note", b"x")]), *records[1:]],
        "fact 1 at offset 0 has another note than test-counter-raised at position 1 "
        "(version 1 of test-counter/1) in the log",
    ),
    "a record has a header twice": (
        lambda records: [replace(records[0], headers=[*records[0].headers, records[0].headers[-1]]), *records[1:]],
        "fact 1 at offset 0 has another number of headers than test-counter-raised at position 1 "
        "(version 1 of test-counter/1) in the log",
    ),
    "a record has another key": (
        lambda records: [replace(records[0], key=b"elsewhere"), *records[1:]],
        "fact 1 at offset 0 has another key than test-counter-raised at position 1 "
        "(version 1 of test-counter/1) in the log",
    ),
    "a record was doubled with other bytes": (
        lambda records: [*records, replace(records[1], value=b'{"by": 9}')],
        "repeated fact 2 at offset 9 has another content than test-counter-raised at position 2 "
        "(version 2 of test-counter/1) in the log",
    ),
    "a record has no fact in the log": (
        lambda records: [*records, changed(records[8], pseq=b"10")],
        "it has a fact 10 at offset 9 that the log has not",
    ),
    "a record has no fact in the log, and others follow": (
        lambda records: [*records[:3], changed(records[8], pseq=b"1000"), *records[3:]],
        "it has a fact 1000 at offset 3 that the log has not",
    ),
    "a record came early with other bytes": (
        lambda records: [*records[:3], replace(records[7], value=b'{"by": 9}'), *records[3:]],
        "fact 8 at offset 3 has another content than test-counter-raised at position 11 "
        "(version 2 of test-counter/3) in the log",
    ),
    "a record is none of ours": (
        lambda records: [*records, Record(b"", b"")],
        "the record at offset 9 is no fact",
    ),
}


@pytest.mark.parametrize(("damage", "named"), IN_THE_TOPIC.values(), ids=IN_THE_TOPIC.keys())
async def test_damage_in_the_topic_is_named(
    damaged: Damaged, damage: Callable[[Sequence[Received]], Sequence[Record]], named: str
) -> None:
    damaged.rewrite(damage(damaged.records))
    assert await damaged.verified() == f"{TOPIC}: {named}"


class TestWhileFactsArrive:
    async def test_nothing_is_seen_that_is_not_so(self, pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
        async def write(key: str) -> None:
            for n in range(60):
                await log.append(an_append(f"{key}-{n % 5}", facts=1 + n % 3, published=n % 4 != 0))
                kafka.fail_after_send = n % 7 == 0

        verified: list[str | None] = []
        async with running(Relay(pool, log, kafka, TOPIC).run()):
            writing = asyncio.gather(*(write(str(n)) for n in range(6)))
            while not writing.done():
                verified.append(await verify_log(pool, kafka, quiet))
            await writing
        assert len(kafka.topics[TOPIC]) > 500
        assert len(verified) > 3
        assert set(verified) == {None}

    async def test_a_relay_that_is_ahead_of_its_checkpoint_is_no_damage(
        self, damaged: Damaged, log: PostgresLog
    ) -> None:
        await log.append(an_append("1", facts=2))
        facts, _ = await log.after(12, 10)
        damaged.kafka.write(TOPIC, [to_record(fact, n) for n, fact in enumerate(facts, start=10)])
        assert await damaged.verified() is None

    @pytest.mark.parametrize("moment", ["before", "after"])
    async def test_a_fact_that_comes_between_two_looks_is_no_damage(
        self, damaged: Damaged, log: PostgresLog, moment: str
    ) -> None:
        """Appended, relayed and checkpointed just when the topic's end is asked for."""
        assert await verify_log(damaged.pool, Overtaken(damaged, log, moment), quiet) is None

    async def test_an_append_that_is_still_open_is_no_damage(
        self, damaged: Damaged, log: PostgresLog, database: str
    ) -> None:
        """It has drawn a position below others that are kept already, and none of those is relayed before it."""
        holder = await asyncpg.connect(as_application(database))
        try:
            async with holder.transaction():
                await holder.fetch("select eventlog.take_fence()")
                await log.append(an_append("1"))
                assert await damaged.verified() is None
        finally:
            await holder.close()


class Overtaken(MemoryKafka):
    """A broker that gets a fact more at the very moment it is asked for its end."""

    def __init__(self, damaged: Damaged, log: PostgresLog, moment: str) -> None:
        super().__init__(damaged.kafka.topics)
        self._pool = damaged.pool
        self._log = log
        self._moment = moment

    async def ends(self, topics: Sequence[str]) -> dict[str, int]:
        before = dict(await super().ends(topics))
        await self._log.append(an_append("1"))
        facts = [fact for fact in (await self._log.after(0, 100))[0] if fact.published]
        self.write(TOPIC, [to_record(facts[-1], len(facts))])
        await self._pool.execute("update eventlog.relays set position = $1, pseq = $2", facts[-1].position, len(facts))
        return before if self._moment == "after" else dict(await super().ends(topics))
