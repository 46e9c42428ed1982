"""Key stores keep one promise, in memory and in a database; the secrets lie outside."""

import asyncio
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from eventlog.connections import Pool
from eventlog.errors import CorruptHistory, Rejected, Unavailable
from eventlog.keys import DIGESTS, KeyStore, PostgresKeys, Standing
from eventlog.memory_keys import MemoryKeys
from eventlog.migrations import KEY_GRANTS
from eventlog.rotation import introduce
from eventlog.sealed import Clear, Erased, Opened, Pending, Unreadable
from eventlog.wrapped_keys import HELD_FOR
from eventlog.wrapping import SecretFile, Wrapping
from tests.integration.eventlog.sharing import (
    KEY,
    MASTER,
    OTHER_TENANT,
    SHARING,
    TENANT,
    WORDS,
    Clock,
    FakeKafka,
    sharing,
    spoil,
    until,
)


@pytest.fixture
def pool(keys_pool: Pool) -> Pool:
    """A database without keys; in it, sender and receiver have tables of their own."""
    return keys_pool


@pytest.fixture(params=["memory", "postgres"])
def keys(request: pytest.FixtureRequest, pool: Pool) -> KeyStore:
    return MemoryKeys() if request.param == "memory" else PostgresKeys(pool, MASTER)


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
