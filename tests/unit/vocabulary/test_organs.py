"""Organs: an id says where and what; no organ has two."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from vocabulary.organs import SEVERAL, Organ, OrganId, OrganKind, division_of, organ_id

IDS = TypeAdapter[str](OrganId)


@pytest.mark.parametrize("kind", OrganKind)
def test_every_kind_can_be_named(kind: OrganKind) -> None:
    made = organ_id("620724100201", kind)
    assert IDS.validate_python(made) == f"620724100201.{kind}"
    assert division_of(made) == "620724100201"


@pytest.mark.parametrize("kind", sorted(SEVERAL))
def test_what_may_stand_several_times_may_carry_a_number(kind: OrganKind) -> None:
    assert IDS.validate_python(organ_id("620724100201", kind, 12)) == f"620724100201.{kind}.12"


@pytest.mark.parametrize("kind", sorted(set(OrganKind) - SEVERAL))
def test_what_stands_once_carries_none(kind: OrganKind) -> None:
    with pytest.raises(ValueError, match="names no organ"):
        organ_id("620724100201", kind, 1)


@pytest.mark.parametrize(("division", "n"), [("62", None), ("620724100201", 0), ("620724100201", 1000), ("", 1)])
def test_no_organ_without_a_place_or_a_fair_number(division: str, n: int | None) -> None:
    with pytest.raises(ValueError, match="names no organ"):
        organ_id(division, OrganKind.VILLAGE_GROUP, n)


@pytest.mark.parametrize(
    "text",
    [
        "620724",
        "620724.",
        "620724.palace",
        "620724.county-government.1",
        "620724.department.01",
        "620724.department.",
        "620724.department\n",
        "62072.department",
        "620724.DEPARTMENT",
    ],
)
def test_an_id_is_nothing_else(text: str) -> None:
    with pytest.raises(ValidationError):
        IDS.validate_python(text)


class TestOrgan:
    group = Organ(
        id="620724100701.village-group.3",
        kind=OrganKind.VILLAGE_GROUP,
        division="620724100701",
        name="三社",
        valid_from=date(2026, 1, 1),
    )

    def test_is_read_back_as_written(self) -> None:
        assert Organ.model_validate_json(self.group.model_dump_json()) == self.group

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": OrganKind.DELIBERATION_ROOM},
            {"division": "620724100702"},
            {"valid_to": date(2025, 12, 31)},
        ],
    )
    def test_never_contradicts_itself(self, change: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Organ.model_validate(self.group.model_dump() | change)
