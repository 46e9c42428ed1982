"""Calendar: which days are worked, and at which instant a period of days ends. Its tables are data, one a year."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import count, islice
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter, model_validator

from eventlog.errors import Rejected
from eventlog.facts import Value
from vocabulary.words import Code, Count, Day, Flag, Instant

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVERY_YEAR = frozenset(range(1900, 2202))
"""Every year an instant may lie in, and the one after."""

_DAY = timedelta(days=1)
_SATURDAY = 5


class CalendarGap(Rejected):
    """No holiday table for ``year`` yet: whether a day in it is worked cannot be known."""

    def __init__(self, year: int) -> None:
        super().__init__("calendar-gap", year=year)


class Span(Value):
    """Days in a row, both included."""

    first: Day
    last: Day

    def days(self) -> Iterator[date]:
        return _days(self.first, self.last)


class YearTable(Value):
    """What the notice for one year names: days off, and weekend days that are worked for them.

    A day belongs to the notice that names it: some name days of the year before.
    """

    rest: tuple[Span, ...] = Field(examples=[[{"first": "2026-10-01", "last": "2026-10-07"}]])
    work: tuple[Day, ...] = Field(examples=[["2026-10-10"]])

    @property
    def off(self) -> frozenset[date]:
        return frozenset(day for span in self.rest for day in span.days())

    @model_validator(mode="after")
    def _sensible(self) -> "YearTable":
        if any(span.last < span.first for span in self.rest):
            raise ValueError("a span ends before it begins")
        if not self.off.isdisjoint(self.work):
            raise ValueError("a day is either off or worked")
        return self


class _Written(Value):
    """A table as the file has it: each span as first and last day."""

    rest: tuple[tuple[date, date], ...]
    work: frozenset[date]

    def table(self) -> YearTable:
        rest = tuple(Span(first=first, last=last) for first, last in self.rest)
        return YearTable(rest=rest, work=tuple(sorted(self.work)))


_FILE = TypeAdapter(dict[int, _Written])


@cache
def shipped_tables() -> Mapping[int, YearTable]:
    """Return the tables that come with this package, by year: in force until a county has published its own."""
    return _parsed((files("vocabulary") / "holidays.toml").read_text("utf-8"))


class WorkingCalendar(Value):
    """The days worked in ``years``: Monday to Friday, except ``holidays``, and ``makeup_workdays`` besides.

    Wherever a day is asked for, an aware instant stands for its day in Shanghai.
    Every method raises CalendarGap when the answer hangs on a year that is not in ``years``.
    """

    years: frozenset[int]
    holidays: frozenset[date]
    makeup_workdays: frozenset[date]

    @classmethod
    def of(cls, tables: Mapping[int, YearTable]) -> "WorkingCalendar":
        """Put tables together. Of two that name one day, the later year's holds."""
        off: frozenset[date] = frozenset()
        worked: frozenset[date] = frozenset()
        for _, table in sorted(tables.items()):
            off = (off - frozenset(table.work)) | table.off
            worked = (worked - table.off) | frozenset(table.work)
        return cls(years=frozenset(tables), holidays=off, makeup_workdays=worked)

    @staticmethod
    def load() -> "WorkingCalendar":
        """Read the tables that come with this package, once."""
        return _shipped()

    @classmethod
    def parse(cls, text: str) -> "WorkingCalendar":
        """Read tables written as holidays.toml. Raises ValueError: otherwise written, or a day off and worked."""
        return cls.of(_parsed(text))

    def in_every_year(self) -> "WorkingCalendar":
        """The same, without a gap: a year without a table rests at weekends only, until it has one."""
        return self.model_copy(update={"years": EVERY_YEAR})

    @model_validator(mode="after")
    def _disjoint(self) -> "WorkingCalendar":
        if self.holidays & self.makeup_workdays:
            raise ValueError("a day is either off or worked")
        return self

    def is_working_day(self, day: date) -> bool:
        day = day_of(day)
        if day.year not in self.years:
            raise CalendarGap(day.year)
        if day in self.holidays:
            return False
        return day in self.makeup_workdays or day.weekday() < _SATURDAY

    def add_working_days(self, start: date, n: int) -> date:
        """The ``n``-th working day after ``start``, which is not counted; ``start`` itself for 0."""
        if n < 0:
            raise ValueError("a period has no negative length")
        start = day_of(start)
        if n == 0:
            return start
        later = (start + ahead * _DAY for ahead in count(1))
        return next(islice((day for day in later if self.is_working_day(day)), n - 1, None))

    def deadline_in_working_days(self, start: date, n: int) -> datetime:
        """The end of the ``n``-th working day after ``start``, in UTC."""
        return end_of_day(self.add_working_days(start, n))

    def deadline_in_days(self, start: date, n: int) -> datetime:
        """The end of the ``n``-th day after ``start``, or of the next working day when that one is a rest day, in UTC.

        Civil Code 200-203: the first day is not counted, and a period never ends on a rest day.
        """
        if n < 0:
            raise ValueError("a period has no negative length")
        last = day_of(start) + n * _DAY
        return end_of_day(last if self.is_working_day(last) else self.add_working_days(last, 1))

    def working_days_left(self, now: datetime, due: datetime) -> int:
        """Working days after today until that of ``due``, with it: 0 on the last one. Negative when late.

        Late, it counts the working days begun since; on a weekend right after ``due`` it says -1 already, never 0.
        """
        if now > due:
            return -max(1, self._worked(due, now))
        return self._worked(now, due)

    def _worked(self, after: date, until: date) -> int:
        return sum(self.is_working_day(day) for day in _days(day_of(after) + _DAY, day_of(until)))


class Period(Value):
    """A number of days, or of working days."""

    days: Count
    working: Flag = False

    def after(self, moment: date, calendar: WorkingCalendar) -> date:
        """Return the last day of the period that begins after the day of ``moment``. Raises CalendarGap."""
        if self.working:
            return calendar.add_working_days(moment, self.days)
        return day_of(moment) + timedelta(days=self.days)

    def deadline(self, moment: date, calendar: WorkingCalendar) -> datetime:
        """Return when the period ends that begins after the day of ``moment``, on no rest day. Raises CalendarGap."""
        if self.working:
            return calendar.deadline_in_working_days(moment, self.days)
        return calendar.deadline_in_days(moment, self.days)


class Counted(Value):
    """How a deadline came about: a period of the policy in force then, counted from an instant.

    It stands in the fact beside the due instant, so that the deadline can be counted again on a corrected calendar.
    """

    policy: Code
    since: Instant
    period: Period

    def deadline(self, calendar: WorkingCalendar) -> datetime:
        """Return when it ends, on no rest day. Raises CalendarGap."""
        return self.period.deadline(self.since, calendar)


def day_of(moment: date) -> date:
    """The day an aware instant falls on in Shanghai; a day is its own. Raises ValueError: the instant has no zone."""
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise ValueError("an instant has a zone")
    return moment.astimezone(SHANGHAI).date()


def end_of_day(day: date) -> datetime:
    """The last microsecond of a day in Shanghai, in UTC.

    Civil Code 203: the last day ends at 24:00. One microsecond before, the instant still bears the day's date, and what
    occurred at or before it was in time.
    """
    midnight = datetime.combine(day_of(day) + _DAY, time.min, SHANGHAI)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


@cache
def _shipped() -> WorkingCalendar:
    return WorkingCalendar.of(shipped_tables())


def _parsed(text: str) -> Mapping[int, YearTable]:
    return {year: written.table() for year, written in _FILE.validate_python(tomllib.loads(text)).items()}


def _days(first: date, last: date) -> Iterator[date]:
    """Every day from ``first`` to ``last``, both included; none when they stand the other way round."""
    return (first + ahead * _DAY for ahead in range((last - first).days + 1))
