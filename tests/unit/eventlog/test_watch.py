"""Watch: a standstill is what was seen not to move while something waited, and nothing else."""

import pytest

from eventlog.watch import Watch


class Clock:
    """Goes forward when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(clock)


class TestStill:
    def test_begins_with_the_first_look(self, watch: Watch, clock: Clock) -> None:
        assert watch.still("relay", 7) == 0
        clock.now += 5
        assert watch.still("relay", 7) == 5
        assert watch.still("consumer", 7) == 0

    def test_begins_anew_elsewhere_and_on_coming_back(self, watch: Watch, clock: Clock) -> None:
        for place in (7, 8, 7):
            assert watch.still("relay", place) == 0
            clock.now += 5


class TestStuck:
    def test_is_not_what_waits_for_nothing(self, watch: Watch, clock: Clock) -> None:
        for _ in range(3):
            assert watch.stuck("relay", 7, waits=False) == 0
            clock.now += 100

    def test_counts_from_when_something_was_seen_waiting(self, watch: Watch, clock: Clock) -> None:
        watch.stuck("relay", 7, waits=False)
        clock.now += 100  # idle all the while
        assert watch.stuck("relay", 7, waits=True) == 0
        clock.now += 5
        assert watch.stuck("relay", 7, waits=True) == 5

    def test_ends_when_it_moves_on_or_has_no_more_to_do(self, watch: Watch, clock: Clock) -> None:
        watch.stuck("relay", 7)
        clock.now += 5
        assert watch.stuck("relay", 8) == 0
        clock.now += 5
        assert watch.stuck("relay", 8, waits=False) == 0
        clock.now += 5
        assert watch.stuck("relay", 8) == 0
