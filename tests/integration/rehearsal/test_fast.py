"""Two hundred years lived in memory: every figure is what was counted before; and whatever is wrong would be found."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from services.deliberation.domain import commitment
from services.reporting.indicators import INDICATORS
from services.reporting.reports import figures
from tests.rehearsal import __main__ as command
from tests.rehearsal.fact_store import FactStore, connected
from tests.rehearsal.fast import Stage
from tests.rehearsal.mutants import mutants
from tests.rehearsal.rehearsal import answer_sheet, compared, lived_in_memory
from tests.rehearsal.writer import write
from tests.rehearsal.year import Workstation

SEEDS = [range(first, first + 20) for first in range(1, 201, 20)]

NO_DIFFERENCE = {
    "disputes-resolved counts a matter more than once": "the rules settle a matter again only after they took back "
    "that it was settled, and what was taken back is not counted anyway",
}
"""What is wrong with a definition, and cannot show while the rules of the services are what they are."""


@pytest.fixture(scope="module")
async def store(postgres: str) -> AsyncGenerator[FactStore]:
    async with connected(postgres) as store:
        yield store


@pytest.mark.parametrize("seeds", SEEDS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
async def test_every_figure_is_what_was_counted(store: FactStore, seeds: Sequence[int]) -> None:
    for seed in seeds:
        assert await lived_in_memory(write(seed), store) == [], seed


class TestAWrongPlan:
    async def test_is_told_as_what_was_refused(self, store: FactStore) -> None:
        year = write(1)
        twice = Workstation(year.towns[0], (year.days[3], year.days[4]), ())
        [refused] = await lived_in_memory(replace(year, workstations=(twice,)), store)
        assert refused.startswith(f"{year.days[4]} deliberation /workstations ")
        assert "workstation-exists" in refused


def nothing_follows(_: commitment.State, __: commitment.InForce) -> Sequence[commitment.Fact]:
    return []


class TestAWrongRule:
    async def test_is_found_in_the_figures(self, store: FactStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """Deadlines stay where they were although the calendar was corrected."""
        monkeypatch.setattr(commitment, "recompute", nothing_follows)
        assert "timely-closure-rate" in "".join(await lived_in_memory(write(200), store))

    async def test_is_found_where_a_timer_comes_to_nothing(
        self, store: FactStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commitment, "miss", nothing_follows)
        [broken] = await lived_in_memory(write(199), store)
        assert "MissDeadline: NothingFollowed()" in broken


class TestAWrongFigure:
    def test_is_printed_and_ends_the_rehearsal(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Opinions that were merged into another are counted as if they stood by themselves."""
        wrong = [
            one.model_copy(update={"unless": ()}) if one.slug == "opinions-deduplicated" else one for one in INDICATORS
        ]
        monkeypatch.setattr(figures, "INDICATORS", wrong)
        assert command.main(["--first", "1", "--seeds", "5"]) == 1
        printed, lived = capsys.readouterr()
        assert ": opinions-deduplicated should be " in printed.splitlines()[0]
        assert "every figure is what was counted" not in printed
        assert lived.count("as counted") < 5

    async def test_is_found_whatever_is_wrong_with_it(self, store: FactStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """Everything that a definition says is left out once: in one of the years the figure is another then."""
        unfound = dict(mutants())
        for seed in range(200, 0, -1):
            if unfound.keys() == NO_DIFFERENCE.keys():
                return
            year = write(seed)
            stage = Stage()
            await stage.live(year)
            await store.fill(stage.published())
            for wrong, indicator in list(unfound.items()):
                monkeypatch.setattr(figures, "INDICATORS", [indicator])
                expected = {asked: {indicator.slug: of[indicator.slug]} for asked, of in answer_sheet(year).items()}
                if await compared(expected, partial(store.figures, year.county)):
                    del unfound[wrong]
        pytest.fail(f"nothing tells that {sorted(unfound)}")
