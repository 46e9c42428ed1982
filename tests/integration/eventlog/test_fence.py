"""Readers never skip a late commit: at random under load, at every pause of a writer, and not with a broken fence."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest

from eventlog import postgres_log
from eventlog.facts import Stored
from eventlog.migrations import LOG_GRANTS, migrate
from eventlog.postgres_log import read_after
from tests.conftest import APPLICATION
from tests.integration.eventlog.running import until

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SQL = postgres_log.SCHEMA.read_text(encoding="utf-8")
FENCE = "        perform eventlog.take_fence();\n"
DRAWN = "        delete from eventlog.timers t\n"  # the statement after the one that draws the positions
PAUSE = (
    "        if current_setting('test.pause', true) = 'yes' then perform pg_advisory_xact_lock_shared(777); end if;\n"
)
APPEND = """
    select version from eventlog.append(array[row(
        '620723', $1, -2, true, 'office', null, 'writer', now(), gen_random_uuid(), ''::bytea, gen_random_uuid(), null,
        '{}'::jsonb,
        array(select row(gen_random_uuid(), 'written', 1, '{}'::jsonb)::eventlog.new_fact from generate_series(1, $2)),
        array[]::eventlog.new_timer[], array[]::eventlog.seen_stream[]
    )::eventlog.new_append])"""


class Follower:
    """Follows the log page by page, as a relay does."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._position = 0
        self.seen: list[Stored] = []

    async def look(self) -> None:
        while True:
            facts, reached = await read_after(self._connection, self._position, 50)
            self.seen.extend(facts)
            if reached == self._position:
                return
            self._position = reached


async def faults(connection: Connection, seen: Sequence[Stored]) -> tuple[int, int, int]:
    """What a follower got wrong: facts it missed, facts it saw twice, and pairs of a stream in the wrong order."""
    kept = {row["fact_id"] for row in await connection.fetch("select fact_id from eventlog.facts")}
    had = [fact.fact_id for fact in seen]
    last: dict[str, int] = {}
    inverted = 0
    for fact in seen:
        inverted += fact.version <= last.get(fact.stream.key, 0)
        last[fact.stream.key] = fact.version
    return len(kept - set(had)), len(had) - len(set(had)), inverted


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def test_under_load_nothing_is_missed_doubled_or_reordered(database: str) -> None:
    writers, seconds, chance = 16, 4.0, random.Random(3)  # noqa: S311  # a seed makes the run repeatable
    async with connected(database) as reader:
        await reader.execute("create table elsewhere (n int)")
        follower, done = Follower(reader), asyncio.Event()

        async def follow() -> None:
            while not done.is_set():
                await follower.look()

        following = asyncio.create_task(follow())
        seeds = [chance.random() for _ in range(writers)]
        written = sum(await asyncio.gather(*(write(database, seed, seconds) for seed in seeds)))
        done.set()
        await following
        await follower.look()
        assert written > 200
        assert len(follower.seen) == written
        assert await faults(reader, follower.seen) == (0, 0, 0)


async def write(dsn: str, seed: float, seconds: float) -> int:
    """Append for some seconds, now and then after other writes, with pauses, or in vain; return how many were kept."""
    chance, kept = random.Random(seed), 0  # noqa: S311  # as above
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    async with connected(dsn) as connection:
        while loop.time() < end:
            transaction = connection.transaction()
            await transaction.start()
            if chance.random() < 0.3:
                await connection.execute("insert into elsewhere values (1)")
            facts = chance.randint(1, 3)
            await connection.execute(APPEND, f"written/{chance.randrange(40)}", facts)
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() * 0.02)
            if chance.random() < 0.1:
                await transaction.rollback()
            else:
                await transaction.commit()
                kept += facts
    return kept


async def look_around_a_late_commit(dsn: str) -> tuple[int, int, int]:
    """Pause a writer where the schema says, let another overtake it, read, let the first commit, and read again."""
    async with connected(dsn) as reader, connected(dsn) as late, connected(dsn) as gate, connected(dsn) as quick:
        follower = Follower(reader)
        await gate.execute("select pg_advisory_lock(777)")
        await late.execute("set test.pause = 'yes'")
        appending = asyncio.create_task(late.execute(APPEND, "written/late", 2))
        paused = "select exists (select from pg_locks where objid = 777 and not granted)"
        await until(lambda: gate.fetchval(paused))
        await quick.execute(APPEND, "written/quick", 2)
        await follower.look()
        await gate.execute("select pg_advisory_unlock(777)")
        await appending
        await follower.look()
        return await faults(reader, follower.seen)


async def install(dsn: str, sql: str, directory: Path) -> None:
    file = directory / "postgres_log.sql"
    file.write_text(sql, encoding="utf-8")
    await migrate(dsn, APPLICATION, LOG_GRANTS, file)


PAUSED = {
    "before the fence": SQL.replace(FENCE, PAUSE + FENCE),
    "between fence and positions": SQL.replace(FENCE, FENCE + PAUSE),
    "after the positions": SQL.replace(DRAWN, PAUSE + DRAWN),
}
FENCE_AFTER_POSITIONS = SQL.replace(FENCE, "").replace(DRAWN, PAUSE + FENCE + DRAWN)


@pytest.mark.parametrize("sql", PAUSED.values(), ids=PAUSED.keys())
@pytest.mark.usefixtures("template")
async def test_a_writer_may_be_late_anywhere(empty_database: str, sql: str, tmp_path: Path) -> None:
    assert sql.count(PAUSE) == 1
    await install(empty_database, sql, tmp_path)
    assert await look_around_a_late_commit(empty_database) == (0, 0, 0)


@pytest.mark.usefixtures("template")
async def test_a_fence_taken_after_the_positions_is_caught(empty_database: str, tmp_path: Path) -> None:
    assert FENCE_AFTER_POSITIONS.count(PAUSE + FENCE) == 1
    assert FENCE_AFTER_POSITIONS.count(FENCE) == 1
    await install(empty_database, FENCE_AFTER_POSITIONS, tmp_path)
    assert await look_around_a_late_commit(empty_database) == (2, 0, 0)


@pytest.mark.usefixtures("template")
async def test_positions_drawn_in_advance_are_caught(empty_database: str, tmp_path: Path) -> None:
    await install(empty_database, SQL.replace("as bigint cache 1;", "as bigint cache 10;"), tmp_path)
    async with connected(empty_database) as reader, connected(empty_database) as one, connected(empty_database) as two:
        follower = Follower(reader)
        await one.execute(APPEND, "written/1", 1)
        await two.execute(APPEND, "written/2", 1)
        await follower.look()
        await one.execute(APPEND, "written/1", 1)
        await follower.look()
        assert await faults(reader, follower.seen) == (1, 0, 0)


async def test_an_idle_writer_elsewhere_delays_nobody(database: str) -> None:
    async with connected(database) as reader, connected(database) as idle, connected(database) as writer:
        await reader.execute("create table elsewhere (n int)")
        async with idle.transaction():
            await idle.execute("insert into elsewhere values (1)")
            await writer.execute(APPEND, "written/1", 1)
            follower = Follower(reader)
            await follower.look()
            assert len(follower.seen) == 1


async def test_a_rolled_back_append_is_only_a_hole(database: str) -> None:
    async with connected(database) as reader, connected(database) as writer:
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute(APPEND, "written/1", 3)
        await transaction.rollback()
        await writer.execute(APPEND, "written/1", 1)
        follower = Follower(reader)
        await follower.look()
        assert [(fact.position, fact.version) for fact in follower.seen] == [(4, 1)]
