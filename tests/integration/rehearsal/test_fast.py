"""Two hundred years lived in memory: every figure is what was counted before; and whatever is wrong would be found."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial

import pytest

from services.reporting.indicators import INDICATORS
from services.reporting.reports import figures
from tests.rehearsal import __main__ as command
from tests.rehearsal.fact_store import FactStore, connected
from tests.rehearsal.fast import Stage
from tests.rehearsal.mutants import mutants
from tests.rehearsal.rehearsal import answer_sheet, compared, lived_in_memory
from tests.rehearsal.writer import write

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
        """Everything that a definition says is left out once: in one of a few years the figure is another then."""
        unfound = dict(mutants())
        for seed in (21, 110, 76, 165):
            year = write(seed)
            stage = Stage()
            await stage.live(year)
            await store.fill(stage.published())
            for wrong, indicator in list(unfound.items()):
                monkeypatch.setattr(figures, "INDICATORS", [indicator])
                expected = {asked: {indicator.slug: of[indicator.slug]} for asked, of in answer_sheet(year).items()}
                if await compared(expected, partial(store.figures, year.county)):
                    del unfound[wrong]
        assert sorted(unfound) == sorted(NO_DIFFERENCE)
