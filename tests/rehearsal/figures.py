"""Figures: what is asked, what an answer looks like, and how two answers differ, whoever gave them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Asked:
    """A division and all that lies in it; the days from ``first`` to ``last``, both included."""

    division: str
    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.division} from {self.first} to {self.last}"

    def days(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Counted:
    """``by``: the same for each value of the breakdown, where there is one."""

    value: int
    by: Mapping[str, int]


@dataclass(frozen=True)
class Rated:
    """``value`` to four decimals, None for ``reason``; a numerator that would tell who said what is None, too."""

    numerator: int | None
    denominator: int
    value: float | None
    reason: str | None


Figure: TypeAlias = Counted | Rated
Figures: TypeAlias = Mapping[str, Figure]


def read(report: Mapping[str, Any]) -> Figures:
    """Read what reporting answers on ``/reports/work``."""
    return {figure["slug"]: _figure(figure) for figure in report["figures"]}


def _figure(figure: Mapping[str, Any]) -> Figure:
    if figure["kind"] == "count":
        return Counted(figure["value"], {by: part["value"] for by, part in figure["by"].items()})
    terms = figure["numerator"]["value"], figure["denominator"]["value"]
    return Rated(*terms, figure["value"], figure["reason"])


def difference(asked: Asked, expected: Figures, told: Figures) -> Iterator[str]:
    """Give a line for each figure that is not what it should be."""
    for slug in sorted(expected.keys() | told.keys()):
        if expected.get(slug) != told.get(slug):
            yield f"{asked}: {slug} should be {_said(expected.get(slug))}, but is told as {_said(told.get(slug))}"


def _said(figure: Figure | None) -> str:
    match figure:
        case None:
            return "absent"
        case Counted(value=value, by=by):
            parts = ", ".join(f"{part} {n}" for part, n in sorted(by.items()))
            return f"{value} ({parts})" if parts else str(value)
        case Rated(numerator=numerator, denominator=denominator, reason=None):
            return f"{numerator}/{denominator}"
        case Rated(numerator=numerator, denominator=denominator, reason=reason):
            return f"{'?' if numerator is None else numerator}/{denominator} ({reason})"
