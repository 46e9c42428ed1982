"""Divisions: codes, what lies in what, and the codes we give out ourselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from eventlog.errors import Rejected
from vocabulary.divisions import (
    DivisionCode,
    DivisionKind,
    Level,
    contains,
    county_of,
    level_of,
    parent_of,
    provisional_code,
)

CODES = TypeAdapter[str](DivisionCode)
COUNTY, TOWN, VILLAGE = "620724", "620724100", "620724100201"

# Few enough that many lie in each other.
codes = st.tuples(
    st.sampled_from(["620724", "620725"]), st.lists(st.sampled_from(["100", "101", "001"]), max_size=2).map("".join)
).map("".join)


class TestDivisionCode:
    @pytest.mark.parametrize("code", [COUNTY, TOWN, VILLAGE, "620702001"])
    def test_is_a_county_a_town_or_a_village(self, code: str) -> None:
        assert CODES.validate_python(code) == code

    @pytest.mark.parametrize(
        "code",
        [
            "",
            "62",
            "6207241",
            "6207241002011",
            "620724000",
            "620724100000",
            "６２０７２４",
            "620724\n",
            "62072a",
            620724,
        ],
    )
    def test_is_nothing_else(self, code: object) -> None:
        with pytest.raises(ValidationError):
            CODES.validate_python(code)


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [(COUNTY, Level.COUNTY, None), (TOWN, Level.TOWN, COUNTY), (VILLAGE, Level.VILLAGE, TOWN)],
)
def test_a_code_says_its_level_parent_and_county(code: str, level: Level, parent: str | None) -> None:
    assert (level_of(code), parent_of(code), county_of(code)) == (level, parent, COUNTY)


@pytest.mark.parametrize("code", ["", "6207", "62072410"])
def test_what_is_no_code_has_no_level_and_no_county(code: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        level_of(code)
    with pytest.raises(ValueError, match="digits"):
        county_of(code)


class TestContains:
    @pytest.mark.parametrize(
        ("outer", "inner", "answer"),
        [
            (COUNTY, VILLAGE, True),
            (TOWN, VILLAGE, True),
            (VILLAGE, TOWN, False),
            (TOWN, "620724101201", False),
            ("620725", VILLAGE, False),
            ("62072410", "620724100", False),  # not a whole level
            ("", VILLAGE, False),
            ("", "", False),
        ],
    )
    def test_holds_on_whole_levels_only(self, outer: str, inner: str, answer: bool) -> None:
        assert contains(outer, inner) is answer

    @given(codes, codes, codes)
    def test_is_a_partial_order(self, a: str, b: str, c: str) -> None:
        assert contains(a, a)
        assert not (contains(a, b) and contains(b, a)) or a == b
        assert not (contains(a, b) and contains(b, c)) or contains(a, c)

    @given(codes)
    def test_holds_of_every_parent(self, code: str) -> None:
        parent = parent_of(code)
        assert parent is None or contains(parent, code)


class TestProvisionalCode:
    @pytest.mark.parametrize(
        ("kind", "sequence", "code"),
        [
            (DivisionKind.RESIDENTS_COMMITTEE, 1, "620724100601"),
            (DivisionKind.RESIDENTS_COMMITTEE, 99, "620724100699"),
            (DivisionKind.VILLAGE_COMMITTEE, 1, "620724100701"),
            (DivisionKind.VILLAGE_COMMITTEE, 199, "620724100899"),
            (DivisionKind.OTHER, 1, "620724100901"),
            (DivisionKind.OTHER, 99, "620724100999"),
        ],
    )
    def test_stands_in_its_kinds_range(self, kind: DivisionKind, sequence: int, code: str) -> None:
        assert provisional_code(TOWN, kind, sequence) == code

    @given(
        st.sampled_from([DivisionKind.RESIDENTS_COMMITTEE, DivisionKind.VILLAGE_COMMITTEE, DivisionKind.OTHER]),
        st.integers(1, 99),
    )
    def test_is_a_village_of_the_town_and_never_an_official_one(self, kind: DivisionKind, sequence: int) -> None:
        code = CODES.validate_python(provisional_code(TOWN, kind, sequence))
        assert parent_of(code) == TOWN
        assert int(code[-3:]) >= 600

    @pytest.mark.parametrize(
        ("kind", "sequence", "rejection"),
        [
            (DivisionKind.TOWN, 1, "division-kind-not-numbered"),
            (DivisionKind.COUNTY, 1, "division-kind-not-numbered"),
            (DivisionKind.OTHER, 0, "division-sequence-out-of-range"),
            (DivisionKind.OTHER, 100, "division-sequence-out-of-range"),
            (DivisionKind.VILLAGE_COMMITTEE, 200, "division-sequence-out-of-range"),
        ],
    )
    def test_is_refused_outside_it(self, kind: DivisionKind, sequence: int, rejection: str) -> None:
        with pytest.raises(Rejected) as refused:
            provisional_code(TOWN, kind, sequence)
        assert refused.value.code == rejection

    @pytest.mark.parametrize("town", [COUNTY, VILLAGE])
    def test_is_given_out_by_towns_only(self, town: str) -> None:
        with pytest.raises(ValueError, match="town"):
            provisional_code(town, DivisionKind.OTHER, 1)
