"""A clock that steps is told from time that passes, for as long as it is wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from eventlog.clock_watch import LEAP, ClockWatch, own_clock

HOUR = 3_600.0


class Clocks:
    """Two clocks that go on together, of which one can be set."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.off = 0.0

    async def database(self) -> datetime:
        return datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(seconds=self.passed + self.off)

    def own(self) -> float:
        return 77.0 + self.passed


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def watch(clocks: Clocks) -> ClockWatch:
    return ClockWatch(clocks.database, clocks.own)


async def test_time_that_passes_is_no_leap_however_long_nobody_looked(clocks: Clocks, watch: ClockWatch) -> None:
    for seconds in (0, 1, 86_400):
        clocks.passed += seconds
        assert await watch.leapt() == 0


async def test_clocks_that_drift_apart_slowly_are_followed(clocks: Clocks, watch: ClockWatch) -> None:
    for _ in range(10):
        clocks.passed += HOUR
        clocks.off += LEAP - 1
        assert await watch.leapt() == 0


@pytest.mark.parametrize("off", [HOUR, -HOUR])
async def test_a_step_is_a_leap_until_the_clock_is_right_again(clocks: Clocks, watch: ClockWatch, off: float) -> None:
    await watch.leapt()
    clocks.off = off
    for _ in range(3):
        clocks.passed += HOUR
        assert await watch.leapt() == off
    clocks.off = 2.0
    assert await watch.leapt() == 0


async def test_whoever_looks_for_the_first_time_believes_it(clocks: Clocks) -> None:
    clocks.off = HOUR
    assert await ClockWatch(clocks.database, clocks.own).leapt() == 0


def test_our_own_clock_goes_on() -> None:
    assert own_clock() <= own_clock()
