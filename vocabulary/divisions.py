"""Divisions: places by statistical code. A county has 6 digits, a town 9, a village 12; each begins with its parent.

Each level's three digits are 001-999: a code padded with 000 would be a second name for its parent, and is refused.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import Field, StringConstraints

from eventlog.errors import Rejected

_THREE_DIGITS = "(?:[1-9][0-9]{2}|0[1-9][0-9]|00[1-9])"
CODE = f"[0-9]{{6}}(?:{_THREE_DIGITS}){{0,2}}"
"""A division's code as a regular expression, without anchors."""

DivisionCode: TypeAlias = Annotated[
    str, StringConstraints(pattern=f"^{CODE}$"), Field(examples=["620724", "620724100", "620724100601"])
]
"""The code of a county (6 ASCII digits), a town (9) or a village (12)."""


class Level(StrEnum):
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"


class DivisionKind(StrEnum):
    """What sort of place it is, as the statistics tell them apart."""

    COUNTY = "county"
    TOWN = "town"
    VILLAGE_COMMITTEE = "village-committee"  # 村委会
    RESIDENTS_COMMITTEE = "residents-committee"  # 居委会
    OTHER = "other"  # 虚拟或其他


_LEVELS = {6: Level.COUNTY, 9: Level.TOWN, 12: Level.VILLAGE}

# The statistics bureau numbers residents' committees 001-199, village committees 200-399 and what merely resembles
# them (类似居委会, 类似村委会) 400-599. All of ours stand above that, so none can meet an official one.
_PROVISIONAL = {
    DivisionKind.RESIDENTS_COMMITTEE: range(601, 700),
    DivisionKind.VILLAGE_COMMITTEE: range(701, 900),
    DivisionKind.OTHER: range(901, 1000),
}


def level_of(code: str) -> Level:
    """Tell a county, a town and a village apart. Raises ValueError: no code has that many digits."""
    try:
        return _LEVELS[len(code)]
    except KeyError:
        raise ValueError("a division code has 6, 9 or 12 digits") from None


def parent_of(code: str) -> DivisionCode | None:
    """The town of a village, the county of a town; None for a county."""
    return None if level_of(code) is Level.COUNTY else code[:-3]


def contains(outer: str, inner: str) -> bool:
    """Whether ``inner`` is ``outer`` or lies in it. False for anything that is no code: it is nowhere."""
    return len(outer) in _LEVELS and len(inner) in _LEVELS and inner.startswith(outer)


def county_of(code: str) -> DivisionCode:
    """The county a division lies in: the tenant. Raises ValueError: no code has that many digits."""
    level_of(code)
    return code[:6]


def provisional_code(town: str, kind: DivisionKind, sequence: int) -> DivisionCode:
    """Stand in for an official village code that is not to be had: same town, kind and sequence, same code, always.

    Residents' committees get 601-699, village committees 701-899, others 901-999; ``sequence`` counts from 1.
    Raises ValueError: ``town`` is no town. Raises Rejected: no range for that kind, or it ends before ``sequence``.
    """
    if level_of(town) is not Level.TOWN:
        raise ValueError("only a town gives out village codes")
    numbers = _PROVISIONAL.get(kind)
    if numbers is None:
        raise Rejected("division-kind-not-numbered", kind=kind.value)
    if not 1 <= sequence <= len(numbers):
        raise Rejected("division-sequence-out-of-range", kind=kind.value, sequence=sequence, last=len(numbers))
    return f"{town}{numbers[sequence - 1]}"
