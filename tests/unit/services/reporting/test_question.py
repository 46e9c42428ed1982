"""A question's days are Shanghai's, and its positions are written as they are read."""

from datetime import date

import pytest

from services.reporting.fact_store.question import Positions, Question


class TestPositions:
    def test_are_written_as_they_are_read(self) -> None:
        assert str(Positions.parse("intake-57,deliberation-30,mediation-0")) == "intake-57,deliberation-30,mediation-0"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "intake-57",
            "deliberation-1,intake-1,mediation-1",
            "intake-1,deliberation--1,mediation-1",
            "intake-1,deliberation-1,mediation-1,",
        ],
    )
    def test_are_written_in_one_way_only(self, text: str) -> None:
        with pytest.raises(ValueError, match="positions are written"):
            Positions.parse(text)

    def test_reach_what_they_see_all_of(self) -> None:
        assert Positions(intake=2, mediation=1).reach(Positions(intake=2))
        assert not Positions(intake=2).reach(Positions(intake=1, deliberation=1))


class TestQuestion:
    def test_holds_both_of_its_days_in_shanghai(self) -> None:
        asked = Question(
            tenant="620724", division="620724103", first=date(2026, 1, 1), last=date(2026, 1, 31), at=Positions()
        )
        assert asked.begins.isoformat() == "2026-01-01T00:00:00+08:00"
        assert asked.ends.isoformat() == "2026-02-01T00:00:00+08:00"
