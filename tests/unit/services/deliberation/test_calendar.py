"""Deliberation's own copy of the county's calendar: adopted as intake says, and in force for whatever counts by it."""

from datetime import date
from typing import TypeVar
from uuid import UUID

import pytest

from eventlog.decider import Actor
from eventlog.facts import Fact, Recorded, StreamId, Value
from eventlog.handler import Contexts, Handler, Opening, Request
from eventlog.memory_log import MemoryLog
from eventlog.testing import SOMEBODY, Scenario
from facts.deliberation.calendar import CalendarAdopted
from facts.intake.calendar import CalendarCorrected, CalendarPublished
from services.deliberation import contexts
from services.deliberation.domain.calendar import AdoptCalendar, calendar
from services.deliberation.domain.commitment import InForce as ForCommitments
from services.deliberation.domain.commitment import MissDeadline, OpenCommitment, RecomputeDeadline, commitment
from services.deliberation.domain.session import InForce as ForSessions
from services.deliberation.domain.session import SendNotice, session
from services.deliberation.reactions import adopt_corrected_calendar, adopt_published_calendar
from tests.unit.sealed_samples import a_public_text
from vocabulary.calendar import Span, WorkingCalendar, YearTable, shipped_tables

T = TypeVar("T", bound=Fact)

COUNTY = "620724"
DAY = date(2026, 3, 4)
RESTED = YearTable(rest=(Span(first=DAY, last=DAY),), work=())
WORKED = YearTable(rest=(), work=())
OPEN = OpenCommitment(commitment_id=UUID(int=1), what=a_public_text("铺砂"), unit="620724100.town-government")


def said(fact: T) -> Recorded[T]:
    return Recorded(
        fact_id=UUID(int=50),
        tenant=COUNTY,
        stream=StreamId("calendar", "2026"),
        version=1,
        position=1,
        published=True,
        organ=f"{COUNTY}.county-government",
        matter=None,
        actor="registrar",
        occurred_at=SOMEBODY.occurred_at,
        recorded_at=SOMEBODY.occurred_at,
        correlation=UUID(int=51),
        causation=None,
        data=fact,
    )


class TestAdopt:
    def test_keeps_each_year_as_last_said(self) -> None:
        adopted = Scenario(calendar).and_then(AdoptCalendar(year=2026, table=RESTED))
        assert adopted.facts == (CalendarAdopted(year=2026, table=RESTED),)
        of_2027, of_2026 = AdoptCalendar(year=2027, table=RESTED), AdoptCalendar(year=2026, table=WORKED)
        again = adopted.and_then(of_2027).and_then(of_2026)
        assert again.state.tables == {2026: WORKED, 2027: RESTED}

    def test_goes_by_the_programs_tables_in_other_years(self) -> None:
        assert Scenario(calendar).state.in_force() == WorkingCalendar.load()
        adopted = Scenario(calendar).given(CalendarAdopted(year=2026, table=RESTED)).state.in_force()
        assert adopted == WorkingCalendar.of({**shipped_tables(), 2026: RESTED})

    def test_does_not_leave_the_service(self) -> None:
        assert not calendar.published


class TestReactions:
    def test_adopt_what_is_published_and_what_is_corrected(self) -> None:
        wanted = [calendar.send(COUNTY, AdoptCalendar(year=2026, table=RESTED))]
        assert adopt_published_calendar(said(CalendarPublished(year=2026, table=RESTED, source="一"))) == wanted
        assert adopt_corrected_calendar(said(CalendarCorrected(year=2026, table=RESTED, source="二"))) == wanted


class TestContext:
    @pytest.fixture
    async def looked_up(self) -> Contexts:
        """The contexts of a county that has adopted a table in which the day is off."""
        found = Contexts()
        handler = Handler(MemoryLog(), found)
        contexts.register(found, handler)
        request = Request(
            tenant=COUNTY,
            actor=Actor(id="reaction"),
            command_id=UUID(int=60),
            digest=b"",
            correlation=UUID(int=61),
            opens=Opening(f"{COUNTY}.county-government"),
        )
        await handler.send(calendar, COUNTY, AdoptCalendar(year=2026, table=RESTED), request)
        return found

    @pytest.mark.parametrize("command", [OPEN, RecomputeDeadline()], ids=["open", "recompute"])
    async def test_of_what_counts_days_is_the_adopted_calendar(self, looked_up: Contexts, command: Value) -> None:
        found = await looked_up.look_up(commitment, command, commitment.initial, SOMEBODY, COUNTY)
        assert isinstance(found, ForCommitments)
        assert found.calendar.is_working_day(DAY) is False
        elsewhere = await looked_up.look_up(commitment, command, commitment.initial, SOMEBODY, "620725")
        assert isinstance(elsewhere, ForCommitments)
        assert elsewhere.calendar == WorkingCalendar.load()

    async def test_of_a_notice_too(self, looked_up: Contexts) -> None:
        found = await looked_up.look_up(session, SendNotice(), session.initial, SOMEBODY, COUNTY)
        assert isinstance(found, ForSessions)
        assert found.calendar.is_working_day(DAY) is False

    async def test_is_not_looked_at_by_what_counts_none(self, looked_up: Contexts) -> None:
        """A hundred thousand that fall due at once do not queue for one stream."""
        found = await looked_up.look_up(commitment, MissDeadline(), commitment.initial, SOMEBODY, COUNTY)
        assert isinstance(found, ForCommitments)
        assert found.calendar == WorkingCalendar.load()
