"""What falls due happens once, never early, and one stream's trouble is its own."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from eventlog import timers as engine
from eventlog.clock_watch import ClockWatch
from eventlog.decider import Context, Decider, Due
from eventlog.errors import Rejected, Unavailable
from eventlog.facts import Stored, StreamId
from eventlog.handler import Handler, timed_json
from eventlog.log import NewTimer, Timer
from eventlog.memory_log import MemoryLog
from eventlog.timers import Timers, read_timed
from tests.fakes.counting import (
    LIFETIME,
    CloseCounter,
    Closed,
    Command,
    CounterFact,
    Counting,
    OpenCounter,
    RaiseCounter,
    State,
    Unopened,
    an_append,
    asking,
    counter,
    decide,
    due,
    evolve,
)

TENANT = "620723"


class Refusals:
    """Collects what broke its promise."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    async def __call__(self, timer: Timer, command_id: UUID, command: str, refusal: Exception) -> None:
        del command_id
        code = refusal.code if isinstance(refusal, Rejected) else type(refusal).__name__
        self.told.append((str(timer.stream), command, code))


class Remembering(MemoryLog):
    """Shows what was due at an earlier moment, as to a runner that was stopped after its look."""

    remembered: Sequence[Timer] | None = None

    async def due(self, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        return await super().due(limit, latest=latest) if self.remembered is None else self.remembered[:limit]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def handler(log: MemoryLog) -> Handler:
    return Handler(log)


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


async def later(log: MemoryLog, by: timedelta) -> None:
    await log.move_clock(await log.now() + by)


class TestFiring:
    async def test_at_its_time_and_not_before(self, log: MemoryLog, handler: Handler, refusals: Refusals) -> None:
        timers = Timers(log, handler, [counter], refusals)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        opened = await handler.state(counter, TENANT, "1")
        assert isinstance(opened, Counting)
        await later(log, LIFETIME - timedelta(minutes=1))
        assert await timers.fire(10) == 0
        await later(log, timedelta(hours=5))
        assert await timers.fire(10) == 1
        assert await handler.state(counter, TENANT, "1") == Closed(total=0)
        closed = (await log.stream(TENANT, counter.stream("1")))[-1]
        assert closed.occurred_at == opened.until < closed.recorded_at
        assert closed.actor == "timer"
        assert await timers.fire(10) == 0
        assert refusals.told == []

    async def test_once_with_two_runners(self, log: MemoryLog, handler: Handler, refusals: Refusals) -> None:
        for key in range(20):
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        runners = [Timers(log, Handler(log), [counter], refusals) for _ in range(2)]
        await asyncio.gather(*(runner.fire(100) for runner in runners))
        for key in range(20):
            assert (await handler.head(counter, TENANT, key)).version == 2
        assert refusals.told == []

    async def test_a_runner_that_looked_long_ago_adds_nothing(self, refusals: Refusals) -> None:
        log = Remembering()
        handler = Handler(log)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        timers = Timers(log, handler, [counter], refusals)
        log.remembered = await log.due(10)
        await timers.fire(10)
        assert await timers.fire(10) == 1
        assert (await handler.head(counter, TENANT, "1")).version == 2
        assert refusals.told == []

    async def test_one_that_the_stream_has_called_off_meanwhile_breaks_no_promise(self, refusals: Refusals) -> None:
        log = Remembering()
        handler = Handler(log)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        log.remembered = await log.due(10)
        await handler.send(counter, "1", CloseCounter(), asking())
        assert await Timers(log, handler, [counter], refusals).fire(10) == 1
        assert (await handler.head(counter, TENANT, "1")).version == 2
        assert refusals.told == []

    async def test_one_of_an_earlier_version_does_not_act_on_a_later_one(self, refusals: Refusals) -> None:
        """What the stream says anew is due in its turn, under the command id of its own version."""
        log = Remembering()
        handler = Handler(log)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        log.remembered = await log.due(10)
        await handler.send(counter, "1", RaiseCounter(), asking())
        timers = Timers(log, handler, [counter], refusals)
        assert await timers.fire(10) == 1
        assert (await handler.head(counter, TENANT, "1")).version == 2
        log.remembered = None
        assert await timers.fire(10) == 1
        assert await handler.state(counter, TENANT, "1") == Closed(total=1)
        assert refusals.told == []

    async def test_one_a_stream_so_that_the_first_may_call_off_the_others(
        self, log: MemoryLog, handler: Handler, refusals: Refusals
    ) -> None:
        def twice(state: State) -> Sequence[Due[Command]]:
            return [*due(state), *due(state)]

        eager = Decider[Command, State, CounterFact, Context](
            "test-counter", Unopened(), decide, evolve, twice, timed=(CloseCounter,)
        )
        await handler.send(eager, "1", OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        timers = Timers(log, handler, [eager], refusals)
        assert await timers.fire(10) == 1
        assert await timers.fire(10) == 0
        assert refusals.told == []


class TestRefused:
    async def test_it_is_recorded_and_put_off(self, log: MemoryLog, handler: Handler, refusals: Refusals) -> None:
        now = await log.now()
        await log.append(an_append("never-opened", facts=0, timers=[NewTimer(now, timed_json(CloseCounter()))]))
        timers = Timers(log, handler, [counter], refusals)
        assert await timers.fire(10) == 1
        assert refusals.told == [("test-counter/never-opened", "CloseCounter", "Absent")]
        assert await timers.fire(10) == 0
        await later(log, timedelta(minutes=11))
        assert await timers.fire(10) == 1

    async def test_what_leads_to_nothing_is_put_off_too(
        self, log: MemoryLog, handler: Handler, refusals: Refusals
    ) -> None:
        lazy = Decider[Command, State, CounterFact, Context](
            "test-counter", Unopened(), decide, evolve, nothing_happens, timed=(RaiseCounter,)
        )
        await handler.send(lazy, "1", OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        timers = Timers(log, handler, [lazy], refusals)
        assert await timers.fire(10) == 1
        assert await timers.fire(10) == 0
        assert refusals.told == [("test-counter/1", "RaiseCounter", "NothingFollowed")]

    @pytest.mark.parametrize(
        "command", ['{"name": "NoSuchCommand", "data": {}}', '{"name": "CloseCounter", "data": {"extra": 1}}']
    )
    async def test_one_that_cannot_be_read_does_not_hold_up_the_others(
        self, log: MemoryLog, handler: Handler, refusals: Refusals, command: str
    ) -> None:
        await handler.send(counter, "sound", OpenCounter(), asking(opens=True))
        await log.append(an_append("broken", timers=[NewTimer(await log.now(), command)]))
        await log.append(
            an_append("ours", timers=[NewTimer(await log.now(), command)]),
        )
        await later(log, LIFETIME)
        assert await Timers(log, handler, [counter], refusals).fire(10) == 3
        assert await handler.state(counter, TENANT, "sound") == Closed(total=0)
        assert sorted(stream for stream, _, _ in refusals.told) == ["test-counter/broken", "test-counter/ours"]

    async def test_a_log_that_is_away_refuses_nothing(self, log: MemoryLog, refusals: Refusals) -> None:
        class Away(MemoryLog):
            async def stream(
                self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
            ) -> Sequence[Stored]:
                raise Unavailable

        away = Away()
        await away.append(an_append("1", timers=[NewTimer(await log.now(), timed_json(CloseCounter()))]))
        with pytest.raises(Unavailable):
            await Timers(away, Handler(away), [counter], refusals).fire(10)
        assert len(await away.due(10)) == 1
        assert refusals.told == []


class TestHanging:
    async def test_one_that_takes_long_holds_up_no_other_and_is_not_sent_again_meanwhile(
        self, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Slow(MemoryLog):
            looked, released = 0, asyncio.Event()

            async def stream(
                self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
            ) -> Sequence[Stored]:
                if stream.key == "slow":
                    self.looked += 1
                    await self.released.wait()
                return await super().stream(tenant, stream, after_version, limit)

        monkeypatch.setattr(engine, "PATIENCE", 0.01)
        log = Slow()
        handler = Handler(log)
        timers = Timers(log, Handler(log), [counter], refusals)  # another process: it loads what it fires
        for key in "slow", "one":
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        assert await asyncio.wait_for(timers.fire(10), 10) == 2
        assert await handler.state(counter, TENANT, "one") == Closed(total=0)
        await handler.send(counter, "other", OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        assert await asyncio.wait_for(timers.fire(10), 10) == 1
        assert await handler.state(counter, TENANT, "other") == Closed(total=0)
        log.released.set()
        assert await asyncio.wait_for(timers.fire(10), 10) == 0
        assert await handler.state(counter, TENANT, "slow") == Closed(total=0)
        assert log.looked == 2  # by its timer once, and by this test
        assert refusals.told == []


class TestManyDue:
    async def test_the_latest_are_taken_up_beside_the_earliest(self, log: MemoryLog, handler: Handler) -> None:
        start = await log.now()
        for key in range(40):
            at = start - timedelta(minutes=40 - key)
            await handler.send(counter, key, OpenCounter(), asking(opens=True, occurred_at=at))
        await later(log, LIFETIME)
        assert await Timers(log, handler, [counter]).fire(8) == 10
        done = [key for key in range(40) if isinstance(await handler.state(counter, TENANT, key), Closed)]
        assert done == [0, 1, 2, 3, 4, 5, 6, 7, 38, 39]

    async def test_no_more_are_on_their_way_than_the_log_carries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Counted(MemoryLog):
            inside = most = 0

            async def stream(
                self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
            ) -> Sequence[Stored]:
                self.inside += 1
                self.most = max(self.most, self.inside)
                await asyncio.sleep(0)
                self.inside -= 1
                return await super().stream(tenant, stream, after_version, limit)

        monkeypatch.setattr(engine, "AT_ONCE", 5)
        log = Counted()
        handler = Handler(log)
        for key in range(30):
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        await later(log, LIFETIME)
        assert await Timers(log, Handler(log), [counter]).fire(100) == 30
        assert log.most == 5


class TestRunning:
    async def test_it_fires_by_itself_but_not_while_paused(
        self, log: MemoryLog, handler: Handler, refusals: Refusals
    ) -> None:
        timers = Timers(log, handler, [counter], refusals)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        timers.pause()
        running = asyncio.create_task(timers.run())
        await later(log, LIFETIME)
        await asyncio.sleep(0.05)
        assert isinstance(await handler.state(counter, TENANT, "1"), Counting)
        timers.resume()
        await asyncio.sleep(0.05)
        assert isinstance(await handler.state(counter, TENANT, "1"), Closed)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def test_it_wakes_for_what_falls_due_before_its_next_look(
        self, log: MemoryLog, handler: Handler, refusals: Refusals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "IDLE", 3_600)
        soon = await log.now() - LIFETIME + timedelta(seconds=0.3)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True, occurred_at=soon))
        running = asyncio.create_task(Timers(log, handler, [counter], refusals).run())
        async with asyncio.timeout(10):
            while not isinstance(await handler.state(counter, TENANT, "1"), Closed):  # noqa: ASYNC110  # a log is asked
                await asyncio.sleep(0.01)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class TestTimedCommands:
    def test_survive_their_way_through_the_log(self) -> None:
        assert read_timed(counter, timed_json(CloseCounter())) == CloseCounter()

    def test_must_be_listed_by_the_decider(self) -> None:
        with pytest.raises(KeyError, match="RaiseCounter"):
            read_timed(counter, timed_json(RaiseCounter()))


def nothing_happens(state: State) -> Sequence[Due[Command]]:
    return [Due[Command](at=state.until, command=RaiseCounter(by=0))] if isinstance(state, Counting) else []


class TestALeapOfTheClock:
    """An operator, or a time server, sets the database's clock forward by two hours."""

    async def test_fires_nothing_until_it_is_right_again(self, log: MemoryLog, handler: Handler) -> None:
        off, passed = timedelta(), timedelta()

        async def database() -> datetime:
            return datetime(2026, 3, 2, 9, tzinfo=UTC) + passed + off

        def own() -> float:
            return passed.total_seconds()

        timers = Timers(log, handler, [counter], clock_watch=ClockWatch(database, own))
        now = await log.now()
        await handler.send(
            counter, "1", OpenCounter(), asking(opens=True, occurred_at=now - LIFETIME + timedelta(hours=1))
        )
        assert (await timers.fire(10), timers.halted) == (0, None)
        off = timedelta(hours=2)
        await later(log, off)
        assert await timers.fire(10) == 0
        assert (timers.halted or "").startswith("the database's clock leapt by +7200 s: no timer fires until")
        assert isinstance(await handler.state(counter, TENANT, "1"), Counting)
        off, passed = timedelta(), timedelta(hours=2)
        assert (await timers.fire(10), timers.halted) == (1, None)
        assert isinstance(await handler.state(counter, TENANT, "1"), Closed)
