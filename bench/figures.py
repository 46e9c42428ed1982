"""Figure: one thing measured, beside what it is compared with and what it should reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from bench.order import Order


@dataclass(frozen=True)
class Figure:
    """``against``: what the peer named in ``name`` reached in the same run, and ``ratio`` how we stand to it.

    ``goal`` is the least ratio wanted; without a peer it is the greatest value allowed. ``order`` and ``against_order``
    tell what a reader was shown of such facts.
    """

    name: str
    value: float
    unit: str
    against: float | None = None
    ratio: float | None = None
    goal: float | None = None
    order: Order | None = None
    against_order: Order | None = None

    @property
    def met(self) -> bool | None:
        """None where no goal is set."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.ratio is None else self.ratio >= self.goal


def compared(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    goal: float | None = None,
    orders: tuple[Order | None, Order | None] = (None, None),
) -> Figure:
    """Compare round by round, so that what slows the machine for a while slows both; every word of it is a median."""
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return Figure(name, median(ours), unit, median(theirs), ratio, goal, *orders)


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least ``share`` (0 to 1) of them do not exceed. Raises ValueError for no samples."""
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def as_json(figures: Sequence[Figure]) -> Mapping[str, Mapping[str, object]]:
    """``{figure: {value, unit, against, ratio, goal, met}}``; what was lost and inverted are figures of their own.

    Raises ValueError: two figures of one name.
    """
    told: dict[str, dict[str, object]] = {}
    for figure in (each for one in figures for each in (one, *_of_order(one))):
        if figure.name in told:
            raise ValueError(f"two figures are called {figure.name!r}")
        told[figure.name] = {
            "value": _rounded(figure.value),
            "unit": figure.unit,
            "against": None if figure.against is None else _rounded(figure.against),
            "ratio": None if figure.ratio is None else _rounded(figure.ratio),
            "goal": figure.goal,
            "met": figure.met,
        }
    return told


def _of_order(figure: Figure) -> Sequence[Figure]:
    ours, theirs = figure.order, figure.against_order
    if ours is None:
        return ()
    lost, inverted = (None, None) if theirs is None else (theirs.lost, theirs.inverted)
    return (
        Figure(f"{figure.name}, lost", ours.lost, "facts", lost, goal=0),
        Figure(f"{figure.name}, inverted", ours.inverted, "facts", inverted, goal=0),
    )


def as_table(figures: Sequence[Figure]) -> Table:
    """The same for a terminal; what was lost and inverted stands beside each rate."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("figure", no_wrap=True)
    for heading in ("value", "", "unit", "against", "", "ratio", "goal", ""):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    for figure in figures:
        table.add_row(
            figure.name,
            _shown(figure.value),
            _told(figure.order),
            figure.unit,
            _shown(figure.against),
            _told(figure.against_order),
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.goal is None else f"{'≤' if figure.ratio is None else '≥'} {figure.goal:g}",
            {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[figure.met],
        )
    return table


def _rounded(value: float) -> float:
    return round(value, 3) if abs(value) < 100 else round(value)


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _told(order: Order | None) -> str:
    return "" if order is None else f"({order})"
