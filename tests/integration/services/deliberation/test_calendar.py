"""A corrected calendar moves every open deadline counted on it: all of them, once, whatever happens meanwhile."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from eventlog.connections import Pool
from eventlog.consumer import Consumer
from eventlog.decider import Actor, AnyDecider, Context
from eventlog.errors import Unavailable
from eventlog.facts import Fact, NewFact, Stored, StreamId, Value
from eventlog.handler import Accepted, Contexts, Handler, Opening, Request
from eventlog.postgres_log import PostgresLog
from eventlog.reactions import React
from eventlog.refusals import TimerRefusals
from eventlog.sources import OwnLog
from eventlog.timers import Timers
from facts.intake.calendar import CalendarCorrected, CalendarPublished
from services.deliberation import admin, contexts, reactions
from services.deliberation.app import DECIDERS
from services.deliberation.domain.commitment import (
    REMINDED_BEFORE,
    CancelCommitment,
    Command,
    CompleteCommitment,
    InForce,
    OpenCommitment,
    Opened,
    State,
    VerifyCommitment,
    commitment,
)
from services.deliberation.domain.procedure import default_procedure
from services.deliberation.read_models.open_deadlines import OpenDeadline, open_deadlines
from tests.conftest import APPLICATION, as_application
from tests.integration.eventlog.running import running, until
from tests.unit.sealed_samples import a_public_text
from vocabulary.calendar import Span, WorkingCalendar, YearTable, day_of, end_of_day, shipped_tables

COUNTY, ELSEWHERE = "620724", "620725"
UNIT = "620724100.town-government"
WORDS = a_public_text("路灯")


@dataclass(frozen=True)
class Deliberation:
    """What deliberation does behind its API, over a database of its own."""

    pool: Pool
    log: PostgresLog
    handler: Handler

    def consumer(self, handler: Handler | None = None) -> Consumer:
        react = React(reactions.to_ourselves, handler or self.handler, self.pool)
        return Consumer("reactions", OwnLog(self.log), self.pool, [react, open_deadlines])

    async def rest(self) -> None:
        """Take in whatever our own log holds, and what follows from it."""
        async with running(self.consumer().run()):
            await until(self.at_rest, patience=60)

    async def at_rest(self) -> bool:
        even: bool = await self.pool.fetchval("select position = eventlog.horizon() from eventlog.cursors")
        return even

    async def hear(self, fact: Fact, correlation: UUID | None = None, county: str = COUNTY) -> None:
        """Take in what intake has published."""
        new, now = NewFact.of(uuid4(), fact), await self.log.now()
        stored = Stored(
            fact_id=new.fact_id,
            tenant=county,
            stream=StreamId("calendar", "2026"),
            version=1,
            position=1,
            published=True,
            organ=f"{county}.county-government",
            matter=None,
            actor="sys-admin",
            occurred_at=now,
            recorded_at=now,
            correlation=correlation or uuid4(),
            causation=None,
            name=new.name,
            schema=new.schema,
            json=new.json,
        )
        await React(reactions.to_intake, self.handler, self.pool).act([stored])

    async def send(self, key: UUID, command: Value, county: str = COUNTY, who: str = "worker") -> None:
        request = Request(
            tenant=county,
            actor=Actor(id=who, organ=UNIT if who == "worker" else None),
            command_id=uuid4(),
            digest=b"",
            correlation=uuid4(),
            opens=Opening(f"{county}100.town-government"),
        )
        await self.handler.send(commitment, key, command, request)

    async def promise(self, county: str = COUNTY) -> UUID:
        """Promise direct handling, due in so many days; return its id."""
        key = uuid4()
        await self.send(key, OpenCommitment(commitment_id=key, issue_id=uuid4(), what=WORDS, unit=UNIT), county)
        return key

    async def due(self, key: UUID, county: str = COUNTY) -> datetime:
        state = await self.handler.state(commitment, county, key)
        assert isinstance(state, Opened)
        return state.about.due

    async def moves(self) -> Sequence[tuple[str, UUID]]:
        """Every deadline that was moved: its stream, and the correlation."""
        rows = await self.pool.fetch(
            "select stream, correlation from eventlog.facts where name = 'commitment-deadline-moved' order by position"
        )
        return [(row["stream"], row["correlation"]) for row in rows]


@pytest.fixture
async def deliberation(database: str) -> AsyncGenerator[Deliberation]:
    await admin.migrate(database, database, APPLICATION)
    async with asyncpg.create_pool(as_application(database), min_size=1, max_size=16) as pool:
        log, looked_up = PostgresLog(pool), Contexts()
        handler = Handler(log, looked_up)
        contexts.register(looked_up, handler)
        yield Deliberation(pool, log, handler)


def resting(*days: date) -> Mapping[int, YearTable]:
    """The tables that came with the program, with these days off besides."""
    years = {day.year for day in days}
    tables = {year: shipped_tables().get(year, YearTable(rest=(), work=())) for year in years}
    return {
        year: YearTable(
            rest=(*table.rest, *(Span(first=day, last=day) for day in days if day.year == year)),
            work=tuple(day for day in table.work if day not in days),
        )
        for year, table in tables.items()
    }


async def correct(deliberation: Deliberation, tables: Mapping[int, YearTable], correlation: UUID | None = None) -> None:
    for year, table in tables.items():
        await deliberation.hear(CalendarCorrected(year=year, table=table, source="更正"), correlation)


def after(day: date, tables: Mapping[int, YearTable]) -> datetime:
    """The end of the first working day behind ``day``."""
    calendar = WorkingCalendar.of({**shipped_tables(), **tables}).in_every_year()
    return end_of_day(calendar.add_working_days(day, 1))


async def rows_are_what_the_facts_say(deliberation: Deliberation) -> None:
    facts, _ = await deliberation.log.after(0, 10_000)
    folded = open_deadlines.fold({}, open_deadlines.touched(facts))
    rows = await deliberation.pool.fetch("select tenant, to_jsonb(t)::text as row from open_deadlines t")
    kept = [(row["tenant"], OpenDeadline.model_validate_json(row["row"], extra="ignore")) for row in rows]
    assert {(tenant, str(row.commitment_id)): row for tenant, row in kept} == {
        key: row for key, row in folded.items() if row is not None
    }


class TestCorrection:
    async def test_moves_each_open_deadline_once_and_says_which(self, deliberation: Deliberation) -> None:
        keys = [await deliberation.promise() for _ in range(40)]
        foreign = await deliberation.promise(ELSEWHERE)
        was = await deliberation.due(keys[0])
        done, off = keys[0], keys[1]
        await deliberation.send(done, CompleteCommitment(proof=WORDS))
        await deliberation.send(done, VerifyCommitment(), who="supervisor")
        await deliberation.send(off, CancelCommitment(reason="撤回"))
        await deliberation.rest()
        assert await deliberation.moves() == []
        correction, tables = uuid4(), resting(day_of(was))
        await correct(deliberation, tables, correction)
        await deliberation.rest()
        assert sorted(await deliberation.moves()) == sorted((f"commitment/{key}", correction) for key in keys[2:])
        assert {await deliberation.due(key) for key in keys[2:]} == {after(day_of(was), tables)}
        assert await deliberation.due(foreign, ELSEWHERE) == was
        assert await deliberation.pool.fetch("select * from eventlog.refusals") == []
        timers = await deliberation.pool.fetch("select distinct tenant, due_at from eventlog.timers")
        ends = {(COUNTY, after(day_of(was), tables)), (ELSEWHERE, was)}
        reminders = {(county, due - REMINDED_BEFORE) for county, due in ends}
        assert {(row["tenant"], row["due_at"]) for row in timers} == ends | reminders
        await rows_are_what_the_facts_say(deliberation)

    async def test_moves_none_where_it_changes_none_of_their_days(self, deliberation: Deliberation) -> None:
        key = await deliberation.promise()
        was = await deliberation.due(key)
        for year, table in shipped_tables().items():
            await deliberation.hear(CalendarPublished(year=year, table=table, source="国办发明电"))
        await correct(deliberation, resting(day_of(was) + timedelta(days=40)))
        await deliberation.rest()
        assert (await deliberation.moves(), await deliberation.due(key)) == ([], was)

    async def test_lets_what_is_due_fire_on_the_new_day_only(self, deliberation: Deliberation) -> None:
        key = await deliberation.promise()
        was = await deliberation.due(key)
        tables = resting(day_of(was))
        await correct(deliberation, tables)
        await deliberation.rest()
        timers = Timers(deliberation.log, deliberation.handler, DECIDERS, TimerRefusals(deliberation.pool))
        misses = "select stream, occurred_at from eventlog.facts where name = 'commitment-deadline-missed'"
        await deliberation.log.move_clock(was + timedelta(hours=1))
        await fire(timers)
        assert await deliberation.pool.fetch(misses) == []
        await deliberation.log.move_clock(after(day_of(was), tables))
        await fire(timers)
        [missed] = await deliberation.pool.fetch(misses)
        assert tuple(missed) == (f"commitment/{key}", after(day_of(was), tables))
        assert await deliberation.pool.fetch("select * from eventlog.refusals") == []

    async def test_takes_a_miss_back_that_was_none(self, deliberation: Deliberation) -> None:
        key = await deliberation.promise()
        was = await deliberation.due(key)
        timers = Timers(deliberation.log, deliberation.handler, DECIDERS, TimerRefusals(deliberation.pool))
        await deliberation.log.move_clock(was + timedelta(hours=1))
        await fire(timers)
        await correct(deliberation, resting(day_of(was)))
        await deliberation.rest()
        names = [fact.name for fact in await deliberation.log.stream(COUNTY, commitment.stream(key))]
        assert names[1:] == [
            "commitment-deadline-nearing",
            "commitment-deadline-missed",
            "commitment-deadline-moved",
            "commitment-miss-revoked",
        ]
        waiting = await deliberation.pool.fetch("select due_at from eventlog.timers order by due_at")
        due = await deliberation.due(key)
        assert [row["due_at"] for row in waiting] == [due - REMINDED_BEFORE, due]


async def fire(timers: Timers) -> None:
    """Fire what is due, and what is due then, until nothing is."""
    while await timers.fire(10):
        pass


class TestMeanwhile:
    async def test_what_was_opened_by_the_table_before_is_counted_again(self, deliberation: Deliberation) -> None:
        """Nothing was taken in yet when the table changed, so no row says that the promise is open."""
        key = await deliberation.promise()
        was = await deliberation.due(key)
        tables = resting(day_of(was))
        await correct(deliberation, tables)
        await deliberation.rest()
        assert await deliberation.due(key) == after(day_of(was), tables)

    async def test_what_was_kept_right_after_the_very_first_table_was_adopted_is_counted_again(
        self, deliberation: Deliberation
    ) -> None:
        """A stream that is not there has no row to lock: so it was decided by the tables that came with the program."""
        late = Contexts()

        @late.of(commitment)
        async def by_the_table_before(_: Command, __: State, plain: Context, ___: str) -> InForce:
            return InForce(**dict(plain), procedure=default_procedure(), calendar=WorkingCalendar.load())

        first = await deliberation.promise()
        was = await deliberation.due(first)
        tables = resting(day_of(was))
        await correct(deliberation, tables)
        await deliberation.rest()
        handler = Handler(deliberation.log, late)
        key = await Deliberation(deliberation.pool, deliberation.log, handler).promise()
        assert await deliberation.due(key) == was
        await deliberation.rest()
        assert await deliberation.due(key) == after(day_of(was), tables)
        del by_the_table_before  # registered by its decorator

    async def test_what_was_counted_again_before_a_crash_is_so_once_more(self, deliberation: Deliberation) -> None:
        """By the table before; then the consumer broke off: that is not sent twice, and no row says that it runs."""
        key = await deliberation.promise()
        was = await deliberation.due(key)
        facts, _ = await deliberation.log.after(0, 100)
        await React(reactions.to_ourselves, deliberation.handler, deliberation.pool).act(facts)
        tables = resting(day_of(was))
        await correct(deliberation, tables)
        await deliberation.rest()
        assert await deliberation.due(key) == after(day_of(was), tables)

    async def test_whatever_is_opened_while_tables_change_ends_by_the_last(self, deliberation: Deliberation) -> None:
        first = await deliberation.promise()
        day = day_of(await deliberation.due(first))
        keys = [first]
        longer = [[day + timedelta(days=n) for n in range(length)] for length in range(1, 6)]
        async with running(deliberation.consumer().run()):
            for days in longer:
                keys += [await deliberation.promise() for _ in range(5)]
                await correct(deliberation, resting(*days))
                keys += [await deliberation.promise() for _ in range(5)]
            await until(deliberation.at_rest, patience=60)
        await deliberation.rest()
        ends = after(longer[-1][-1], resting(*longer[-1]))
        assert {await deliberation.due(key) for key in keys} == {ends}
        assert await deliberation.pool.fetch("select * from eventlog.refusals") == []

    async def test_what_breaks_off_half_way_is_finished_once(self, deliberation: Deliberation) -> None:
        class Frail(Handler):
            left = 7

            async def send(self, decider: AnyDecider, key: object, command: Value, request: Request) -> Accepted:
                self.left -= 1
                if self.left < 0:
                    raise Unavailable("torn off")
                return await deliberation.handler.send(decider, key, command, request)

        keys = [await deliberation.promise() for _ in range(20)]
        was = await deliberation.due(keys[0])
        await deliberation.rest()
        await correct(deliberation, resting(day_of(was)))
        async with running(deliberation.consumer(Frail(deliberation.log)).run()):
            await until(lambda: self._some_moved(deliberation))
        assert len(await deliberation.moves()) == 7
        await deliberation.rest()
        assert sorted(stream for stream, _ in await deliberation.moves()) == sorted(f"commitment/{k}" for k in keys)

    async def _some_moved(self, deliberation: Deliberation) -> bool:
        return len(await deliberation.moves()) >= 7
