"""A plan is its seed's, whoever draws it."""

from collections import Counter
from pathlib import Path

from tests.chaos import plan as plans
from tests.chaos.journeys import JOURNEYS
from tests.chaos.plan import DECK, KINDS, TARGETS, Plan


def drawn(seed: int = 7, commands: int = 2_000, faults: int = 40, actors: int = 8) -> Plan:
    return plans.draw(seed, commands, plans.deal(seed, faults), actors=actors)


class TestPlan:
    def test_is_the_same_for_the_same_seed_and_another_for_another(self) -> None:
        assert drawn() == drawn()
        assert drawn(8).actors != drawn().actors
        assert drawn(8).faults != drawn().faults

    def test_comes_back_from_its_file(self, tmp_path: Path) -> None:
        drawn().write(tmp_path / "plan.json")
        assert Plan.read(tmp_path / "plan.json") == drawn()

    def test_leaves_an_actor_as_it_was_when_there_are_more(self) -> None:
        few, many = drawn(commands=1_000, actors=4), drawn(commands=2_000, actors=8)
        assert many.actors[:4] == few.actors

    def test_deals_every_fault_of_the_deck_before_any_comes_again(self) -> None:
        sorts = {target: sort for sort, targets in TARGETS.items() for target in targets}
        dealt = Counter((fault.kind, sorts[fault.target]) for fault in drawn(faults=len(DECK)).faults)
        assert dealt == Counter(DECK)

    def test_gives_the_targets_of_a_sort_their_turns(self) -> None:
        hit = Counter(fault.target for fault in drawn(faults=8 * len(DECK)).faults)
        for targets in TARGETS.values():
            assert max(hit[target] for target in targets) - min(hit[target] for target in targets) <= 1

    def test_spreads_the_faults_over_the_workload_in_order(self) -> None:
        moments = [fault.after for fault in drawn().faults]
        assert moments == sorted(moments)
        assert moments[0] > 0
        assert moments[-1] < 0.9 * 2_000

    def test_has_about_the_commands_asked_for(self) -> None:
        planned = sum(KINDS[journey.kind][0] for actor in drawn().actors for journey in actor.journeys)
        assert 2_000 <= planned <= 2_000 + 8 * max(n for n, _ in KINDS.values())

    def test_knows_every_journey_there_is(self) -> None:
        assert KINDS.keys() == JOURNEYS.keys()
