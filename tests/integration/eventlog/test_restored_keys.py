"""What was erased stays so when an older keys' database comes back: the log says what to destroy again."""

from uuid import UUID, uuid4

import pytest

from eventlog import restored_keys
from eventlog.connections import Pool
from eventlog.erasure import EraseSubject, Reason, erasure
from eventlog.handler import Handler
from eventlog.keys import PostgresKeys, Standing
from eventlog.postgres_log import PostgresLog
from eventlog.restored_keys import DestroyAgain
from eventlog.wrapping import Wrapping
from tests.fakes.counting import asking
from tests.integration.eventlog.running import running, until

TENANT = "620723"
MASTER = Wrapping(bytes(32))


async def erased(log: PostgresLog, keys: PostgresKeys) -> UUID:
    """A subject with a key, erased as the route does it."""
    subject = uuid4()
    await keys.seal(TENANT, subject, "words", "路灯")
    await keys.destroy(TENANT, subject)
    await Handler(log).send(erasure, subject, EraseSubject(subject=subject, reason=Reason.ASKED), asking(opens=True))
    return subject


async def follow(keys_pool: Pool, pool: Pool) -> int:
    """Follow the log to its end; return in how many steps."""
    steps = 1
    async with keys_pool.acquire() as connection:
        while await DestroyAgain(keys_pool, pool, "erased").step(connection):
            steps += 1
    return steps


async def restored(keys_pool: Pool, *subjects: UUID, mark: int | None) -> None:
    """Bring the keys' database back as it was when the subjects had keys and the log was followed up to ``mark``."""
    await keys_pool.execute("delete from keys.keys where key_id = any($1)", subjects)
    for subject in subjects:
        await PostgresKeys(keys_pool, MASTER).seal(TENANT, subject, "words", "路灯")
    await keys_pool.execute("update keys.relays set sent = $1::bigint where $1::bigint is not null", mark)
    await keys_pool.execute("delete from keys.relays where $1::bigint is null", mark)


async def test_what_a_backup_brings_back_is_destroyed_again(pool: Pool, log: PostgresLog, keys_pool: Pool) -> None:
    keys = PostgresKeys(keys_pool, MASTER)
    before = await erased(log, keys)
    await follow(keys_pool, pool)
    mark: int = await keys_pool.fetchval("select sent from keys.relays")
    since = await erased(log, keys)
    alive = uuid4()
    await keys.seal(TENANT, alive, "words", "路灯")
    await follow(keys_pool, pool)
    await restored(keys_pool, since, mark=mark)
    assert await keys.standing(TENANT, since) is Standing.THERE
    await follow(keys_pool, pool)
    standings = [await keys.standing(TENANT, subject) for subject in (before, since, alive)]
    assert standings == [Standing.DESTROYED, Standing.DESTROYED, Standing.THERE]


async def test_a_database_of_before_everything_is_followed_from_the_beginning(
    pool: Pool, log: PostgresLog, keys_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored_keys, "STRETCH", 2)
    keys = PostgresKeys(keys_pool, MASTER)
    subjects = [await erased(log, keys) for _ in range(5)]
    await follow(keys_pool, pool)
    await restored(keys_pool, *subjects, mark=None)
    assert await follow(keys_pool, pool) >= 3
    assert {await keys.standing(TENANT, subject) for subject in subjects} == {Standing.DESTROYED}


async def test_a_log_that_is_shorter_than_it_was_is_followed_from_the_beginning(
    pool: Pool, log: PostgresLog, keys_pool: Pool
) -> None:
    """It was restored, too, and has been written since."""
    keys = PostgresKeys(keys_pool, MASTER)
    subject = await erased(log, keys)
    await restored(keys_pool, subject, mark=None)
    await follow(keys_pool, pool)
    await restored(keys_pool, subject, mark=1_000)
    await follow(keys_pool, pool)
    assert await keys.standing(TENANT, subject) is Standing.DESTROYED


async def test_is_done_while_a_service_runs(
    pool: Pool, log: PostgresLog, keys_pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored_keys, "LOOK", 0.05)
    keys = PostgresKeys(keys_pool, MASTER)
    subject = await erased(log, keys)

    async def gone() -> bool:
        return await keys.standing(TENANT, subject) is Standing.DESTROYED

    async with running(DestroyAgain(keys_pool, pool, "erased").run()):
        await until(lambda: keys_pool.fetchval("select sent > 0 from keys.relays"))
        await restored(keys_pool, subject, mark=0)
        await until(gone)
