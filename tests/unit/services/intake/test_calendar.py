"""The county's calendar: published once, corrected after, and no slip of the pen gets in."""

from datetime import date

import pytest

from eventlog.testing import Scenario
from facts.intake.calendar import CalendarCorrected, CalendarPublished
from services.intake.domain.calendar import CorrectCalendar, PublishCalendar, calendar
from vocabulary.calendar import Span, WorkingCalendar, YearTable, shipped_tables


def span(first: str, last: str) -> Span:
    return Span(first=date.fromisoformat(first), last=date.fromisoformat(last))


NEW_YEAR, NATIONAL = span("2026-01-01", "2026-01-03"), span("2026-10-01", "2026-10-07")
SUNDAY, SATURDAY = date(2026, 1, 4), date(2026, 10, 10)
NOTICE = "国办发明电〔2025〕7号"

publish = PublishCalendar(year=2026, rest=(NATIONAL, NEW_YEAR), work=(SATURDAY, SUNDAY), source=NOTICE)
published = CalendarPublished(
    year=2026, table=YearTable(rest=(NEW_YEAR, NATIONAL), work=(SUNDAY, SATURDAY)), source=NOTICE
)
correct = CorrectCalendar(rest=(NATIONAL,), work=(), source="更正")
corrected = CalendarCorrected(year=2026, table=YearTable(rest=(NATIONAL,), work=()), source="更正")

nothing = Scenario(calendar)
a_published_one = nothing.given(published)
a_corrected_one = a_published_one.given(corrected)


class TestPublish:
    def test_puts_the_table_in_order(self) -> None:
        nothing.when(publish).then(published)

    def test_is_done_once(self) -> None:
        a_published_one.when(publish).then_rejected("calendar-published")
        a_corrected_one.when(publish).then_rejected("calendar-published")

    def test_says_a_span_and_a_day_named_twice_once(self) -> None:
        twice = publish.model_copy(update={"rest": (NATIONAL, NEW_YEAR, NATIONAL), "work": (SATURDAY, SUNDAY, SUNDAY)})
        nothing.when(twice).then(published)

    def test_takes_every_table_that_came_with_the_program(self) -> None:
        for year, table in shipped_tables().items():
            ours = PublishCalendar(year=year, rest=table.rest, work=table.work, source=NOTICE)
            nothing.when(ours).then(CalendarPublished(year=year, table=table, source=NOTICE))

    def test_takes_the_days_around_the_turn_of_the_year(self) -> None:
        turn = publish.model_copy(update={"rest": (span("2025-12-30", "2026-01-01"),), "work": (date(2027, 1, 3),)})
        assert nothing.when(turn).code is None


class TestCorrect:
    def test_puts_another_table_in_its_place(self) -> None:
        a_published_one.when(correct).then(corrected)

    def test_another_source_is_a_correction_too(self) -> None:
        again = CorrectCalendar(rest=publish.rest, work=publish.work, source="更正")
        a_published_one.when(again).then(CalendarCorrected(year=2026, table=published.table, source="更正"))

    def test_needs_something_to_correct(self) -> None:
        nothing.when(correct).then_rejected("calendar-not-published")
        a_corrected_one.when(correct).then_rejected("calendar-unchanged")


@pytest.mark.parametrize(
    ("rest", "work", "code"),
    [
        ((span("2026-10-07", "2026-10-01"),), (), "calendar-span-reversed"),
        ((span("2025-11-30", "2025-12-01"),), (), "calendar-day-of-another-year"),
        ((span("2027-01-31", "2027-02-01"),), (), "calendar-day-of-another-year"),
        ((), (date(2025, 10, 11),), "calendar-day-of-another-year"),
        ((), (date(2026, 10, 9),), "calendar-workday-no-weekend"),
        ((NEW_YEAR,), (date(2026, 1, 3),), "calendar-day-off-and-worked"),
        ((span("2026-01-01", "2026-03-02"),), (), "calendar-too-many-days-off"),
    ],
)
def test_no_slip_of_the_pen_gets_in(rest: tuple[Span, ...], work: tuple[date, ...], code: str) -> None:
    nothing.when(publish.model_copy(update={"rest": rest, "work": work})).then_rejected(code)
    a_published_one.when(correct.model_copy(update={"rest": rest, "work": work})).then_rejected(code)


def test_what_was_published_says_which_days_are_worked() -> None:
    ours = WorkingCalendar.of({**shipped_tables(), 2026: corrected.table})
    assert (ours.is_working_day(date(2026, 1, 2)), ours.is_working_day(SUNDAY)) == (True, False)
    assert ours.years == WorkingCalendar.load().years
