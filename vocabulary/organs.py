"""Organs: bodies and offices at a division, each known by a natural key that says where and what it is."""

import re
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from eventlog.facts import Value
from vocabulary.divisions import CODE, DivisionCode
from vocabulary.words import Day, Line


class OrganKind(StrEnum):
    COUNTY_GOVERNMENT = "county-government"  # 县政府
    COUNTY_PARTY_COMMITTEE = "county-party-committee"  # 县委
    COUNTY_CPPCC = "county-cppcc"  # 县政协
    COUNTY_JUSTICE_BUREAU = "county-justice-bureau"  # 县司法局
    DEPARTMENT = "department"  # 承办部门
    TOWN_GOVERNMENT = "town-government"  # 镇政府
    TOWN_PARTY_COMMITTEE = "town-party-committee"  # 镇党委
    MEMBER_WORKSTATION = "member-workstation"  # 委员工作站
    MEMBER_STUDIO = "member-studio"  # 委员工作室
    JUSTICE_OFFICE = "justice-office"  # 司法所
    GOVERNANCE_CENTRE = "governance-centre"  # 综治中心
    VILLAGE_COMMITTEE = "village-committee"  # 村民委员会
    RESIDENTS_COMMITTEE = "residents-committee"  # 居民委员会
    VILLAGE_PARTY_BRANCH = "village-party-branch"  # 村党支部
    VILLAGE_GROUP = "village-group"  # 村民小组
    SUPERVISORY_COMMITTEE = "supervisory-committee"  # 村务监督委员会
    DELIBERATION_COMMITTEE = "deliberation-committee"  # 协商议事委员会
    DELIBERATION_ROOM = "deliberation-room"  # 协商议事室
    MEDIATION_COMMITTEE = "mediation-committee"  # 人民调解委员会


SEVERAL = frozenset(
    {
        OrganKind.DEPARTMENT,
        OrganKind.MEMBER_STUDIO,
        OrganKind.VILLAGE_GROUP,
        OrganKind.DELIBERATION_ROOM,
        OrganKind.MEDIATION_COMMITTEE,  # beside the division's own, those of a trade or a market (PML 34)
    }
)
"""Kinds that may stand several times in one division, and so may carry a number."""

_NUMBERED = "|".join(kind for kind in OrganKind if kind in SEVERAL)
_SINGLE = "|".join(kind for kind in OrganKind if kind not in SEVERAL)
_PATTERN = rf"^{CODE}\.(?:(?:{_NUMBERED})(?:\.[1-9][0-9]{{0,2}})?|(?:{_SINGLE}))$"

OrganId: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=_PATTERN),
    Field(examples=["620724100.town-government", "620724100701.village-group.3"]),
]
"""``<division>.<kind>``, or ``<division>.<kind>.<n>`` (n from 1 to 999) for kinds that may stand several times."""


def organ_id(division: str, kind: OrganKind, n: int | None = None) -> OrganId:
    """Name the organ of a kind at a division. Raises ValueError: no such division code, or no such number there."""
    made = f"{division}.{kind}" if n is None else f"{division}.{kind}.{n}"
    if re.fullmatch(_PATTERN, made) is None:
        raise ValueError(f"{made!r} names no organ")
    return made


def division_of(organ: str) -> DivisionCode:
    """The division an organ stands at."""
    return organ.partition(".")[0]


class Organ(Value):
    """A body at a division; its id agrees with both. ``valid_to`` is its last day, None while it stands."""

    id: OrganId
    kind: OrganKind
    division: DivisionCode
    name: Line
    valid_from: Day
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _agree(self) -> "Organ":
        if self.id.split(".")[:2] != [self.division, self.kind]:
            raise ValueError("an organ's id states its division and kind")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("an organ ends after it begins")
        return self
