"""Calls that are made while one is on its way travel together in the next."""

import asyncio
from collections.abc import Sequence

import pytest

from eventlog.gathering import Gathering


class Carrier:
    """Doubles numbers, batch by batch, each when it is let go."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.go_on = asyncio.Event()

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(items)
        await self.go_on.wait()
        if 13 in items:
            raise LookupError("13")
        return [2 * item for item in items]


class TestGathering:
    async def test_a_lone_caller_waits_for_nobody(self) -> None:
        carrier = Carrier()
        carrier.go_on.set()
        doubled = Gathering(carrier)
        assert [await doubled.ask(n) for n in (1, 2)] == [2, 4]
        assert carrier.batches == [[1], [2]]

    async def test_those_who_come_meanwhile_travel_together(self) -> None:
        carrier = Carrier()
        doubled = Gathering(carrier, most=3)
        first = asyncio.create_task(doubled.ask(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(doubled.ask(n)) for n in range(2, 7)]
        await asyncio.sleep(0)
        carrier.go_on.set()
        assert await asyncio.gather(first, *others) == [2, 4, 6, 8, 10, 12]
        assert carrier.batches == [[1], [2, 3, 4], [5, 6]]

    async def test_a_failure_is_told_to_all_of_a_batch_and_to_nobody_else(self) -> None:
        carrier = Carrier()
        doubled = Gathering(carrier, most=2)
        asked = [asyncio.create_task(doubled.ask(n)) for n in (12, 13, 14)]
        await asyncio.sleep(0)
        carrier.go_on.set()
        told = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in told] == [LookupError, LookupError, int]

    async def test_a_caller_that_goes_away_takes_nothing_along(self) -> None:
        carrier = Carrier()
        doubled = Gathering(carrier)
        asked = [asyncio.create_task(doubled.ask(n)) for n in (1, 2)]
        await asyncio.sleep(0)
        asked[0].cancel()
        carrier.go_on.set()
        assert await asked[1] == 4
        with pytest.raises(asyncio.CancelledError):
            await asked[0]
