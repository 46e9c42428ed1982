"""Die: seeded chance, and the days that it deals out."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TypeVar

from tests.rehearsal.year import Days
from vocabulary.calendar import SHANGHAI

T = TypeVar("T")
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
SPARSE = (1, 15)


class Die:
    """The same throws for the same seed. ``days``: those on which anything is done, in order."""

    def __init__(self, seed: int, year: int, *, sparse: bool) -> None:
        """``sparse``: things are done on three days a month only."""
        self._random = Random(seed)  # noqa: S311  # no secret
        self.year = year
        self.days = days_around(year, sparse=sparse)
        self._spared = date(year, 7, 1)

    def chance(self, percent: int) -> bool:
        return self._random.randrange(100) < percent

    def choice(self, of: Sequence[T]) -> T:
        return self._random.choice(of)

    def weighed(self, of: Sequence[T], weights: Sequence[int]) -> T:
        return self._random.choices(of, weights)[0]

    def randint(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def randrange(self, n: int) -> int:
        return self._random.randrange(n)

    def spare(self, day: date) -> None:
        """Let nothing be done on a day, and more than usual begin in the two months before."""
        self._spared = day
        self.days = tuple(one for one in self.days if one != day)

    def after(self, day: date | None, most: int = 45, least: int = 1) -> date | None:
        """Some later day on which things are done, one in time if there is one; None once there is no later one."""
        if day is None:
            return None
        wanted = day + timedelta(days=self._random.randint(least, most) if self.chance(80) else least)
        at = bisect_right(self.days, wanted - DAY)
        return self.days[at] if at < len(self.days) else None

    def some_day(self) -> date:
        """A day of the year mostly; sometimes before or after it, at a turn, or before the day that is spared."""
        begins = bisect_right(self.days, date(self.year - 1, 12, 31))
        ends = bisect_right(self.days, date(self.year, 12, 31))
        match self.weighed(["before", "within", "turn", "spared", "after"], [1, 13, 2, 3, 1]):
            case "before":
                return self.days[self._random.randrange(1, begins)]
            case "within":
                return self.days[self._random.randrange(begins, ends)]
            case "turn":
                turn = self._random.choice([date(self.year, 1, 1), date(self.year, 7, 1), date(self.year, 12, 31)])
                return self.days[bisect_right(self.days, turn - DAY)]
            case "spared":
                return self.days[bisect_right(self.days, self._spared - self._random.randint(2, 60) * DAY)]
            case _:
                return self.days[self._random.randrange(ends, len(self.days))]

    def earlier(self, day: date, since: date | None = None, percent: int = 25) -> datetime | None:
        """A moment before a day on which it is only entered, at the very beginning or end of its own day, perhaps.

        After the day ``since``, if one is given; None: it is entered when it happens.
        """
        first = day - 40 * DAY if since is None else since + DAY
        if not self.chance(percent) or first >= day:
            return None
        on = first + self._random.randrange((day - first).days) * DAY
        midnight = datetime.combine(on, time.min, SHANGHAI)
        moment = self._random.choice([midnight, midnight + 14 * timedelta(hours=1), midnight + DAY - TICK])
        return moment.astimezone(UTC)


def days_around(year: int, *, sparse: bool) -> Days:
    """From the middle of December before to the end of January after."""
    first, last = date(year - 1, 12, 15), date(year + 1, 1, 31)
    days = (first + n * DAY for n in range((last - first).days + 1))
    return tuple(day for day in days if not sparse or day.day in SPARSE or (day + DAY).day == 1)
