"""What falls due takes effect once, never early and not late: with many due at once, and whoever dies or races."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.settings import CHECKOUT
from eventlog import timers as engine
from eventlog.connections import Pool
from eventlog.decider import AnyDecider
from eventlog.errors import Rejected, VersionConflict
from eventlog.handler import Handler
from eventlog.postgres_log import PostgresLog
from eventlog.refusals import TimerRefusals
from eventlog.timers import LOOK, Timers
from tests.conftest import as_application
from tests.fakes.counting import LIFETIME, CloseCounter, OpenCounter, asking, counter
from tests.integration.eventlog.running import running, until
from tests.integration.eventlog.timer_process import raised_when_due

MANY = int(os.environ.get("SHANGYI_TEST_TIMERS", "10000"))
"""How many fall due at once; a hundred thousand take ten times as long and prove the same."""


async def open_counters(
    log: PostgresLog, keys: range, due_in: timedelta = LIFETIME, kind: AnyDecider = raised_when_due
) -> None:
    """Open counters that fall due together, ``due_in`` from now."""
    handler, occurred_at, doors = Handler(log), await log.now() + due_in - LIFETIME, asyncio.Semaphore(128)

    async def open_(key: int) -> None:
        async with doors:
            await handler.send(kind, key, OpenCounter(), asking(opens=True, occurred_at=occurred_at))

    await asyncio.gather(*map(open_, keys))


async def effects(pool: Pool) -> Mapping[str, int]:
    """How often the timer of each counter took effect."""
    rows = await pool.fetch("select stream, count(*) - 1 as n from eventlog.facts group by stream")
    return {row["stream"]: row["n"] for row in rows}


async def left(pool: Pool, within: timedelta = timedelta()) -> int:
    """How many timers are due, now or soon."""
    count: int = await pool.fetchval("select count(*) from eventlog.timers where due_at <= eventlog.now() + $1", within)
    return count


async def each_took_effect_once(pool: Pool, counters: int) -> None:
    assert await effects(pool) == {f"test-counter/{key}": 1 for key in range(counters)}
    early = await pool.fetchval(
        """select count(*) from eventlog.facts opened join eventlog.facts fired using (tenant, stream)
           where opened.version = 1 and fired.version > 1
             and (fired.actor <> 'timer' or fired.recorded_at < (opened.data->>'until')::timestamptz
                  or fired.occurred_at <> (opened.data->>'until')::timestamptz)"""
    )
    assert early == 0
    assert await pool.fetch("select stream, code from eventlog.refusals") == []


@asynccontextmanager
async def another_process(
    database: str, dies: str = "", env: Mapping[str, str] | None = None
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, datetime]]:
    """Fire timers in another process; give it, and what its wall clock said when it began."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.eventlog.timer_process",
        as_application(database),
        dies,
        env={**os.environ, **(env or {})},
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            said = await process.stdout.readline()
        yield process, datetime.fromisoformat(said.decode().strip())
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class TestManyDueAtOnce:
    async def test_all_take_effect_once_and_a_newcomer_does_not_wait_for_them(
        self, pool: Pool, log: PostgresLog
    ) -> None:
        await open_counters(log, range(MANY))
        await log.move_clock(await log.now() + LIFETIME)
        handler = Handler(log)
        async with running(Timers(log, handler, [raised_when_due], TimerRefusals(pool)).run()):
            await until(lambda: _fewer_left_than(pool, MANY), patience=60)
            await open_counters(log, range(MANY, MANY + 1), due_in=timedelta(seconds=0.1))
            await until(lambda: _none_left(pool), patience=600)
        await each_took_effect_once(pool, MANY + 1)
        before_it = await pool.fetchval(
            """select count(*) from eventlog.facts opened, eventlog.facts fired, eventlog.facts other
               where opened.stream = $1 and opened.version = 1 and fired.stream = $1 and fired.version = 2
                 and other.position between opened.position and fired.position
                 and other.recorded_at > (opened.data->>'until')::timestamptz""",
            f"test-counter/{MANY}",
        )
        assert before_it < 4 * LOOK


async def _fewer_left_than(pool: Pool, many: int) -> bool:
    return await left(pool) < many


async def _none_left(pool: Pool, within: timedelta = timedelta()) -> bool:
    return await left(pool, within) == 0


class TestTwoProcesses:
    async def test_fire_each_once_though_one_is_killed_at_work(
        self, pool: Pool, log: PostgresLog, database: str
    ) -> None:
        await open_counters(log, range(1_500))
        await log.move_clock(await log.now() + LIFETIME)
        async with another_process(database) as (one, _), another_process(database):
            await until(lambda: _fewer_left_than(pool, 1_000), patience=60)
            one.kill()
            await until(lambda: _none_left(pool), patience=60)
        await each_took_effect_once(pool, 1_500)

    async def test_that_wake_at_the_same_moment_fire_each_once(
        self, pool: Pool, log: PostgresLog, database: str
    ) -> None:
        async with another_process(database), another_process(database):
            for round_ in range(3):
                await open_counters(log, range(60 * round_, 60 * (round_ + 1)), due_in=timedelta(seconds=1.5))
                await until(lambda: _none_left(pool, within=timedelta(seconds=2)), patience=60)
        await each_took_effect_once(pool, 180)

    @pytest.mark.parametrize(("dies", "kept"), [("before", 0), ("after", 1)])
    async def test_one_that_dies_between_its_look_and_the_answer_loses_nothing(
        self, pool: Pool, log: PostgresLog, database: str, dies: str, kept: int
    ) -> None:
        await open_counters(log, range(5), due_in=-timedelta(hours=1))
        async with another_process(database, dies) as (mortal, _), asyncio.timeout(60):
            await mortal.wait()
        assert (5 - await left(pool) >= 1) is bool(kept)
        async with running(Timers(log, Handler(log), [raised_when_due], TimerRefusals(pool)).run()):
            await until(lambda: _none_left(pool), patience=60)
        await each_took_effect_once(pool, 5)


class TestRace:
    async def test_of_a_timer_and_a_person_who_do_the_same_one_does_it(self, pool: Pool, log: PostgresLog) -> None:
        """The person is another process: only the database keeps them apart."""
        await open_counters(log, range(400), due_in=-timedelta(hours=1), kind=counter)
        elsewhere = Handler(PostgresLog(pool))

        async def close(key: int) -> None:
            with suppress(Rejected, VersionConflict):
                await elsewhere.send(counter, key, CloseCounter(), asking())

        async with running(Timers(log, Handler(log), [counter], TimerRefusals(pool)).run()):
            await asyncio.gather(*map(close, range(399, -1, -1)))
            await until(lambda: _none_left(pool), patience=60)
        assert await effects(pool) == {f"test-counter/{key}": 1 for key in range(400)}
        assert await pool.fetch("select stream, code from eventlog.refusals") == []


class TestRefused:
    async def test_one_stream_whose_command_fails_holds_up_no_other(self, pool: Pool, log: PostgresLog) -> None:
        await open_counters(log, range(10), due_in=-timedelta(hours=1))
        broken = 'update eventlog.timers set command = \'{"name": "NoSuchCommand", "data": {}}\' where stream = $1'
        await pool.execute(broken, "test-counter/0")
        async with running(Timers(log, Handler(log), [raised_when_due], TimerRefusals(pool)).run()):
            await until(lambda: _none_left(pool), patience=60)
        assert await effects(pool) == {f"test-counter/{key}": int(key > 0) for key in range(10)}
        [refusal] = await pool.fetch("select sender, stream, command, code from eventlog.refusals")
        assert tuple(refusal) == ("timer", "test-counter/0", "NoSuchCommand", "KeyError")
        assert await log.next_due() is not None


class TestOnTime:
    async def test_it_does_not_sleep_past_what_falls_due(
        self, pool: Pool, log: PostgresLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "IDLE", 3_600)
        await open_counters(log, range(1), due_in=timedelta(seconds=1))
        async with running(Timers(log, Handler(log), [raised_when_due], TimerRefusals(pool)).run()):
            await until(lambda: all_took_effect(pool), patience=30)
        late = await pool.fetchval("select recorded_at - occurred_at from eventlog.facts where version = 2")
        assert timedelta() <= late < timedelta(seconds=5)


async def all_took_effect(pool: Pool) -> bool:
    return set((await effects(pool)).values()) == {1}


@pytest.mark.skipif(shutil.which("cc") is None, reason="a C compiler makes the clock that is wrong")
class TestWallClock:
    async def test_an_hour_wrong_either_way_neither_hastens_nor_delays(
        self, pool: Pool, log: PostgresLog, database: str, tmp_path: Path
    ) -> None:
        wrong, off = tmp_path / "wall_clock.so", tmp_path / "off"
        compiler = await asyncio.create_subprocess_exec(
            "cc", "-shared", "-fPIC", "-o", str(wrong), str(Path(__file__).with_name("wall_clock.c")), "-ldl"
        )
        assert await compiler.wait() == 0
        off.write_text("3600", encoding="ascii")
        await open_counters(log, range(5), due_in=timedelta(minutes=30))
        async with another_process(database, env={"LD_PRELOAD": str(wrong), "WALL_CLOCK": str(off)}) as (_, said):
            assert said - datetime.now(UTC) > timedelta(minutes=59)  # it is wrong indeed
            for keys, step in (range(5, 10), "3600"), (range(10, 15), "-3600"), (range(15, 20), "0"):
                off.write_text(step, encoding="ascii")
                await open_counters(log, keys, due_in=timedelta(seconds=0.2))
                await until(lambda: _none_left(pool, within=timedelta(seconds=1)), patience=30)
                assert sum((await effects(pool)).values()) == keys.stop - 5
            due = await log.next_due()
            assert due is not None
            await log.move_clock(due)
            await until(lambda: _none_left(pool), patience=30)
        await each_took_effect_once(pool, 20)
        late = await pool.fetchval("select max(recorded_at - occurred_at) from eventlog.facts where version = 2")
        assert late < timedelta(seconds=5)
