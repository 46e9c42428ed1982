"""What operators see of timers, and do to one: put aside, restored, moved, each with its reason, none by mistake."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from eventlog.connections import Pool
from eventlog.handler import Handler, timed_json
from eventlog.log import NewTimer, Timer
from eventlog.postgres_log import PostgresLog
from eventlog.timer_table import NoSuchTimer, TimerTable
from eventlog.timers import Timers
from tests.fakes.counting import CloseCounter, Closed, OpenCounter, RaiseCounter, an_append, asking, counter

TENANT = "620723"
ONE = "test-counter/1"


@pytest.fixture
def table(pool: Pool) -> TimerTable:
    return TimerTable(pool)


async def open_counter(log: PostgresLog, tenant: str = TENANT) -> None:
    await Handler(log).send(counter, "1", OpenCounter(), asking(tenant, opens=True))


async def fire_all(log: PostgresLog) -> int:
    """Let a month pass."""
    await log.move_clock(await log.now() + timedelta(days=31))
    return await Timers(log, Handler(log), [counter]).fire(100)


class Overtaken(PostgresLog):
    """An operator puts a timer aside right after a runner has seen it."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.table = TimerTable(pool)

    async def due(self, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        seen = await super().due(limit, latest=latest)
        await self.table.cancel(ONE, 0, "too late", "operator")
        return seen


class TestStanding:
    async def test_lists_what_waits_earliest_first_and_what_was_put_aside_last(
        self, log: PostgresLog, table: TimerTable
    ) -> None:
        now = await log.now()
        late, soon, past = (NewTimer(now + timedelta(days=days), timed_json(CloseCounter())) for days in (9, 1, -1))
        await log.append(an_append("1", timers=[late, soon]))
        await log.append(an_append("2", timers=[past]))
        await log.append(an_append("2", tenant="620724", timers=[late]))
        await table.cancel(ONE, 1, "a mistake", "operator")
        listed = [(t.tenant, t.stream, t.version, t.n, t.command, t.due_at, t.due) for t in await table.standing(10)]
        assert listed == [
            (TENANT, "test-counter/2", 1, 0, "CloseCounter", past.due_at, True),
            (TENANT, ONE, 1, 0, "CloseCounter", late.due_at, False),
            ("620724", "test-counter/2", 1, 0, "CloseCounter", late.due_at, False),
            (TENANT, ONE, 1, 1, "CloseCounter", None, False),
        ]
        assert [timer.n for timer in await table.standing(10, ONE)] == [0, 1]
        assert [timer.tenant for timer in await table.standing(10, tenant="620724")] == ["620724"]
        assert len(await table.standing(2)) == 2


class TestCancel:
    async def test_puts_it_aside_for_good_and_says_why(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        [before] = await table.standing(10)
        assert await table.cancel(ONE, 0, "opened by mistake", "ma") == before
        [done] = await table.interventions(10)
        told = (done.stream, done.version, done.n, done.command, done.due_at, done.done, done.reason, done.by_whom)
        assert told == (ONE, 1, 0, "CloseCounter", before.due_at, "cancelled", "opened by mistake", "ma")
        assert await fire_all(log) == 0
        assert await log.next_due() is None

    async def test_lasts_until_the_stream_says_anew_what_falls_due(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        [before] = await table.standing(10)
        await table.cancel(ONE, 0, "opened by mistake", "ma")
        await Handler(log).send(counter, "1", RaiseCounter(), asking())
        [after] = await table.standing(10)
        assert (after.version, after.due_at) == (2, before.due_at)
        assert await fire_all(log) == 1

    async def test_does_not_call_back_what_a_runner_has_taken_up(self, pool: Pool, log: PostgresLog) -> None:
        await open_counter(log)
        await log.move_clock(await log.now() + timedelta(days=31))
        overtaken = Overtaken(pool)
        assert await Timers(overtaken, Handler(overtaken), [counter]).fire(10) == 1
        assert await Handler(log).state(counter, TENANT, "1") == Closed(total=0)
        assert await overtaken.table.standing(10) == []

    async def test_holds_though_the_command_is_refused_at_that_very_moment(self, pool: Pool, log: PostgresLog) -> None:
        due = [NewTimer(await log.now(), timed_json(RaiseCounter()))]
        await log.append(an_append(facts=0, timers=due))
        overtaken = Overtaken(pool)
        assert await Timers(overtaken, Handler(overtaken), [counter]).fire(10) == 1
        assert [timer.due_at for timer in await overtaken.table.standing(10)] == [None]


class TestRestore:
    async def test_lets_it_fall_due_when_it_would_have(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        [before] = await table.standing(10)
        await table.cancel(ONE, 0, "opened by mistake", "ma")
        await table.restore(ONE, 0, "it was none", "ma")
        assert await table.standing(10) == [before]
        assert [done.done for done in await table.interventions(10)] == ["restored", "cancelled"]
        assert await fire_all(log) == 1


class TestMove:
    async def test_lets_it_fall_due_at_another_time(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        now = await log.now()
        await table.move(ONE, 0, now, "to see it", "ma")
        [timer] = await log.due(10)
        assert timer.due_at == now
        assert [(done.done, done.reason) for done in await table.interventions(10)] == [("moved", "to see it")]


class TestNoSuchTimer:
    async def test_is_what_was_never_there(self, table: TimerTable) -> None:
        with pytest.raises(NoSuchTimer, match="there is none"):
            await table.cancel(ONE, 0, "", "ma")

    async def test_is_what_has_fired(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        assert await fire_all(log) == 1
        with pytest.raises(NoSuchTimer, match="there is none"):
            await table.cancel(ONE, 0, "", "ma")
        assert await table.interventions(10) == []

    async def test_is_what_stands_in_two_counties_until_one_is_named(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        await open_counter(log, "620724")
        with pytest.raises(NoSuchTimer, match="several counties"):
            await table.cancel(ONE, 0, "", "ma")
        await table.cancel(ONE, 0, "", "ma", "620724")
        assert [timer.due_at is None for timer in await table.standing(10)] == [False, True]

    async def test_is_what_was_put_aside_and_what_was_not(self, log: PostgresLog, table: TimerTable) -> None:
        await open_counter(log)
        with pytest.raises(NoSuchTimer, match="not put aside"):
            await table.restore(ONE, 0, "", "ma")
        await table.cancel(ONE, 0, "", "ma")
        with pytest.raises(NoSuchTimer, match="was put aside"):
            await table.cancel(ONE, 0, "", "ma")

    async def test_is_what_was_replaced_since_it_was_looked_at(
        self, log: PostgresLog, table: TimerTable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await open_counter(log)
        seen = await table.standing(10)
        await Handler(log).send(counter, "1", RaiseCounter(), asking())

        async def as_seen(*_: object) -> object:
            return seen

        monkeypatch.setattr(table, "standing", as_seen)
        with pytest.raises(NoSuchTimer, match="at this very moment"):
            await table.cancel(ONE, 0, "", "ma")
        assert await table.interventions(10) == []
