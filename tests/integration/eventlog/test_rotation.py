"""The master is changed while several processes go on sealing, opening and destroying, and none of them fails."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from eventlog.connections import Pool
from eventlog.errors import Unavailable
from eventlog.keys import PostgresKeys, Standing
from eventlog.rotation import BATCH, introduce, retire, wrap_again, wrapped_by
from eventlog.sealed import Clear, Erased, Sealed
from eventlog.wrapping import SecretFile, Wrapping
from tests.integration.eventlog.test_wrapping import keep

TENANT = "620724"
OLD, NEW = Wrapping(bytes(32)), Wrapping(bytes([1]) * 32)


class Process:
    """A service's process: its own copy of the file, and nothing that it only remembers."""

    def __init__(self, pool: Pool, file: Path) -> None:
        self.file = keep(file, OLD)
        ever_later = count(step=1000)
        self.keys = PostgresKeys(pool, SecretFile(self.file), lambda: next(ever_later))

    def told(self, *secrets: Wrapping) -> None:
        keep(self.file, *secrets)


@pytest.fixture
def processes(keys_pool: Pool, tmp_path: Path) -> Sequence[Process]:
    return [Process(keys_pool, tmp_path / str(n)) for n in range(3)]


@dataclass
class Load:
    """Everything a service does with keys, all the time, in every process; what fails ends the test."""

    processes: Sequence[Process]
    sealed: list[tuple[Sealed[str], str]] = field(default_factory=list[tuple[Sealed[str], str]])
    destroyed: set[UUID] = field(default_factory=set[UUID])
    done: int = 0

    async def run(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - no secret
        while True:
            await self._one(chance, chance.choice(self.processes).keys)
            self.done += 1

    async def _one(self, chance: random.Random, keys: PostgresKeys) -> None:
        what = chance.random()
        if what < 0.3 or not self.sealed:
            self.sealed.append((await keys.seal(TENANT, uuid4(), "words", text := str(uuid4())), text))
        elif what < 0.4:
            self.sealed.append((await keys.seal_public(TENANT, text := str(uuid4())), text))
        elif what < 0.5:
            sealed, _ = chance.choice(self.sealed)
            if sealed.kind == "words" and sealed.key_id not in self.destroyed:
                self.sealed.append((await keys.seal(TENANT, sealed.key_id, "words", text := str(uuid4())), text))
        elif what < 0.6 and len(self.sealed) > 50:
            sealed = self.sealed.pop(chance.randrange(len(self.sealed)))[0]
            self.destroyed.add(sealed.key_id)
            self.sealed = [one for one in self.sealed if one[0].key_id != sealed.key_id]
            await keys.destroy(TENANT, sealed.key_id)
        else:
            await self.opens(chance.choice(self.sealed), keys)

    async def opens(self, one: tuple[Sealed[str], str], keys: PostgresKeys) -> None:
        """What one process sealed another opens; what was destroyed while we asked may still be open."""
        opened = await keys.open(TENANT, one[0])
        assert opened == Clear(one[1]) or (opened == Erased() and one[0].key_id in self.destroyed), opened

    async def goes_on(self, tasks: Sequence["asyncio.Task[None]"]) -> None:
        """Return after two hundred more of everything. Raises what went wrong."""
        until = self.done + 200
        async with asyncio.timeout(60):
            while self.done < until:
                await asyncio.sleep(0.01)
                for task in tasks:
                    if task.done():
                        task.result()


async def under_load(load: Load, *steps: Callable[[], object]) -> None:
    """Take steps one after another while everything goes on, before, between and after them."""
    tasks = [asyncio.create_task(load.run(seed)) for seed in range(6)]
    try:
        for step in steps:
            await load.goes_on(tasks)
            taken = step()
            if asyncio.iscoroutine(taken):
                await taken
        await load.goes_on(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_nothing_fails_while_the_master_is_changed(keys_pool: Pool, processes: Sequence[Process]) -> None:
    load = Load(processes)
    learn = [lambda p=process: p.told(OLD, NEW) for process in processes]
    switch = [lambda p=process: p.told(NEW, OLD) for process in processes]
    forget = [lambda p=process: p.told(NEW) for process in processes]

    async def again() -> None:
        assert await wrap_again(keys_pool, SecretFile(processes[0].file), NEW) > 0

    async def end() -> None:
        assert await retire(keys_pool, OLD.name)

    await under_load(load, *learn, lambda: introduce(keys_pool, [OLD, NEW]), *switch, again, end, *forget)
    assert list(await wrapped_by(keys_pool)) == [NEW.name]
    alone = PostgresKeys(keys_pool, NEW)
    opened = await alone.open_many(TENANT, [sealed for sealed, _ in load.sealed])
    assert opened == [Clear(text) for _, text in load.sealed]
    assert {await alone.standing(TENANT, key_id) for key_id in load.destroyed} == {Standing.DESTROYED}


async def test_wraps_more_than_one_batch_and_none_twice(keys_pool: Pool, tmp_path: Path) -> None:
    keys = PostgresKeys(keys_pool, OLD)
    for _ in range(BATCH + 3):
        await keys.seal_public(TENANT, "路灯")
    await introduce(keys_pool, [OLD, NEW])
    both = SecretFile(keep(tmp_path / "master", NEW, OLD))
    assert await wrap_again(keys_pool, both, NEW) == BATCH + 3
    assert await wrap_again(keys_pool, both, NEW) == 0
    assert await wrapped_by(keys_pool) == {OLD.name: 0, NEW.name: BATCH + 3}


async def test_does_not_bring_a_key_back_that_is_destroyed_while_it_is_wrapped(keys_pool: Pool) -> None:
    keys = PostgresKeys(keys_pool, OLD)
    sealed = [await keys.seal(TENANT, uuid4(), "words", "路灯") for _ in range(20)]
    destroying: list[asyncio.Task[None]] = []

    class Meanwhile:
        """Opens keys, and has each destroyed at that very moment."""

        def wrap(self, tenant: str, key_id: UUID, key: bytes) -> bytes:
            raise AssertionError

        def unwrap(self, tenant: str, key_id: UUID, wrapped: bytes) -> bytes:
            destroying.append(asyncio.create_task(keys.destroy(tenant, key_id)))
            return OLD.unwrap(tenant, key_id, wrapped)

    await introduce(keys_pool, [OLD, NEW])
    await wrap_again(keys_pool, Meanwhile(), NEW)
    await asyncio.gather(*destroying)
    assert await PostgresKeys(keys_pool, NEW).open_many(TENANT, sealed) == [Erased()] * 20


async def test_waits_for_nobody_who_holds_a_key_and_takes_it_afterwards(keys_pool: Pool, tmp_path: Path) -> None:
    keys = PostgresKeys(keys_pool, OLD)
    held, free = [await keys.seal(TENANT, uuid4(), "words", "路灯") for _ in range(2)]
    await introduce(keys_pool, [OLD, NEW])
    both = SecretFile(keep(tmp_path / "master", NEW, OLD))
    async with keys_pool.acquire() as other, asyncio.TaskGroup() as group, other.transaction():
        await other.execute("select from keys.keys where key_id = $1 for update", held.key_id)
        again = group.create_task(wrap_again(keys_pool, both, NEW))
        async with asyncio.timeout(10):
            while (await wrapped_by(keys_pool))[NEW.name] == 0:  # noqa: ASYNC110 - it is in a database
                await asyncio.sleep(0.01)
        assert not again.done()
    assert await again == 2
    assert await PostgresKeys(keys_pool, NEW).open_many(TENANT, [held, free]) == [Clear("路灯")] * 2


class TestASecretOfYesterday:
    async def test_is_not_retired_while_it_wraps_a_key(self, keys_pool: Pool) -> None:
        await PostgresKeys(keys_pool, OLD).seal(TENANT, uuid4(), "words", "路灯")
        assert not await retire(keys_pool, OLD.name)
        assert await wrapped_by(keys_pool) == {OLD.name: 1}

    async def test_wraps_nothing_once_it_is_retired_until_the_process_is_told(
        self, keys_pool: Pool, processes: Sequence[Process]
    ) -> None:
        asleep = processes[0]
        before = await asleep.keys.seal(TENANT, uuid4(), "words", "路灯")
        await introduce(keys_pool, [OLD, NEW])
        await wrap_again(keys_pool, OLD, NEW)
        assert await retire(keys_pool, OLD.name)
        with pytest.raises(Unavailable, match="not known to the keys' database"):
            await asleep.keys.seal(TENANT, uuid4(), "words", "新的")
        with pytest.raises(Unavailable, match="which is not here"):
            await asleep.keys.open(TENANT, before)
        asleep.told(NEW)
        assert await asleep.keys.open(TENANT, before) == Clear("路灯")
        assert await asleep.keys.open(TENANT, await asleep.keys.seal(TENANT, uuid4(), "words", "新的")) == Clear("新的")

    async def test_still_opens_until_its_keys_are_wrapped_again(
        self, keys_pool: Pool, processes: Sequence[Process]
    ) -> None:
        first, second = processes[:2]
        before = await first.keys.seal(TENANT, uuid4(), "words", "路灯")
        await introduce(keys_pool, [OLD, NEW])
        second.told(NEW, OLD)
        assert await first.keys.open(TENANT, before) == Clear("路灯")
        assert await second.keys.open(TENANT, before) == Clear("路灯")


class TestAnEmptyDatabase:
    async def test_takes_the_first_secret_that_wraps_there_and_no_other(self, keys_pool: Pool) -> None:
        results = await asyncio.gather(
            *(PostgresKeys(keys_pool, secret).seal(TENANT, uuid4(), "words", "路灯") for secret in [OLD, NEW] * 5),
            return_exceptions=True,
        )
        refused = [isinstance(result, Unavailable) for result in results]
        assert refused in ([False, True] * 5, [True, False] * 5)
        assert len(await wrapped_by(keys_pool)) == 1
