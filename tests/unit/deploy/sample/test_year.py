"""Stories side by side: each on its days, the clock still while anybody acts, one's failure the end of all."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from deploy.sample.year import OPENING, Year
from vocabulary.calendar import SHANGHAI

TODAY = datetime.now(SHANGHAI).date()


def day(n: int) -> date:
    return TODAY + timedelta(days=n)


class Diary:
    """A clock that writes down what it was asked, and what stories wrote between."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def move(self, to: datetime) -> None:
        assert to.astimezone(SHANGHAI).time() == OPENING
        self.lines.append(f"day {(to.astimezone(SHANGHAI).date() - TODAY).days}")

    async def rest(self) -> None:
        self.lines.append("rest")


async def test_lives_every_day_once_and_in_order() -> None:
    diary = Diary()
    days: list[date] = []
    year = Year(diary, days.append)

    async def story(name: str, *on: int) -> None:
        for n in on:
            await year.on(day(n))
            assert year.today == day(n)
            diary.lines.append(f"{name}{n}")

    await year.live([story("a", 2, 5), story("b", 1, 5), story("c", 9)])
    assert diary.lines == ["day 1", "b1", "day 2", "a2", "day 5", "b5", "a5", "day 9", "c9"]
    assert days == [day(1), day(2), day(5), day(9)]


async def test_lets_what_follows_be_done_before_the_clock_moves() -> None:
    diary = Diary()
    year = Year(diary)

    async def waits() -> None:
        await year.on(day(1))
        diary.lines.append("asked")
        await year.rest()
        diary.lines.append("answered")

    async def acts() -> None:
        await year.on(day(1))
        await asyncio.sleep(0.02)
        diary.lines.append("acted")
        await year.on(day(2))

    await year.live([waits(), acts()])
    assert diary.lines == ["day 1", "asked", "acted", "rest", "answered", "day 2"]


async def test_a_day_that_has_come_does_not_wait() -> None:
    diary = Diary()
    year = Year(diary)

    async def story() -> None:
        await year.on(day(3))
        await year.on(day(2))
        await year.on(day(3))

    await year.live([story()])
    assert diary.lines == ["day 3"]
    assert year.now() > datetime.now(UTC) + timedelta(days=1)


async def test_one_that_fails_ends_the_others() -> None:
    year = Year(Diary())
    ended: list[str] = []

    async def fails() -> None:
        await year.on(day(1))
        raise LookupError("no such village")

    async def others() -> None:
        try:
            await year.on(day(5))
        finally:
            ended.append("other")

    with pytest.raises(LookupError, match="no such village"):
        await year.live([fails(), others()])
    assert ended == ["other"]
