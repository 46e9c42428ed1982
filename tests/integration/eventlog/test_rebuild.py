"""A read model is made anew beside the live one and exchanged for it: under load, through kills, there and back."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from eventlog import history, making, parked, rebuild
from eventlog.columns import Columns
from eventlog.comparing import Comparison
from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.copies import Told
from eventlog.effect import Key
from eventlog.facts import Fact, NewFact, Recorded, Stored
from eventlog.folding import Folding
from eventlog.history import LogHistory
from eventlog.making import Feed
from eventlog.postgres_log import PostgresLog
from eventlog.rebuild import Rebuild
from eventlog.sources import OwnLog
from eventlog.versions import CannotRebuild, State, Versions
from tests.fakes.counting import an_append
from tests.fakes.jars import TABLE, Jar, JarEmptied, JarFilled, JarsShaken, broken, jars
from tests.integration.eventlog.running import running, until

MODEL = jars("jars")
FEED = Feed("jars", "log", LogHistory())
JARS = "abcde"


@pytest.fixture(autouse=True)
async def table(database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute(f"{TABLE.format(table='jars')}; create index on jars ((holds -> 0)) where jar <> ''")
    await owner.execute("grant select, insert, update, delete on jars to shangyi_test")
    await owner.close()
    broken.clear()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pieces, no waiting."""
    monkeypatch.setattr(history, "PIECE", 7)
    monkeypatch.setattr(rebuild, "PAUSE", 0.05)
    monkeypatch.setattr(rebuild, "LOCK_PATIENCE", 100)


@pytest.fixture
async def owner(database: str) -> AsyncGenerator["Connection[asyncpg.Record]"]:
    """A connection of the tables' owner, as operators have it."""
    async with asyncpg.create_pool(database, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        yield connection


@dataclass
class Load:
    """Fills, shakes and empties jars, one fact after the other, for as long as it is asked to."""

    log: PostgresLog
    told: list[Stored] = field(default_factory=list[Stored])
    n: int = 0

    async def some(self, facts: int) -> None:
        for _ in range(facts):
            self.n += 1
            jar, other = JARS[self.n % 5], JARS[self.n * 3 % 5]
            match self.n % 11:
                case 3:
                    fact: JarFilled | JarsShaken | JarEmptied = JarsShaken(jars=(jar, other))
                case 7:
                    fact = JarEmptied(jar=jar)
                case _:
                    fact = JarFilled(jar=jar, with_what=self.n)
            new = NewFact.of(UUID(int=self.n), fact)
            await self.log.append(replace(an_append(str(self.n % 4)), facts=[new]))

    def reached(self, n: int) -> bool:
        return self.n >= n

    async def for_ever(self) -> None:
        while True:
            await self.some(1)
            await asyncio.sleep(0)


@pytest.fixture
def load(log: PostgresLog) -> Load:
    return Load(log)


@asynccontextmanager
async def consuming(pool: Pool, log: PostgresLog) -> AsyncGenerator[None]:
    async with running(Consumer("jars", OwnLog(log), pool, [MODEL]).run()):
        yield


async def caught_up(pool: Pool) -> bool:
    return await pool.fetchval("select position = eventlog.horizon() from eventlog.cursors") is True


async def rows(pool: Pool, table: str = "jars") -> Mapping[Key, Jar]:
    found = await pool.fetch(f"select tenant, jar, to_jsonb(t)::text as row from {table} t")  # noqa: S608
    return {(r["tenant"], r["jar"]): Jar.model_validate_json(r["row"], extra="ignore") for r in found}


async def of_one_fold(log: PostgresLog, until: int | None = None) -> Mapping[Key, Jar]:
    facts, _ = await log.after(0, 100_000)
    told = [fact for fact in facts if until is None or fact.position <= until]
    return {key: row for key, row in MODEL.fold({}, MODEL.touched(told)).items() if row is not None}


async def states(owner: "Connection[asyncpg.Record]") -> Sequence[tuple[int, State]]:
    return [(version.version, version.state) for version in await Versions(owner, "jars").all()]


async def tables(owner: "Connection[asyncpg.Record]") -> Sequence[str]:
    found = await owner.fetch("select relname from pg_class where relname ~ '^jars(__v[0-9]+)?$' order by 1")
    return [row["relname"] for row in found]


class TestRebuild:
    async def test_under_load_ends_with_the_rows_of_one_fold(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        phases: list[str] = []

        def told(phase: str, done: int, of: int) -> None:
            assert 0 <= done <= of
            phases.append(phase)

        await load.some(300)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            async with running(load.for_ever()):
                comparison = await Rebuild(owner, MODEL, FEED, told).run()
                exchanged = load.n
                await until(lambda: load.n > exchanged + 50)
            await until(lambda: caught_up(pool))
        assert comparison.differing == 0
        assert list(dict.fromkeys(phases)) == ["history", "indexing", "following", "comparing", "exchanging"]
        assert await states(owner) == [(1, State.KEPT), (2, State.LIVE)]
        assert await tables(owner) == ["jars", "jars__v1"]
        assert await rows(pool) == await of_one_fold(log)
        kept, _ = await Versions(owner, "jars").all()
        assert 300 <= kept.position < load.n
        assert await rows(pool, "jars__v1") == await of_one_fold(log, kept.position)

    async def test_mends_rows_and_says_how_many_differed(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await load.some(40)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await owner.execute("update jars set holds = '[1]' where jar = 'b'; delete from jars where jar = 'd'")
            assert await Rebuild(owner, MODEL, FEED).run() == Comparison(rows=4, differing=2, first="b")
            assert await rows(pool) == await of_one_fold(log)

    @pytest.mark.parametrize("rows_at_once", [making.ROWS, 2])
    async def test_what_goes_wrong_on_its_way_into_the_table_does_not_live(
        self,
        pool: Pool,
        log: PostgresLog,
        load: Load,
        owner: "Connection[asyncpg.Record]",
        monkeypatch: pytest.MonkeyPatch,
        rows_at_once: int,
    ) -> None:
        def one_wrong(_: object, kept: Iterable[tuple[str, Jar]]) -> Iterable[tuple[str, str, str]]:
            return [(tenant, jar.jar, "[]" if jar.jar == "b" else f"{list(jar.holds)}") for tenant, jar in kept]

        monkeypatch.setattr(making, "ROWS", rows_at_once)
        await load.some(40)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            rebuilding = Rebuild(owner, MODEL, FEED)
            with monkeypatch.context() as faulty:
                faulty.setattr(Columns, "records", one_wrong)
                with pytest.raises(CannotRebuild, match="jars__v2 b of 620723 is not what its facts say"):
                    await rebuilding.run()
            with pytest.raises(CannotRebuild, match="jars__v2 b of 620723 is not what its facts say"):
                await rebuilding.run()
            assert await states(owner) == [(1, State.LIVE), (2, State.FOLLOWING)]

    async def test_what_another_fold_does_not_give_again_does_not_live(
        self,
        pool: Pool,
        log: PostgresLog,
        load: Load,
        owner: "Connection[asyncpg.Record]",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await load.some(40)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
        evolve, times = MODEL.evolve, 0

        def moody(row: Jar | None, fact: Recorded[Fact]) -> Jar | None:
            nonlocal times
            times += 1
            after = evolve(row, fact)
            return after and after.model_copy(update={"holds": (*after.holds, times)})

        monkeypatch.setattr(MODEL, "evolve", moody)
        with pytest.raises(CannotRebuild, match="is not what its facts say"):
            await Rebuild(owner, MODEL, FEED).run()
        assert await states(owner) == [(1, State.LIVE), (2, State.FOLLOWING)]

    async def test_reads_history_in_passes_where_memory_would_not_hold_it(
        self,
        pool: Pool,
        log: PostgresLog,
        load: Load,
        owner: "Connection[asyncpg.Record]",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(making, "ROWS", 1)
        held: list[int] = []

        class Watched(Folding[Jar]):
            def take_in(self, fact: Stored) -> None:
                super().take_in(fact)
                held.append(len(self.rows))

        monkeypatch.setattr(making, "Folding", Watched)
        await load.some(60)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await Rebuild(owner, MODEL, FEED).run()
            assert await rows(pool) == await of_one_fold(log)
        assert await owner.fetchval("select passes from eventlog.read_models where version = 2") >= 3
        assert max(held) <= 5

    async def test_makes_a_table_like_the_live_one(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await owner.execute(
            """alter table jars add check (jar <> 'z'), enable row level security;
               create policy of_all on jars as permissive for select to shangyi_test using (true);
               create policy written on jars for all using (tenant <> '') with check (tenant <> 'x')"""
        )
        before = await made(owner, "jars")
        await load.some(10)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await Rebuild(owner, MODEL, FEED).run()
        assert await made(owner, "jars") == before
        assert await made(owner, "jars__v1") == before

    async def test_leaves_what_is_hung_upon(self, owner: "Connection[asyncpg.Record]") -> None:
        await owner.execute("create view full_jars as select * from jars where holds <> '[]'")
        with pytest.raises(CannotRebuild, match="on jars hangs rule _RETURN on view full_jars"):
            await Rebuild(owner, MODEL, FEED).run()

    async def test_is_one_at_a_time(self, owner: "Connection[asyncpg.Record]", database: str) -> None:
        refused: list[str] = []

        async def another() -> None:
            async with asyncpg.create_pool(database, min_size=1, max_size=1) as pool, pool.acquire() as connection:
                with pytest.raises(CannotRebuild) as refusal:
                    await Rebuild(connection, MODEL, FEED).run()
                refused.append(str(refusal.value))

        tasks: list[asyncio.Task[None]] = []

        def told(phase: str, done: int, of: int) -> None:
            del done, of
            if phase == "indexing":
                tasks.append(asyncio.create_task(another()))

        await Rebuild(owner, MODEL, FEED, told).run()
        await asyncio.gather(*tasks)
        assert refused == ["jars is being rebuilt already"]
        assert await Rebuild(owner, MODEL, FEED).forget() == 1

    async def test_waits_for_readers_without_making_others_wait(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        """Who reads for long holds the exchange off; who comes behind waits for its patience, not for the reader."""
        tries = 0

        def told(phase: str, done: int, of: int) -> None:
            nonlocal tries
            del of
            tries += phase == "exchanging" and not done

        await load.some(10)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            async with pool.acquire() as reader, reader.transaction():
                await reader.fetch("select * from jars")
                rebuilding = asyncio.create_task(Rebuild(owner, MODEL, FEED, told).run())
                await until(lambda: tries >= 2)
                for _ in range(5):
                    async with asyncio.timeout(5):
                        await rows(pool)
                    await load.some(1)
                    await until(partial(caught_up, pool))
                assert not rebuilding.done()
            await rebuilding
            await load.some(5)
            await until(lambda: caught_up(pool))
        assert await rows(pool) == await of_one_fold(log)


class TestBack:
    async def test_is_the_version_before_brought_up_to_date(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await load.some(30)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await owner.execute("insert into jars values ('620723', 'old', '[7]')")
            await Rebuild(owner, MODEL, FEED).run()
            async with running(load.for_ever()):
                for version in (1, 2, 1):
                    so_far = load.n
                    await until(partial(load.reached, so_far + 30))
                    assert (await Rebuild(owner, MODEL, FEED).back()).version == version
            await load.some(20)
            await until(lambda: caught_up(pool))
        assert await states(owner) == [(1, State.LIVE), (2, State.KEPT)]
        assert await rows(pool) == {**await of_one_fold(log), ("620723", "old"): Jar(jar="old", holds=(7,))}

    async def test_needs_a_version_that_is_kept(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await load.some(5)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await Rebuild(owner, MODEL, FEED).run()
        assert await Rebuild(owner, MODEL, FEED).forget() == 1
        assert await tables(owner) == ["jars"]
        assert await states(owner) == [(2, State.LIVE)]
        with pytest.raises(CannotRebuild, match="no earlier version of jars is kept"):
            await Rebuild(owner, MODEL, FEED).back()

    async def test_is_not_to_a_table_of_another_shape(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await load.some(5)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await Rebuild(owner, MODEL, FEED).run()
            await owner.execute("alter table jars add column lid text")
            with pytest.raises(CannotRebuild, match="jars__v1 no longer has the columns of jars"):
                await Rebuild(owner, MODEL, FEED).back()
        assert await states(owner) == [(1, State.KEPT), (2, State.LIVE)]


class TestParked:
    async def test_what_can_be_folded_now_is_parked_no_longer(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        broken.update({UUID(int=4), UUID(int=9)})
        await load.some(40)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            assert await parked.count(pool) > 2
            before = await parked.first_of_effect(pool, "jars")
            broken.clear()
            comparison = await Rebuild(owner, MODEL, FEED).run()
            assert comparison.differing > 0
            await load.some(10)
            await until(lambda: caught_up(pool))
        assert await parked.first_of_effect(pool, "jars") == {}
        assert await rows(pool) == await of_one_fold(log)
        assert await parked.first_of_effect(pool, "jars__v1") == before

    @pytest.mark.parametrize("at_once", [1, 1_000])
    async def test_what_fails_in_both_versions_stays_parked(
        self,
        pool: Pool,
        log: PostgresLog,
        load: Load,
        owner: "Connection[asyncpg.Record]",
        monkeypatch: pytest.MonkeyPatch,
        at_once: int,
    ) -> None:
        monkeypatch.setattr(making, "ROWS", at_once)
        broken.update({UUID(int=9), UUID(int=12)})
        await load.some(40)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            await owner.execute("update jars set holds = '[1]'")
            async with running(load.for_ever()):
                await Rebuild(owner, MODEL, FEED).run()
                so_far = load.n
                await until(lambda: load.n > so_far + 30)
            await until(lambda: caught_up(pool))
            first = await parked.first_of_effect(pool, "jars")
            assert sorted(first.values()) == [9, 12]
            broken.clear()
            await parked.ask_again(pool)
            await until(lambda: nothing_is_parked(pool))
            assert await rows(pool) == await of_one_fold(log)

    async def test_what_only_the_new_version_fails_on_ends_it(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await load.some(20)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            broken.add(UUID(int=9))
            with pytest.raises(CannotRebuild, match="jars fails on test-jar-filled at position 9: ZeroDivisionError"):
                await Rebuild(owner, MODEL, FEED).run()
            broken.clear()
            await load.some(20)
            await until(lambda: caught_up(pool))
            assert await rows(pool) == await of_one_fold(log)
            await Rebuild(owner, MODEL, FEED).run()
            assert await rows(pool) == await of_one_fold(log)
        assert await states(owner) == [(1, State.KEPT), (2, State.LIVE)]

    async def test_what_is_begun_by_other_code_is_begun_anew(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]"
    ) -> None:
        await load.some(20)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            with pytest.raises(Killed):
                await Rebuild(owner, MODEL, FEED, killed_at("following")).run()
            assert await states(owner) == [(1, State.LIVE), (2, State.FOLLOWING)]
            await owner.execute("update jars__v2 set holds = '[1]'; update eventlog.read_models set made_by = 'others'")
            await Rebuild(owner, MODEL, FEED).run()
            assert await rows(pool) == await of_one_fold(log)


class TestKilled:
    @pytest.mark.parametrize("phase", ["history", "indexing", "following", "comparing", "exchanging"])
    async def test_in_any_phase_it_goes_on_from_there(
        self, pool: Pool, log: PostgresLog, load: Load, owner: "Connection[asyncpg.Record]", phase: str
    ) -> None:
        seen: list[str] = []

        def told(phase: str, done: int, of: int) -> None:
            del done, of
            seen.append(phase)

        await load.some(30)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            with pytest.raises(Killed):
                await Rebuild(owner, MODEL, FEED, killed_at(phase)).run()
            await load.some(10)
            await until(lambda: caught_up(pool))
            assert await rows(pool) == await of_one_fold(log)
            await Rebuild(owner, MODEL, FEED, told).run()
            assert await rows(pool) == await of_one_fold(log)
        assert await states(owner) == [(1, State.KEPT), (2, State.LIVE)]
        filled = phase in {"indexing", "following", "comparing", "exchanging"}
        assert ("history" in seen) is not filled

    @pytest.mark.parametrize("way", ["there", "back"])
    async def test_before_any_statement_nothing_live_is_harmed(
        self,
        pool: Pool,
        log: PostgresLog,
        load: Load,
        owner: "Connection[asyncpg.Record]",
        database: str,
        monkeypatch: pytest.MonkeyPatch,
        way: str,
    ) -> None:
        """Its connection breaks before the first, the second, … statement; then it is run again to its end."""
        monkeypatch.setattr(history, "PIECE", 1_000)
        broken.add(UUID(int=9))
        await load.some(30)
        async with consuming(pool, log):
            await until(lambda: caught_up(pool))
            if way == "back":
                await Rebuild(owner, MODEL, FEED).run()
            statement, survived = 0, False
            while not survived:
                statement += 1
                async with asyncpg.create_pool(database, min_size=1, max_size=1) as one, one.acquire() as connection:
                    dying = Dying(connection, statement)
                    standing_in = cast("Connection[asyncpg.Record]", dying)  # it passes on whatever is asked of it
                    with suppress(asyncpg.InterfaceError, OSError):
                        await go(Rebuild(standing_in, MODEL, FEED), way)
                survived = dying.survived
                await load.some(3)
                await until(lambda: caught_up(pool))
                await says_what_was_taken_in(pool, log)
                if not survived:
                    await go(Rebuild(owner, MODEL, FEED), way)
                    await says_what_was_taken_in(pool, log)
                if way == "there":
                    await Rebuild(owner, MODEL, FEED).forget()
            assert statement > (25 if way == "there" else 10)
            broken.clear()
            await parked.ask_again(pool)
            await until(lambda: nothing_is_parked(pool))
        assert await rows(pool) == await of_one_fold(log)


class Killed(BaseException):
    """The process ends here."""


def killed_at(phase: str) -> Told:
    def told(at: str, done: int, of: int) -> None:
        del done, of
        if at == phase:
            raise Killed

    return told


async def go(rebuilding: Rebuild[Jar], way: str) -> None:
    await (rebuilding.run() if way == "there" else rebuilding.back())


class Dying:
    """A connection that breaks before its n-th statement."""

    def __init__(self, connection: "Connection[asyncpg.Record]", statements: int) -> None:
        self._connection = connection
        self._left = statements

    def __getattr__(self, name: str) -> Any:
        if name in {"execute", "fetch", "fetchrow", "fetchval", "copy_records_to_table"}:
            self._left -= 1
            if self._left == 0:
                self._connection.terminate()
        return getattr(self._connection, name)

    @property
    def survived(self) -> bool:
        return self._left > 0


async def says_what_was_taken_in(pool: Pool, log: PostgresLog) -> None:
    """The live rows are those of all facts but the parked ones."""
    facts, _ = await log.after(0, 100_000)
    first = await parked.first_of_effect(pool, "jars")
    told = [fact for fact in facts if not parked.waits(fact, first)]
    broken_before = frozenset(broken)
    broken.clear()
    folded = {key: row for key, row in MODEL.fold({}, MODEL.touched(told)).items() if row is not None}
    broken.update(broken_before)
    assert await rows(pool) == folded


async def nothing_is_parked(pool: Pool) -> bool:
    return await parked.first_of_effect(pool, "jars") == {}


async def made(owner: "Connection[asyncpg.Record]", table: str) -> Sequence[str]:
    """How a table is made, without its name."""
    found = await owner.fetch(
        """select 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull as is
           from pg_attribute where attrelid = $1::regclass and attnum > 0
           union all select pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass
           union all select regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING ', ' INDEX ')
           from pg_index where indrelid = $1::regclass
           union all select 'right ' || privilege_type || ' ' || grantee::regrole
           from pg_class cross join aclexplode(relacl) where oid = $1::regclass
           union all select 'guarded ' || relrowsecurity || ' ' || relforcerowsecurity
           from pg_class where oid = $1::regclass
           union all select to_jsonb(p)::text from (
               select policyname, permissive, roles, cmd, qual, with_check from pg_policies where tablename = $2) p
           order by 1""",
        table,
        table,
    )
    return [row["is"] for row in found]
