"""Xiangdao: the town of a plan, with its people, in the year that is lived.

A town does its office work on Mondays and Thursdays.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from deploy.sample.plan import Day, Plan, on
from deploy.sample.town import Town
from deploy.sample.year import Year

TOWN = "620724103"
MONDAY, THURSDAY = 0, 3


@dataclass(frozen=True)
class Xiangdao:
    """``number``: of the year."""

    plan: Plan
    town: Town
    year: Year
    number: int

    def villages(self) -> dict[str, str]:
        """Code → name. The codes are provisional: the official ones are the county's to give."""
        return {f"{self.town.code}{701 + n}": name for n, name in enumerate(self.plan.villages)}

    async def at(self, village: str) -> Town:
        """The town as its matters come from a village, by name."""
        return await self.town.at(next(code for code, name in self.villages().items() if name == village))

    def day(self, day: Day) -> date:
        return on(day, self.number)


def office_day(after: date, days: int) -> date:
    """The first office day at least so many days later."""
    day = after + timedelta(days=days)
    while day.weekday() not in (MONDAY, THURSDAY):
        day += timedelta(days=1)
    return day
