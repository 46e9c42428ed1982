"""Calendar: the county's table of one year's days off and make-up workdays, published once and corrected after."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, TypeAlias

from pydantic import Field

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.intake.calendar import CalendarCorrected, CalendarPublished
from vocabulary.calendar import Span, YearTable
from vocabulary.words import Day, Line, Year

DECEMBER, JANUARY, SATURDAY = 12, 1, 5
MOST_OFF = 60
"""Days off in one table; the notices name about 33."""

Rest: TypeAlias = Annotated[
    tuple[Span, ...], Field(max_length=60, examples=[[{"first": "2026-10-01", "last": "2026-10-07"}]])
]
"""Days off, as spans."""

Work: TypeAlias = Annotated[tuple[Day, ...], Field(max_length=60, examples=[["2026-10-10"]])]
"""Weekend days that are worked for them."""

Source: TypeAlias = Annotated[Line, Field(examples=["国办发明电〔2025〕7号"])]
"""The notice, by its number."""


class PublishCalendar(Value):
    year: Year
    rest: Rest
    work: Work
    source: Source


class CorrectCalendar(Value):
    """The whole table, as it should have been."""

    rest: Rest
    work: Work
    source: Source


class Unpublished(Value):
    """The table that came with the program holds, if it has one."""


class Published(Value):
    year: Year
    table: YearTable
    source: Line


Command: TypeAlias = PublishCalendar | CorrectCalendar
Fact: TypeAlias = CalendarPublished | CalendarCorrected
State: TypeAlias = Unpublished | Published


def decide(command: Command, calendar: State, _: Context) -> Sequence[Fact]:
    match command:
        case PublishCalendar():
            return publish(command, calendar)
        case CorrectCalendar():
            return correct(command, calendar)


def publish(command: PublishCalendar, calendar: State) -> Sequence[Fact]:
    match calendar:
        case Unpublished():
            table = sensible(command.year, command.rest, command.work)
            return [CalendarPublished(year=command.year, table=table, source=command.source)]
        case Published(year=year):
            raise Rejected("calendar-published", year=year)


def correct(command: CorrectCalendar, calendar: State) -> Sequence[Fact]:
    """Put another table, or another source of the same, in its place."""
    match calendar:
        case Published(year=year):
            table = sensible(year, command.rest, command.work)
            if Published(year=year, table=table, source=command.source) == calendar:
                raise Rejected("calendar-unchanged", year=year)
            return [CalendarCorrected(year=year, table=table, source=command.source)]
        case Unpublished():
            raise Rejected("calendar-not-published")


def sensible(year: int, rest: Sequence[Span], work: Sequence[date]) -> YearTable:
    """Return the table, in order. Raises Rejected: a slip of the pen would move every deadline of the county."""
    for span in rest:
        if span.last < span.first:
            raise Rejected("calendar-span-reversed", first=span.first, last=span.last)
    for day in [*(end for span in rest for end in (span.first, span.last)), *work]:
        if not named_by(year, day):
            raise Rejected("calendar-day-of-another-year", day=day, year=year)
    off = {day for span in rest for day in span.days()}
    if len(off) > MOST_OFF:
        raise Rejected("calendar-too-many-days-off", days=len(off), most=MOST_OFF)
    for day in work:
        if day.weekday() < SATURDAY:
            raise Rejected("calendar-workday-no-weekend", day=day)
        if day in off:
            raise Rejected("calendar-day-off-and-worked", day=day)
    in_order = sorted(set(rest), key=lambda span: (span.first, span.last))
    return YearTable(rest=tuple(in_order), work=tuple(sorted(set(work))))


def named_by(year: int, day: date) -> bool:
    """Whether the notice for a year may name a day: a holiday at its turn reaches into December or January."""
    before, after = (year - 1, DECEMBER), (year + 1, JANUARY)
    return day.year == year or (day.year, day.month) in {before, after}


def evolve(_: State, fact: Fact) -> State:
    return Published(year=fact.year, table=fact.table, source=fact.source)


calendar: Decider[Command, State, Fact, Context] = Decider("calendar", Unpublished(), decide, evolve)
