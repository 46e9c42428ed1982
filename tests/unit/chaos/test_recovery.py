"""How long what was hit took to serve again, and what stayed undecided."""

from tests.chaos.faults import Effect
from tests.chaos.history import Command, Event, Invoked, Looked, Ok, gathered
from tests.chaos.recovery import left_in_limbo, times


def effect(kind: str, target: str, ended: float) -> Effect:
    return Effect(0, kind, target, ended - 1, ended, ended, met=True, says="")


def served(service: str, *moments: float) -> list[Event]:
    events: list[Event] = []
    for n, t in enumerate(moments):
        key = f"{service}-{n}"
        events.append(Command(key, "620724", "clerk", service, "/", "/", "", ""))
        events += [Invoked(t - 0.1, key, 1), Ok(t, key, 1, 204, 1, None, "")]
    return events


class TestTimes:
    def test_run_from_the_end_of_a_fault_to_the_next_success_of_what_it_hit(self) -> None:
        history = gathered([*served("intake", 1, 5, 9), *served("mediation", 6)])
        found = times(history, [effect("kill", "intake", 4), effect("kill", "mediation", 4)])
        assert found == {"kill service": (2, 1.5, 2)}

    def test_of_a_server_run_until_all_that_need_it_are_served(self) -> None:
        events = [*served("intake", 5), *served("deliberation", 7), *served("mediation", 6)]
        assert times(gathered(events), [effect("kill", "postgres", 4)]) == {"kill postgres": (1, 3, 3)}

    def test_of_the_broker_run_until_reporting_shows_something(self) -> None:
        looks: list[Event] = [Looked(8, "intake-0", "intake-1", 200, seen=True)]
        assert times(gathered([*served("intake", 5), *looks]), [effect("stop", "kafka", 4)]) == {
            "stop kafka": (1, 4, 4)
        }

    def test_are_told_by_sort_of_target(self) -> None:
        found = times(gathered(served("intake", 5)), [effect("reset", "intake-postgres", 4)])
        assert found == {"reset postgres link": (1, 1, 1)}


class TestLimbo:
    def test_ends_thirty_seconds_after_the_last_fault(self) -> None:
        [late] = left_in_limbo(
            gathered([Command("k", "", "", "intake", "", "", "", ""), Invoked(1, "k", 1)]),
            [effect("kill", "intake", 4)],
        )
        assert "k, sent at 1 s, was not decided by 34.0 s" in late

    def test_is_none_for_what_was_decided_in_time_or_sent_afterwards(self) -> None:
        history = gathered([*served("intake", 30), *served("mediation", 90)])
        assert list(left_in_limbo(history, [effect("kill", "intake", 4)])) == []
