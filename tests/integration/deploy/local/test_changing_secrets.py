"""A change of a secret may be broken off anywhere: sealing and opening go on, and running it again finishes it."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.local import changing_secrets
from deploy.local.changing_secrets import Master, Secret, Sharing, StillInUse, keep, retire, rotate
from eventlog.connections import Pool
from eventlog.keys import SCHEMA, PostgresKeys
from eventlog.migrations import KEY_GRANTS, migrate
from eventlog.sealed import Clear
from eventlog.wrapping import SecretFile, Wrapping, secrets_of
from tests.conftest import APPLICATION, as_application

TENANT = "620724"


@pytest.fixture
async def pools(empty_database: str, template: str) -> AsyncGenerator[Sequence[Pool]]:
    """The keys of one service, as the service's own role sees them."""
    assert template  # makes the role
    await migrate(empty_database, APPLICATION, KEY_GRANTS, SCHEMA)
    async with asyncpg.create_pool(as_application(empty_database), min_size=1, max_size=4) as pool:
        yield [pool]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Wrapping.create(tmp_path / "secret.key")
    return tmp_path / "secret.key"


class BrokenOff(Exception):
    """The operator's machine went away."""


class Breaks(Master):
    """Is broken off before or after one of its steps."""

    def __init__(self, file: Path, where: str) -> None:
        super().__init__(file)
        self._where = where

    async def learn(self, pools: Sequence[Pool], secrets: Sequence[Wrapping]) -> None:
        self._here("before it is learnt")
        await super().learn(pools, secrets)
        self._here("before it wraps")

    async def move(self, pools: Sequence[Pool]) -> int:
        self._here("before the keys are moved")
        return await super().move(pools)

    def _here(self, where: str) -> None:
        if where == self._where:
            raise BrokenOff


@pytest.mark.parametrize("where", ["before it is learnt", "before it wraps", "before the keys are moved"])
async def test_a_change_that_is_broken_off_is_finished_by_the_next(
    pools: Sequence[Pool], file: Path, where: str
) -> None:
    """One more `rotate` moves everything to a new secret, and what is retired then is the old one."""
    [pool], [first] = pools, secrets_of(file)
    keys = PostgresKeys(pool, SecretFile(file))
    sealed = [await keys.seal_public(TENANT, "路灯")]
    with pytest.raises(BrokenOff):
        await rotate(Breaks(file, where), pools)
    sealed.append(await keys.seal_public(TENANT, "水渠"))
    assert await retire(Master(file), pools) == []
    assert await rotate(Master(file), pools) >= 1
    assert await retire(Master(file), pools) == [first.name]
    [last] = secrets_of(file)
    assert last.name != first.name
    assert await Master(file).uses(pools) == {last.name: 2}
    sealed.append(await keys.seal_public(TENANT, "院墙"))
    new = PostgresKeys(pool, SecretFile(file))
    assert await new.open_many(TENANT, sealed) == [Clear("路灯"), Clear("水渠"), Clear("院墙")]


async def test_an_old_secret_stays_while_it_wraps_a_key(pools: Sequence[Pool], file: Path) -> None:
    [pool], [old] = pools, secrets_of(file)
    await PostgresKeys(pool, old).seal(TENANT, uuid4(), "words", "路灯")
    keep(file, [Wrapping.new(), old])
    assert await retire(Master(file), pools) == []
    assert [secret.name for secret in secrets_of(file)][1:] == [old.name]


async def test_a_secret_that_a_database_no_longer_knows_is_learnt_again(pools: Sequence[Pool], file: Path) -> None:
    """It was restored from a backup of before the change."""
    [pool], [old] = pools, secrets_of(file)
    sealed = await PostgresKeys(pool, old).seal(TENANT, uuid4(), "words", "路灯")
    keep(file, [Wrapping.new(), old])
    assert await rotate(Master(file), pools) == 1
    assert await PostgresKeys(pool, Master(file).first).open(TENANT, sealed) == Clear("路灯")


async def test_a_change_begins_in_a_database_without_keys(pools: Sequence[Pool], file: Path) -> None:
    [pool] = pools
    keys = PostgresKeys(pool, SecretFile(file))
    assert await rotate(Master(file), pools) == 0
    assert await keys.open(TENANT, await keys.seal(TENANT, uuid4(), "words", "路灯")) == Clear("路灯")


async def test_the_old_sharing_secret_stays_until_every_key_has_come_again(
    pools: Sequence[Pool], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing_secrets, "PATIENCE", 0.3)
    [pool], [old] = pools, secrets_of(file)
    key_id = uuid4()
    arrived = """insert into keys.received (tenant, key_id, wrapped) values ($1, $2, $3)
                 on conflict (tenant, key_id) do update set wrapped = $3"""
    await pool.execute(arrived, TENANT, key_id, old.wrap(TENANT, key_id, bytes(32)))
    sharing: Secret = Sharing(file)
    with pytest.raises(StillInUse, match="1 shared keys"):
        await rotate(sharing, pools)
    assert await retire(sharing, pools) == []
    await pool.execute(arrived, TENANT, key_id, sharing.first.wrap(TENANT, key_id, bytes(32)))
    assert await rotate(sharing, pools) == 0
    assert await retire(sharing, pools) == [old.name]
