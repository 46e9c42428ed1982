"""Shared keys reach the services that show a text, and are taken back there once they are destroyed."""

import asyncio
from uuid import uuid4

import pytest

from eventlog import election, key_reader, key_relay
from eventlog.connections import Pool
from eventlog.errors import CorruptHistory
from eventlog.kafka import Received
from eventlog.key_reader import KeyReader
from eventlog.key_relay import KeyRelay, Sharing
from eventlog.keys import PostgresKeys
from eventlog.rotation import share_again
from eventlog.sealed import Clear, Erased, Pending
from eventlog.shared_keys import SharedKeys
from eventlog.wrapped_keys import HELD_FOR
from eventlog.wrapping import Wrapping
from tests.integration.eventlog.sharing import (
    MASTER,
    SHARING,
    TENANT,
    TOPIC,
    WORDS,
    Clock,
    FakeKafka,
    at_rest,
    eventually,
    many_published,
    noted,
    nothing_waits,
    received,
    running,
    sharing,
    spoil,
    truth,
    until,
)


@pytest.fixture
def pool(keys_pool: Pool) -> Pool:
    """A database without keys; in it, sender and receiver have tables of their own."""
    return keys_pool


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start over at once, not after a second."""
    monkeypatch.setattr(election, "RETRY", 0.01)
    for module in (key_relay, key_reader):
        monkeypatch.setattr(module, "POLL", 0.01)


class TestKeyTopic:
    async def test_brings_the_key_of_a_published_text(self, pool: Pool) -> None:
        text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
        async with sharing(pool, FakeKafka()) as shared:
            await until(shared, text, Clear(WORDS))

    async def test_shows_a_text_as_pending_until_its_key_comes(self, pool: Pool) -> None:
        text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
        assert await SharedKeys(pool, SHARING).open(TENANT, text) == Pending()

    async def test_takes_a_destroyed_key_back(self, pool: Pool) -> None:
        keys = PostgresKeys(pool, MASTER)
        one, other = await keys.seal_public(TENANT, WORDS), await keys.seal_public(TENANT, "另一个")
        async with sharing(pool, FakeKafka()) as shared:
            await until(shared, one, Clear(WORDS))
            await until(shared, other, Clear("另一个"))
            await keys.destroy(TENANT, one.key_id)
            await until(shared, one, Erased())
            assert await shared.open_many(TENANT, [other, one]) == [Clear("另一个"), Erased()]

    async def test_takes_a_key_back_that_its_own_service_lost_with_a_backup(self, pool: Pool) -> None:
        keys = PostgresKeys(pool, MASTER)
        text = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, FakeKafka()) as shared:
            await until(shared, text, Clear(WORDS))
            await pool.execute("delete from keys.keys where key_id = $1", text.key_id)
            await keys.destroy(TENANT, text.key_id)
            await until(shared, text, Erased())

    async def test_carries_no_key_in_clear_and_no_key_of_a_person(self, pool: Pool) -> None:
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        person = await keys.seal(TENANT, uuid4(), "person-name", "张三")
        text = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, kafka) as shared:
            await until(shared, text, Clear(WORDS))
            assert await shared.open(TENANT, person) == Pending()
        assert [record.key for record in kafka.records] == [f"{TENANT}/{text.key_id}".encode()]
        wrapped = await pool.fetchval("select wrapped from keys.keys where key_id = $1", text.key_id)
        key = MASTER.unwrap(TENANT, text.key_id, wrapped)
        assert all(record.value is not None and key not in record.value for record in kafka.records)
        with pytest.raises(CorruptHistory):
            await SharedKeys(pool, MASTER).open(TENANT, text)

    async def test_publishes_in_rounds_and_says_when_it_is_done(self, pool: Pool) -> None:
        await many_published(pool, 1203)
        kafka = FakeKafka()
        relay = KeyRelay(pool, kafka, TOPIC, MASTER, SHARING)
        assert await relay.progress() == Sharing(sent=0, waiting=1203)
        async with sharing(pool, kafka) as shared:
            await eventually(lambda: at_rest(relay, shared))
            assert await relay.progress() == Sharing(sent=1203, waiting=0)
            assert await pool.fetchval("select count(*) from keys.received where wrapped is not null") == 1203
        assert [int(dict(record.headers)["sent"]) for record in kafka.records] == list(range(1, 1204))

    async def test_lets_no_key_wait_behind_one_that_does_not_open(
        self, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The bad ones come first, and are more than a round takes."""
        monkeypatch.setattr(key_relay, "ROUND", 2)
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        early = await keys.seal_public(TENANT, WORDS)
        relay, shared = KeyRelay(pool, kafka, TOPIC, MASTER, SHARING), SharedKeys(pool, SHARING)
        async with running(relay.run, KeyReader(kafka, TOPIC, shared).run):
            await until(shared, early, Clear(WORDS))
        bad = [await keys.seal_public(TENANT, WORDS) for _ in range(3)]
        spoilt = [await spoil(pool, text.key_id) for text in bad]
        await keys.destroy(TENANT, early.key_id)
        late = await keys.seal_public(TENANT, WORDS)
        async with running(relay.run, KeyReader(kafka, TOPIC, shared).run):
            await until(shared, early, Erased())
            await until(shared, late, Clear(WORDS))
            await eventually(lambda: truth((relay.halted or "").startswith("3 keys do not open, such as: key ")))
            assert (await relay.progress()).waiting == 3
            await pool.executemany(
                "update keys.keys set wrapped = $2 where key_id = $1",
                [(text.key_id, wrapped) for text, wrapped in zip(bad, spoilt, strict=True)],
            )
            await eventually(lambda: at_rest(relay, shared))
            await eventually(lambda: truth(relay.halted is None))
            assert await shared.open_many(TENANT, bad) == [Clear(WORDS)] * 3
        assert len(kafka.records) == 6

    async def test_publishes_a_change_that_becomes_visible_late(self, pool: Pool) -> None:
        """Change numbers are drawn before the commit: one checkpoint for all keys would pass over the earlier one."""
        late = uuid4()
        await PostgresKeys(pool, MASTER).seal(TENANT, uuid4(), "words", WORDS)  # MASTER may wrap here from now on
        async with pool.acquire() as slow:
            transaction = slow.transaction()
            await transaction.start()
            await slow.execute(
                "insert into keys.keys (tenant, key_id, wrapped, shared) values ($1, $2, $3, true)",
                TENANT,
                late,
                MASTER.wrap(TENANT, late, bytes(32)),
            )
            text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
            kafka = FakeKafka()
            async with sharing(pool, kafka) as shared:
                await until(shared, text, Clear(WORDS))
                await transaction.commit()
                await eventually(lambda: received(pool, late))

    async def test_says_again_what_the_broker_may_not_have(self, pool: Pool) -> None:
        text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
        kafka = FakeKafka(lost_answers=1)
        async with sharing(pool, kafka) as shared:
            await until(shared, text, Clear(WORDS))
            await eventually(lambda: at_rest(KeyRelay(pool, kafka, TOPIC, MASTER, SHARING), shared))
        assert len(kafka.records) == 2

    async def test_takes_back_a_key_that_is_destroyed_while_it_is_written(self, pool: Pool) -> None:
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        text = await keys.seal_public(TENANT, WORDS)
        kafka.unanswered = asyncio.Event()
        relay = KeyRelay(pool, kafka, TOPIC, MASTER, SHARING)
        async with running(relay.run):
            await eventually(lambda: truth(len(kafka.records) == 1))
            answer, kafka.unanswered = kafka.unanswered, None
            await keys.destroy(TENANT, text.key_id)
            answer.set()
            await eventually(lambda: nothing_waits(relay))
        assert [record.value is None for record in kafka.records] == [False, True]

    @pytest.mark.parametrize("settled", [False, True])
    async def test_says_a_tombstone_again_after_a_leader_that_slept_wrote_the_live_key(
        self, pool: Pool, settled: bool
    ) -> None:
        """Whether the new leader has already noted its tombstone, or is about to, when the old one wakes."""
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        text = await keys.seal_public(TENANT, WORDS)
        kafka.asleep = asyncio.Event()
        async with running(KeyRelay(pool, kafka, TOPIC, MASTER, SHARING).run):
            await eventually(lambda: truth(kafka.sleeping))  # it has read the live key, and sleeps before writing it
            sleeper, kafka.asleep = kafka.asleep, None
            await pool.execute(  # its machine is given up: the lock goes with its session
                """select pg_terminate_backend(pid) from pg_locks
                   where locktype = 'advisory' and database = (select oid from pg_database
                                                               where datname = current_database())"""
            )
            await keys.destroy(TENANT, text.key_id)
            new = KeyRelay(pool, kafka, TOPIC, MASTER, SHARING)
            kafka.unanswered = asyncio.Event()
            async with running(new.run):
                await eventually(lambda: truth([record.value for record in kafka.records] == [None]))
                answer, kafka.unanswered = kafka.unanswered, None
                if settled:
                    answer.set()
                    await eventually(lambda: nothing_waits(new))
                sleeper.set()
                await eventually(lambda: noted(pool, text.key_id, at_least=3 if settled else 2))
                answer.set()
                await eventually(lambda: nothing_waits(new))
        assert [record.value is None for record in kafka.records] == [True, False, True]

    async def test_uses_no_key_a_minute_after_another_process_took_its_tombstone_in(self, pool: Pool) -> None:
        keys, kafka, clock = PostgresKeys(pool, MASTER), FakeKafka(), Clock()
        text = await keys.seal_public(TENANT, WORDS)
        here = SharedKeys(pool, SHARING, clock)
        async with sharing(pool, kafka) as there:
            await until(here, text, Clear(WORDS))
            await keys.destroy(TENANT, text.key_id)
            await until(there, text, Erased())
        assert await here.open_as_of_now(TENANT, [text]) == [Erased()]
        clock.now += HELD_FOR
        assert await here.open(TENANT, text) == Erased()

    async def test_says_a_tombstone_once_more_so_that_the_broker_closes_the_segment_with_the_key(
        self, pool: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(key_relay, "REPEAT", 0.5)
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        text = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, kafka) as shared:
            await until(shared, text, Clear(WORDS))
            await keys.destroy(TENANT, text.key_id)
            await eventually(lambda: truth(len(kafka.records) == 3))
            await asyncio.sleep(1)
        assert [record.value is None for record in kafka.records] == [False, True, True]

    async def test_tells_of_what_came_and_went_until_it_is_acted_on(self, pool: Pool) -> None:
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        text = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, kafka) as shared:
            await until(shared, text, Clear(WORDS))
            [came] = await shared.untold(10)
            assert (came.tenant, came.key_id, came.destroyed) == (TENANT, text.key_id, False)
            await shared.told([came])
            assert await shared.untold(10) == []
            await keys.destroy(TENANT, text.key_id)
            await until(shared, text, Erased())
            await shared.told([came])  # acted on a key that is gone by now
            [went] = await shared.untold(10)
            assert went.destroyed
            await shared.told([went])
            assert await shared.untold(10) == []
            assert await shared.waiting() == 0

    async def test_a_receiver_never_revives_a_destroyed_key(self, pool: Pool) -> None:
        text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
        kafka = FakeKafka()
        async with sharing(pool, kafka) as shared:
            await until(shared, text, Clear(WORDS))
        live = kafka.records[0]
        tombstone = Received(live.key, None, live.headers, 1)
        for batches in ([[live, tombstone], [live]], [[tombstone, live]], [[tombstone], [live]]):
            await pool.execute("truncate keys.received")
            async with pool.acquire() as connection:
                for batch in batches:
                    await shared.take_in(TOPIC, batch, connection)
            assert await SharedKeys(pool, SHARING).open(TENANT, text) == Erased()

    async def test_learns_of_an_erasure_from_a_compacted_topic(self, pool: Pool) -> None:
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        one, other = await keys.seal_public(TENANT, WORDS), await keys.seal_public(TENANT, "另一个")
        async with running(KeyRelay(pool, kafka, TOPIC, MASTER, SHARING).run):
            await eventually(lambda: truth(len(kafka.records) == 2))
            await keys.destroy(TENANT, one.key_id)
            await eventually(lambda: truth(len(kafka.records) == 3))
        kafka.compact()
        assert [record.offset for record in kafka.records] == [1, 2]
        async with sharing(pool, kafka) as shared:
            await until(shared, other, Clear("另一个"))
            await until(shared, one, Erased())

    async def test_goes_on_where_it_was(self, pool: Pool) -> None:
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        first = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, kafka) as shared:
            await until(shared, first, Clear(WORDS))
        second = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, kafka) as shared:
            await until(shared, second, Clear(WORDS))
        assert kafka.read_from == [0, 1]

    async def test_reads_all_again_when_the_topic_was_lost(self, pool: Pool) -> None:
        keys, kafka = PostgresKeys(pool, MASTER), FakeKafka()
        texts = [await keys.seal_public(TENANT, str(n)) for n in range(3)]
        async with sharing(pool, kafka) as shared:
            for n, text in enumerate(texts):
                await until(shared, text, Clear(str(n)))
            await keys.destroy(TENANT, texts[0].key_id)
            await until(shared, texts[0], Erased())
        lost = FakeKafka()
        await share_again(pool)
        await pool.execute("update keys.read_up_to set next_offset = 100")  # beyond the end of the new topic
        text = await keys.seal_public(TENANT, WORDS)
        async with sharing(pool, lost) as shared:
            await until(shared, text, Clear(WORDS))
            assert await shared.open_many(TENANT, texts) == [Erased(), Clear("1"), Clear("2")]
        assert lost.read_from == [100, 0]
        assert [record.value is None for record in lost.records] == [False, False, True, False]

    async def test_takes_a_new_wrapping_of_the_same_key(self, pool: Pool) -> None:
        """The county changes its sharing secret: every key is said again under the new one."""
        text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
        kafka, renewed = FakeKafka(), Wrapping(bytes([2]) * 32)
        async with sharing(pool, kafka) as shared:
            await until(shared, text, Clear(WORDS))
        relay = KeyRelay(pool, kafka, TOPIC, MASTER, renewed)
        await share_again(pool)
        shared = SharedKeys(pool, renewed)
        async with running(relay.run, KeyReader(kafka, TOPIC, shared).run):
            await eventually(lambda: at_rest(relay, shared))
            assert await shared.open(TENANT, text) == Clear(WORDS)

    async def test_halts_at_a_record_that_names_no_key_and_goes_on_once_it_is_understood(self, pool: Pool) -> None:
        text = await PostgresKeys(pool, MASTER).seal_public(TENANT, WORDS)
        kafka, shared = FakeKafka(records=[Received(b"no key", b"?", (), 0)], end=1), SharedKeys(pool, SHARING)
        reader = KeyReader(kafka, TOPIC, shared)
        async with running(reader.run, KeyRelay(pool, kafka, TOPIC, MASTER, SHARING).run):
            await eventually(lambda: truth((reader.halted or "").startswith("CorruptHistory: ")))
            assert await shared.next_offset(TOPIC) == 0
            kafka.records[0] = Received(f"{TENANT}/{uuid4()}".encode(), b"?", (), 0)
            await until(shared, text, Clear(WORDS))
            await eventually(lambda: truth(reader.halted is None))

    async def test_moves_its_offset_only_with_its_rows(self, pool: Pool) -> None:
        shared = SharedKeys(pool, SHARING)
        good = Received(f"{TENANT}/{uuid4()}".encode(), b"wrapped", [("sent", b"1")], 0)
        bad = Received(b"no key at all", b"wrapped", [("sent", b"2")], 1)
        async with pool.acquire() as connection:
            with pytest.raises(CorruptHistory, match="offset 1 names no key"):
                await shared.take_in(TOPIC, [good, bad], connection)
        assert await shared.next_offset(TOPIC) == 0
        assert await pool.fetchval("select count(*) from keys.received") == 0
