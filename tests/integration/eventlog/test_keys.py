"""Key stores keep one promise; shared keys reach other services and are taken back there; the secrets lie outside."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from eventlog import election, key_reader, key_relay
from eventlog.connections import Pool
from eventlog.errors import CorruptHistory, Rejected, Unavailable
from eventlog.kafka import Received, Record
from eventlog.key_reader import KeyReader
from eventlog.key_relay import KeyRelay, Sharing
from eventlog.keys import DIGESTS, KeyStore, PostgresKeys, Standing
from eventlog.memory_keys import MemoryKeys
from eventlog.migrations import KEY_GRANTS
from eventlog.rotation import introduce, share_again
from eventlog.sealed import Clear, Erased, Opened, Pending, PublicText, Sealed, Unreadable
from eventlog.shared_keys import SharedKeys
from eventlog.wrapped_keys import HELD_FOR
from eventlog.wrapping import NAME, SecretFile, Wrapping

TENANT = "620724"
OTHER_TENANT = "620725"
MASTER = Wrapping(bytes(32))
SHARING = Wrapping(bytes([1]) * 32)
TOPIC = "test.intake.keys"
WORDS = "路灯坏了三个月"
KEY = bytes([2]) * 32


@pytest.fixture
def pool(keys_pool: Pool) -> Pool:
    """A database without keys; in it, sender and receiver have tables of their own."""
    return keys_pool


@pytest.fixture(params=["memory", "postgres"])
def keys(request: pytest.FixtureRequest, pool: Pool) -> KeyStore:
    return MemoryKeys() if request.param == "memory" else PostgresKeys(pool, MASTER)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start over at once, not after a second."""
    monkeypatch.setattr(election, "RETRY", 0.01)
    for module in (key_relay, key_reader):
        monkeypatch.setattr(module, "POLL", 0.01)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestKeyStore:
    async def test_opens_what_it_sealed(self, keys: KeyStore) -> None:
        sealed = await keys.seal(TENANT, uuid4(), "words", WORDS)
        assert await keys.open(TENANT, sealed) == Clear(WORDS)

    async def test_seals_under_the_same_key_again(self, keys: KeyStore) -> None:
        owner = uuid4()
        both = [await keys.seal(TENANT, owner, "name", "张"), await keys.seal(TENANT, owner, "phone", "139")]
        assert [one.key_id for one in both] == [owner, owner]
        assert await keys.open_many(TENANT, both) == [Clear("张"), Clear("139")]

    async def test_opens_many_in_their_order(self, keys: KeyStore) -> None:
        owners = [uuid4(), uuid4(), uuid4()]
        sealed = [await keys.seal(TENANT, owners[n % 3], "words", str(n)) for n in range(9)]
        strange = sealed[0].model_copy(update={"key_id": uuid4()})
        await keys.destroy(TENANT, owners[1])
        opened = await keys.open_many(TENANT, [strange, *sealed, sealed[0]])
        expected: list[Opened] = [Erased() if n % 3 == 1 else Clear(str(n)) for n in range(9)]
        assert opened == [Pending(), *expected, Clear("0")]

    async def test_opens_the_others_where_one_does_not_open(self, keys: KeyStore) -> None:
        one, other = [await keys.seal(TENANT, uuid4(), "words", str(n)) for n in range(2)]
        bad = one.model_copy(update={"ciphertext": other.ciphertext})
        assert await keys.open_many(TENANT, [one, bad, other]) == [Clear("0"), Unreadable(), Clear("1")]
        with pytest.raises(CorruptHistory):
            await keys.open(TENANT, bad)

    async def test_opens_none(self, keys: KeyStore) -> None:
        assert list(await keys.open_many(TENANT, [])) == []

    async def test_gives_each_published_text_a_key_of_its_own(self, keys: KeyStore) -> None:
        one, other = await keys.seal_public(TENANT, WORDS), await keys.seal_public(TENANT, WORDS)
        assert one.key_id != other.key_id
        await keys.destroy(TENANT, one.key_id)
        assert await keys.open_many(TENANT, [one, other]) == [Erased(), Clear(WORDS)]

    async def test_never_seals_again_under_a_destroyed_key(self, keys: KeyStore) -> None:
        owner = uuid4()
        sealed = await keys.seal(TENANT, owner, "words", WORDS)
        await keys.open(TENANT, sealed)
        for _ in range(2):  # destroying it again changes nothing
            await keys.destroy(TENANT, owner)
            with pytest.raises(Rejected, match="key-destroyed"):
                await keys.seal(TENANT, owner, "words", WORDS)
            assert await keys.open(TENANT, sealed) == Erased()

    async def test_never_seals_under_a_key_destroyed_before_its_first_use(self, keys: KeyStore) -> None:
        owner = uuid4()
        await keys.destroy(TENANT, owner)
        with pytest.raises(Rejected, match="key-destroyed"):
            await keys.seal(TENANT, owner, "words", WORDS)

    async def test_keeps_counties_apart(self, keys: KeyStore) -> None:
        owner = uuid4()
        here, there = [await keys.seal(tenant, owner, "words", tenant) for tenant in (TENANT, OTHER_TENANT)]
        with pytest.raises(CorruptHistory):
            await keys.open(OTHER_TENANT, here)
        await keys.destroy(TENANT, owner)
        assert await keys.open(TENANT, here) == Erased()
        assert await keys.open(OTHER_TENANT, there) == Clear(OTHER_TENANT)

    async def test_says_whether_there_is_a_key(self, keys: KeyStore) -> None:
        sealed = await keys.seal(TENANT, uuid4(), "words", WORDS)
        assert await keys.standing(TENANT, sealed.key_id) is Standing.THERE
        assert await keys.standing(OTHER_TENANT, sealed.key_id) is Standing.NONE
        await keys.destroy(TENANT, sealed.key_id)
        assert await keys.standing(TENANT, sealed.key_id) is Standing.DESTROYED

    async def test_makes_one_key_when_many_seal_at_once(self, keys: KeyStore) -> None:
        owner = uuid4()
        sealed = await asyncio.gather(*(keys.seal(TENANT, owner, "words", str(n)) for n in range(20)))
        assert await keys.open_many(TENANT, sealed) == [Clear(str(n)) for n in range(20)]


class TestPostgresKeys:
    async def test_makes_one_key_when_many_processes_seal_at_once(self, pool: Pool) -> None:
        owner = uuid4()
        processes = [PostgresKeys(pool, MASTER) for _ in range(8)]
        sealed = await asyncio.gather(*(keys.seal(TENANT, owner, "words", WORDS) for keys in processes))
        assert await PostgresKeys(pool, MASTER).open_many(TENANT, sealed) == [Clear(WORDS)] * 8

    async def test_either_seals_or_refuses_when_the_key_is_destroyed_at_once(self, pool: Pool) -> None:
        for _ in range(20):
            keys, owner = PostgresKeys(pool, MASTER), uuid4()
            await asyncio.gather(
                keys.seal(TENANT, owner, "words", WORDS), keys.destroy(TENANT, owner), return_exceptions=True
            )
            with pytest.raises(Rejected, match="key-destroyed"):
                await PostgresKeys(pool, MASTER).seal(TENANT, owner, "words", WORDS)

    async def test_refuses_to_seal_once_another_process_destroyed_the_key(self, pool: Pool) -> None:
        here, there, owner = PostgresKeys(pool, MASTER), PostgresKeys(pool, MASTER), uuid4()
        await here.open(TENANT, await here.seal(TENANT, owner, "words", WORDS))
        await there.destroy(TENANT, owner)
        with pytest.raises(Rejected, match="key-destroyed"):
            await here.seal(TENANT, owner, "words", WORDS)

    async def test_uses_no_key_a_minute_after_another_process_destroyed_it(self, pool: Pool) -> None:
        clock = Clock()
        here, there, owner = PostgresKeys(pool, MASTER, clock), PostgresKeys(pool, MASTER), uuid4()
        sealed = await here.seal(TENANT, owner, "words", WORDS)
        assert await here.open(TENANT, sealed) == Clear(WORDS)
        await there.destroy(TENANT, owner)
        clock.now += HELD_FOR
        assert HELD_FOR < 60
        assert await here.open(TENANT, sealed) == Erased()

    async def test_asks_the_database_once_for_many(self, pool: Pool) -> None:
        keys = PostgresKeys(pool, MASTER)
        sealed = [await keys.seal(TENANT, uuid4(), "words", str(n)) for n in range(50)]
        await pool.execute("alter table keys.keys rename to hidden")
        try:
            with pytest.raises(asyncpg.UndefinedTableError):
                await keys.open_many(TENANT, sealed)
        finally:
            await pool.execute("alter table keys.hidden rename to keys")
        opened = await keys.open_many(TENANT, sealed)
        await pool.execute("alter table keys.keys rename to hidden")
        try:
            assert await keys.open_many(TENANT, sealed) == opened == [Clear(str(n)) for n in range(50)]
        finally:
            await pool.execute("alter table keys.hidden rename to keys")

    async def test_keeps_nothing_that_opens_without_the_master(self, pool: Pool) -> None:
        sealed = await PostgresKeys(pool, MASTER).seal(TENANT, uuid4(), "words", WORDS)
        with pytest.raises(CorruptHistory, match="was not wrapped under this secret"):
            await PostgresKeys(pool, SHARING).open(TENANT, sealed)

    async def test_opens_the_others_where_one_key_does_not_open_or_its_secret_is_not_here(
        self, pool: Pool, tmp_path: Path
    ) -> None:
        there = Wrapping.create(tmp_path / "secret")
        sealed = [await PostgresKeys(pool, there).seal(TENANT, uuid4(), "words", str(n)) for n in range(3)]
        keys = PostgresKeys(pool, SecretFile(tmp_path / "secret"))
        await spoil(pool, sealed[0].key_id)
        away = sealed[1].key_id
        await introduce(pool, [there, SHARING])
        await pool.execute("update keys.keys set wrapped = $2 where key_id = $1", away, SHARING.wrap(TENANT, away, KEY))
        for _ in range(2):  # also while the good one is held
            assert await keys.open_many(TENANT, sealed) == [Unreadable(), Pending(), Clear("2")]
        with pytest.raises(CorruptHistory):
            await keys.open(TENANT, sealed[0])
        with pytest.raises(Unavailable):
            await keys.open(TENANT, sealed[1])

    async def test_keeps_nothing_of_a_destroyed_key(self, pool: Pool) -> None:
        keys, owner = PostgresKeys(pool, MASTER), uuid4()
        await keys.seal(TENANT, owner, "words", WORDS)
        await keys.destroy(TENANT, owner)
        row = await pool.fetchrow("select wrapped, destroyed_at is not null as gone from keys.keys")
        assert row is not None
        assert dict(row) == {"wrapped": None, "gone": True}

    async def test_destroys_once(self, pool: Pool) -> None:
        keys, owner = PostgresKeys(pool, MASTER), uuid4()
        await keys.destroy(TENANT, owner)
        once = await pool.fetchrow("select * from keys.keys")
        await keys.destroy(TENANT, owner)
        assert await pool.fetchrow("select * from keys.keys") == once

    async def test_a_wrapped_key_cannot_be_put_in_the_place_of_another(self, pool: Pool) -> None:
        keys = PostgresKeys(pool, MASTER)
        sealed = [await keys.seal(TENANT, uuid4(), "words", WORDS) for _ in range(2)]
        await pool.execute(
            """update keys.keys set wrapped = (select wrapped from keys.keys where key_id = $1) where key_id = $2""",
            sealed[0].key_id,
            sealed[1].key_id,
        )
        with pytest.raises(CorruptHistory):
            await keys.open(TENANT, sealed[1])

    async def test_needs_no_more_than_it_is_granted(self, pool: Pool, keys_database: str) -> None:
        role = f"test_keys_{uuid4().hex[:12]}"
        await pool.execute(f"create role {role}")
        await pool.execute(KEY_GRANTS.format(role=role))

        async def become(connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
            await connection.execute(f"set role {role}")

        try:
            # `setup` runs each time a connection is lent: giving it back resets the role.
            async with asyncpg.create_pool(keys_database, min_size=1, max_size=4, setup=become) as granted:
                keys = PostgresKeys(granted, MASTER)
                text = await keys.seal_public(TENANT, WORDS)
                kafka = FakeKafka()
                async with sharing(granted, kafka) as shared:
                    await until(shared, text, Clear(WORDS))
                    await keys.destroy(TENANT, text.key_id)
                    await until(shared, text, Erased())
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await granted.execute("delete from keys.keys")
        finally:
            await pool.execute(f"drop owned by {role}")
            await pool.execute(f"drop role {role}")


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


@dataclass
class FakeKafka:
    """One topic in memory, with what a real broker does to it: compaction, lost answers, offsets out of range."""

    lost_answers: int = 0
    records: list[Received] = field(default_factory=list[Received])
    end: int = 0
    read_from: list[int] = field(default_factory=list[int])
    asleep: asyncio.Event | None = None  # set: the next writer stops before its write until it is set
    sleeping: bool = False
    unanswered: asyncio.Event | None = None  # set: the next writer learns that it has written when it is set

    async def ensure_topic(self, topic: str, settings: Mapping[str, str]) -> None:
        assert (topic, settings["cleanup.policy"]) == (TOPIC, "compact")

    async def producer(self) -> "FakeProducer":
        return FakeProducer(self)

    async def reader(self, topic: str, offset: int) -> "FakeReader":
        assert topic == TOPIC
        self.read_from.append(offset)
        return FakeReader(self, offset)

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(topics, self.end)

    def compact(self) -> None:
        last = {record.key: record.offset for record in self.records}
        self.records = [record for record in self.records if last[record.key] == record.offset]


class FakeProducer:
    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        assert topic == TOPIC
        if self._kafka.asleep is not None:
            self._kafka.sleeping = True
            await self._kafka.asleep.wait()
        for record in records:
            self._kafka.records.append(Received(record.key, record.value, record.headers, self._kafka.end))
            self._kafka.end += 1
        if self._kafka.unanswered is not None:
            await self._kafka.unanswered.wait()
        if self._kafka.lost_answers:
            self._kafka.lost_answers -= 1
            raise Unavailable("the answer was lost")
        return self._kafka.end

    async def close(self) -> None:
        return


class FakeReader:
    def __init__(self, kafka: FakeKafka, offset: int) -> None:
        self._kafka = kafka
        self._offset = offset

    async def read(self, limit: int, patience: float) -> Sequence[Received]:
        if self._offset > self._kafka.end:
            raise CorruptHistory("the topic does not hold the position we stand at")
        found = [record for record in self._kafka.records if record.offset >= self._offset][:limit]
        if found:
            self._offset = found[-1].offset + 1
        else:
            await asyncio.sleep(min(patience, 0.01))
        return found

    async def close(self) -> None:
        return


@asynccontextmanager
async def running(*works: Callable[[], Coroutine[object, object, None]]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(work()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def sharing(pool: Pool, kafka: FakeKafka) -> AsyncGenerator[SharedKeys]:
    """A relay on one side and a reader on the other."""
    shared = SharedKeys(pool, SHARING)
    relay = KeyRelay(pool, kafka, TOPIC, MASTER, SHARING)
    async with running(relay.run, KeyReader(kafka, TOPIC, shared).run):
        yield shared


async def eventually(holds: Callable[[], Coroutine[object, object, bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  # what is waited for lies in a database
            await asyncio.sleep(0.02)


async def until(shared: SharedKeys, text: PublicText | Sealed[str], expected: Opened) -> None:
    async def holds() -> bool:
        return await shared.open(TENANT, text) == expected

    await eventually(holds)


async def truth(value: bool) -> bool:
    return value


async def nothing_waits(relay: KeyRelay) -> bool:
    return (await relay.progress()).waiting == 0


async def noted(pool: Pool, key_id: UUID, *, at_least: int) -> bool:
    """How often the relays have noted a write of this key."""
    return await pool.fetchval("select writes >= $2 from keys.keys where key_id = $1", key_id, at_least) is True


async def at_rest(relay: KeyRelay, shared: SharedKeys) -> bool:
    progress = await relay.progress()
    return progress.waiting == 0 and await shared.reached(TOPIC) >= progress.sent


async def received(pool: Pool, key_id: UUID) -> bool:
    return await pool.fetchval("select exists (select from keys.received where key_id = $1)", key_id) is True


async def spoil(pool: Pool, key_id: UUID) -> bytes:
    """Have a key open with nothing any more; return what it was."""
    before: bytes = await pool.fetchval("select wrapped from keys.keys where key_id = $1", key_id)
    await pool.execute("update keys.keys set wrapped = $2 where key_id = $1", key_id, before[:NAME] + bytes(60))
    return before


async def many_published(pool: Pool, count: int) -> None:
    keys = PostgresKeys(pool, MASTER)
    for _ in range(count):
        await keys.seal_public(TENANT, WORDS)


class TestDigest:
    async def test_tells_content_from_content_and_tenant_from_tenant(self, keys: KeyStore) -> None:
        one = await keys.digest(TENANT, b"13900000000")
        assert one == await keys.digest(TENANT, b"13900000000")
        others = [await keys.digest(TENANT, b"13900000001"), await keys.digest(OTHER_TENANT, b"13900000000")]
        assert len({one, *others}) == 3

    async def test_is_the_same_in_another_process(self, pool: Pool) -> None:
        one, other = PostgresKeys(pool, MASTER), PostgresKeys(pool, MASTER)
        assert await one.digest(TENANT, b"words") == await other.digest(TENANT, b"words")

    async def test_outlives_every_erasure(self, keys: KeyStore, pool: Pool) -> None:
        """Even one that names its key: without it no command of the county could be taken."""
        before = await keys.digest(TENANT, b"words")
        await keys.destroy(TENANT, DIGESTS)
        assert await keys.standing(TENANT, DIGESTS) is Standing.DESTROYED
        another = keys if isinstance(keys, MemoryKeys) else PostgresKeys(pool, MASTER)
        assert await another.digest(TENANT, b"words") == before

    async def test_cannot_be_guessed_without_the_key(self, keys: KeyStore) -> None:
        assert await keys.digest(TENANT, b"words") != sha256(b"words").digest()
