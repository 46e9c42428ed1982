"""Calendar: the tables of 2025 and 2026, and every way of counting days over them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.errors import Rejected
from vocabulary.calendar import (
    SHANGHAI,
    CalendarGap,
    Counted,
    Period,
    Span,
    WorkingCalendar,
    YearTable,
    day_of,
    end_of_day,
    shipped_tables,
)

CALENDAR = WorkingCalendar.load()
NOTHING: Mapping[str, Any] = {"rest": (), "work": ()}
ONE_DAY = (Span(first=date(2026, 3, 4), last=date(2026, 3, 4)),)
WEEKENDS_ONLY = WorkingCalendar(years=frozenset({2026}), holidays=frozenset(), makeup_workdays=frozenset())

days = st.dates(date(2025, 1, 1), date(2026, 9, 30))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class TestTables:
    def test_are_read_once(self) -> None:
        """They are asked for with every command of a session or a promise."""
        assert WorkingCalendar.load() is WorkingCalendar.load()

    def test_have_their_number_of_days_off(self) -> None:
        years = [day.year for day in CALENDAR.holidays]
        assert {year: years.count(year) for year in CALENDAR.years} == {2025: 28, 2026: 33, 2027: 13}

    def test_work_only_weekends_besides(self) -> None:
        assert {day.weekday() for day in CALENDAR.makeup_workdays} <= {5, 6}
        assert len(CALENDAR.makeup_workdays) == 11

    @pytest.mark.parametrize(
        ("day", "worked"),
        [
            ("2025-01-26", True),  # Sunday, made up
            ("2025-01-28", False),
            ("2025-02-04", False),
            ("2025-02-05", True),
            ("2025-10-08", False),
            ("2026-01-02", False),
            ("2026-01-04", True),  # Sunday, made up
            ("2026-02-14", True),  # Saturday, made up
            ("2026-02-23", False),
            ("2026-02-24", True),
            ("2026-03-07", False),  # Saturday
            ("2026-09-25", False),
            ("2026-10-10", True),  # Saturday, made up
        ],
    )
    def test_say_which_days_are_worked(self, day: str, worked: bool) -> None:
        assert CALENDAR.is_working_day(date.fromisoformat(day)) is worked

    def test_are_a_value(self) -> None:
        assert WorkingCalendar.model_validate_json(CALENDAR.model_dump_json()) == CALENDAR

    @pytest.mark.parametrize(
        "text",
        [
            "[2027]\nrest = [[2027-01-01, 2027-01-03]]\nwork = [2027-01-03]",
            "[2027]\nrest = [[2027-01-01]]\nwork = []",
            "[2027]\nrest = []",
            '[2027]\nrest = []\nwork = ["soon"]',
            "[next]\nrest = []\nwork = []",
            "[2027]\nrest = [[2027-01-03, 2027-01-01]]\nwork = []",
            "rest",
        ],
    )
    def test_are_refused_when_they_make_no_sense(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  # pydantic's and tomllib's both
            WorkingCalendar.parse(text)


class TestTablesPutTogether:
    def test_hold_each_for_its_year(self) -> None:
        assert WorkingCalendar.of(shipped_tables()) == CALENDAR

    @pytest.mark.parametrize(("of_2026", "worked"), [({"rest": ONE_DAY, "work": ()}, False), (NOTHING, True)])
    def test_one_takes_the_place_of_another_of_its_year(self, of_2026: Mapping[str, Any], worked: bool) -> None:
        ours = WorkingCalendar.of({**shipped_tables(), 2026: YearTable(**of_2026)})
        assert ours.is_working_day(date(2026, 3, 4)) is worked
        assert ours.is_working_day(date(2026, 1, 2)) is True
        assert ours.is_working_day(date(2025, 10, 8)) is False

    def test_of_two_that_name_one_day_the_later_years_holds(self) -> None:
        """The notice for 2027 may name days of December 2026."""
        eve = Span(first=date(2026, 12, 26), last=date(2026, 12, 27))
        off, worked = YearTable(rest=(eve,), work=()), YearTable(rest=(), work=(date(2026, 12, 26), date(2026, 12, 27)))
        assert WorkingCalendar.of({2026: off, 2027: worked}).is_working_day(date(2026, 12, 26)) is True
        assert WorkingCalendar.of({2027: off, 2026: worked}).is_working_day(date(2026, 12, 26)) is False

    def test_leave_no_gap_where_none_is_wanted(self) -> None:
        assert CALENDAR.in_every_year().is_working_day(date(2031, 1, 1)) is True
        assert CALENDAR.in_every_year().is_working_day(date(2026, 1, 1)) is False


class TestCounted:
    def test_counts_again_from_where_it_began(self) -> None:
        counted = Counted(policy="default-1", since=at("2026-02-13T18:00"), period=Period(days=1, working=True))
        assert counted.deadline(CALENDAR) == end_of_day(date(2026, 2, 14))
        rested = YearTable(rest=(Span(first=date(2026, 2, 14), last=date(2026, 2, 23)),), work=())
        assert counted.deadline(WorkingCalendar.of({2026: rested})) == end_of_day(date(2026, 2, 24))
        assert Counted.model_validate_json(counted.model_dump_json()) == counted

    @pytest.mark.parametrize(("working", "last"), [(False, "2026-02-16"), (True, "2026-02-25")])
    def test_in_days_or_in_working_days(self, working: bool, last: str) -> None:
        assert Period(days=3, working=working).after(date(2026, 2, 13), CALENDAR) == date.fromisoformat(last)


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("start", "n", "end"),
        [
            ("2026-03-02", 0, "2026-03-02"),
            ("2026-03-02", 1, "2026-03-03"),
            ("2026-03-06", 1, "2026-03-09"),  # over a weekend
            ("2026-02-13", 1, "2026-02-14"),  # the Saturday is worked
            ("2026-02-13", 2, "2026-02-24"),  # over the Spring Festival
            ("2026-09-30", 3, "2026-10-10"),
        ],
    )
    def test_are_counted_from_the_next_day(self, start: str, n: int, end: str) -> None:
        assert CALENDAR.add_working_days(date.fromisoformat(start), n) == date.fromisoformat(end)

    @given(days, st.integers(1, 40))
    def test_added_are_the_working_days_between(self, start: date, n: int) -> None:
        end = CALENDAR.add_working_days(start, n)
        passed = [start + timedelta(days=ahead + 1) for ahead in range((end - start).days)]
        assert sum(map(CALENDAR.is_working_day, passed)) == n
        assert CALENDAR.is_working_day(end)
        assert CALENDAR.working_days_left(end_of_day(start), end_of_day(end)) == n

    @given(days, st.integers(0, 20), st.integers(0, 20))
    def test_add_up(self, start: date, a: int, b: int) -> None:
        assert CALENDAR.add_working_days(CALENDAR.add_working_days(start, a), b) == CALENDAR.add_working_days(
            start, a + b
        )

    def test_end_a_period_with_the_day(self) -> None:
        assert CALENDAR.deadline_in_working_days(date(2026, 3, 6), 1) == at("2026-03-09T23:59:59.999999")

    def test_begin_in_shanghai_for_an_instant(self) -> None:
        late_on_friday = datetime(2026, 3, 5, 16, 30, tzinfo=UTC)  # 00:30 of the 6th there
        assert CALENDAR.add_working_days(late_on_friday, 1) == date(2026, 3, 9)
        assert CALENDAR.is_working_day(datetime(2026, 3, 6, 16, 30, tzinfo=UTC)) is False


class TestDeadlineInDays:
    @pytest.mark.parametrize(
        ("start", "n", "last"),
        [
            ("2026-01-02", 30, "2026-02-02"),  # the 30th day is Sunday 1 February
            ("2026-03-02", 7, "2026-03-09"),
            ("2026-03-02", 5, "2026-03-09"),  # a Saturday
            ("2026-02-01", 20, "2026-02-24"),  # in the Spring Festival
            ("2026-02-01", 13, "2026-02-14"),  # a Saturday that is worked
            ("2026-10-01", 0, "2026-10-08"),
        ],
    )
    def test_ends_on_a_day_that_is_worked(self, start: str, n: int, last: str) -> None:
        deadline = CALENDAR.deadline_in_days(date.fromisoformat(start), n)
        assert deadline == at(f"{last}T23:59:59.999999")
        assert deadline.tzinfo is UTC

    def test_moves_off_weekends_whatever_the_holidays(self) -> None:
        """Weekends are rest days: in effect on Friday 2 January 2026, 30 days end on Monday 2 February, not Sunday."""
        assert WEEKENDS_ONLY.deadline_in_days(date(2026, 1, 2), 30) == at("2026-02-02T23:59:59.999999")

    @given(days, st.integers(0, 60))
    def test_is_never_early_and_moves_no_further_than_it_must(self, start: date, n: int) -> None:
        last, end = start + timedelta(days=n), day_of(CALENDAR.deadline_in_days(start, n))
        assert end >= last
        assert CALENDAR.is_working_day(end)
        assert not any(CALENDAR.is_working_day(last + timedelta(days=d)) for d in range((end - last).days))


class TestWorkingDaysLeft:
    @pytest.mark.parametrize(
        ("now", "left"),
        [
            ("2026-03-06T09:00:00", 1),  # due on Monday
            ("2026-03-08T09:00:00", 1),
            ("2026-03-09T09:00:00", 0),
            ("2026-03-09T23:59:59.999999", 0),
            ("2026-03-10T00:00:00", -1),
            ("2026-03-13T00:00:00", -4),
        ],
    )
    def test_count_down_to_zero_and_below(self, now: str, left: int) -> None:
        assert CALENDAR.working_days_left(at(now), end_of_day(date(2026, 3, 9))) == left

    @pytest.mark.parametrize("now", ["2026-03-06T15:00:00", "2026-03-07T09:00:00"])
    def test_are_negative_as_soon_as_it_is_late(self, now: str) -> None:
        assert CALENDAR.working_days_left(at(now), at("2026-03-06T12:00:00")) == -1


class TestCalendarGap:
    def test_is_a_rejection_that_names_the_year(self) -> None:
        with pytest.raises(Rejected) as refused:
            CALENDAR.is_working_day(date(2028, 1, 1))
        assert (type(refused.value), refused.value.code, refused.value.values) == (
            CalendarGap,
            "calendar-gap",
            {"year": 2028},
        )

    def test_is_raised_by_every_count_that_runs_into_it(self) -> None:
        december, next_year = date(2027, 12, 30), at("2028-01-05T00:00:00")
        with pytest.raises(CalendarGap):
            CALENDAR.add_working_days(december, 3)
        with pytest.raises(CalendarGap):
            CALENDAR.deadline_in_days(december, 3)
        with pytest.raises(CalendarGap):
            CALENDAR.working_days_left(at("2027-12-30T00:00:00"), next_year)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 3, 2, 15, 59, tzinfo=UTC), date(2026, 3, 2)),
        (datetime(2026, 3, 2, 16, 0, tzinfo=UTC), date(2026, 3, 3)),
        (date(2026, 3, 2), date(2026, 3, 2)),
    ],
)
def test_an_instant_falls_on_a_day_in_shanghai(instant: date, day: date) -> None:
    assert day_of(instant) == day


@given(days)
def test_the_end_of_a_day_is_its_last_instant(day: date) -> None:
    end = end_of_day(day)
    assert (day_of(end), day_of(end + timedelta(microseconds=1))) == (day, day + timedelta(days=1))


def test_an_instant_without_a_zone_is_none() -> None:
    with pytest.raises(ValueError, match="zone"):
        day_of(datetime(2026, 3, 2))  # noqa: DTZ001  # the very fault


@pytest.mark.parametrize("count", [CALENDAR.add_working_days, CALENDAR.deadline_in_days])
def test_no_period_runs_backwards(count: object) -> None:
    assert callable(count)
    with pytest.raises(ValueError, match="negative"):
        count(date(2026, 3, 2), -1)
