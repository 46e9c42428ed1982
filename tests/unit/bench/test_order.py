"""Order: what is lost, what is inverted, and a reader that follows to the very end."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from bench.order import Order, order, watched

A1, A2, A3, B1, B2, STRANGER = (UUID(int=n) for n in range(1, 7))
WRITTEN = ((A1, A2, A3), (B1, B2))


class TestOrder:
    @pytest.mark.parametrize(
        ("shown", "found"),
        [
            ((A1, B1, A2, B2, A3), Order(0, 0)),
            ((B1, B2, A1, A2, A3), Order(0, 0)),  # nobody can tell which writer was first
            ((A1, B1, A3, B2), Order(1, 0)),
            ((A1, A3, A2, B1, B2), Order(0, 1)),
            ((A3, A1, A2, B1, B2), Order(0, 2)),
            ((A1, A1, A2, A3, B1, B2), Order(0, 1)),
            ((STRANGER, A1, A2, A3, B1, STRANGER, B2), Order(0, 0)),
            ((), Order(5, 0)),
        ],
    )
    def test_counts_what_was_never_shown_and_what_was_shown_too_late(self, shown: Sequence[UUID], found: Order) -> None:
        assert order(WRITTEN, shown) == found

    def test_is_told_as_two_numbers(self) -> None:
        assert str(Order(1_234, 0)) == "1,234/0"


class SmallLog:
    """Shows what it kept, two at a time, from position 10 on; ``late`` of it only once all was written.

    ``takes``: seconds in which a question that was put is answered.
    """

    def __init__(self, shows: Sequence[UUID], late: int = 0, takes: float = 0) -> None:
        self._takes = takes
        self._shows = shows
        self._late = late
        self._written = False

    def called(self, at_once: int) -> str:
        return f"small log, {at_once} at once"

    async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
        assert (at_once, seconds) == (2, 0.02)
        await asyncio.sleep(seconds)
        self._written = True
        return WRITTEN

    async def end(self) -> int:
        return 10

    async def read(self, after: int) -> tuple[Sequence[UUID], int]:
        there = self._shows if self._written else self._shows[: len(self._shows) - self._late]
        shown = there[after - 10 : after - 8]
        await asyncio.sleep(self._takes)
        return shown, after + len(shown)


class TestWatched:
    @pytest.mark.parametrize("late", [0, 2, 5])
    async def test_sees_all_of_a_log_that_shows_all(self, late: int) -> None:
        assert await watched(SmallLog((A1, B1, A2, B2, A3), late), 2, 0.02) == Order(0, 0)

    async def test_asks_again_when_the_last_was_written_while_it_asked(self) -> None:
        assert await watched(SmallLog((A1, B1, A2, B2, A3), late=5, takes=0.05), 2, 0.02) == Order(0, 0)

    async def test_sees_what_a_log_does_not_show(self) -> None:
        assert await watched(SmallLog((B1, A2, A1, B2)), 2, 0.02) == Order(1, 1)

    async def test_fails_where_writing_fails(self) -> None:
        class Full(SmallLog):
            async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
                raise OSError("no space")

        with pytest.raises(OSError, match="no space"):
            await watched(Full(()), 2, 0.02)
