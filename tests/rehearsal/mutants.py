"""Mutants: every indicator with one thing wrong in its definition, to see whether a rehearsal finds it."""

from collections.abc import Iterator

from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import At, Count, Indicator, Rate

WRONG: dict[str, tuple[str, object]] = {
    "counts whatever it is": ("where", {}),
    "asks for no other fact": ("having", None),
    "counts what was undone": ("unless", ()),
    "counts a matter more than once": ("once_a_matter", False),
    "counts by itself": ("among", None),
    "goes by when it was recorded as occurred": ("dated", None),
    "goes by the first date": ("redated", None),
    "counts those of the period, not those at its end": ("at", At.PERIOD),
    "counts facts and adds nothing up": ("adding", None),
    "tells nothing apart": ("by", None),
}


def mutants() -> Iterator[tuple[str, Indicator]]:
    """What is wrong, and the indicator that is wrong so."""
    for indicator in INDICATORS:
        match indicator:
            case Count():
                yield from ((f"{indicator.slug} {wrong}", count) for wrong, count in of(indicator))
                for n in range(len(indicator.of) if len(indicator.of) > 1 else 0):
                    left = indicator.of[:n] + indicator.of[n + 1 :]
                    yield f"{indicator.slug} leaves out {indicator.of[n].fact_name}", changed(indicator, "of", left)
            case Rate():
                for term in ("numerator", "denominator"):
                    count: Count = getattr(indicator, term)
                    for wrong, instead in of(count):
                        if instead.by == count.by:  # no rate shows a breakdown
                            yield (
                                f"{indicator.slug}: {count.slug} {wrong}",
                                indicator.model_copy(update={term: instead}),
                            )
                if indicator.enough is not None:
                    yield f"{indicator.slug} tells of few", indicator.model_copy(update={"enough": None})


def of(count: Count) -> Iterator[tuple[str, Count]]:
    for wrong, (name, instead) in WRONG.items():
        if getattr(count, name) != instead:
            yield wrong, changed(count, name, instead)
    for path, values in count.where.items():
        for value in values if len(values) > 1 else ():
            fewer = {**count.where, path: tuple(one for one in values if one != value)}
            yield f"leaves out {value}", changed(count, "where", fewer)


def changed(count: Count, name: str, instead: object) -> Count:
    without = {"redated": None} if name == "dated" else {}
    return count.model_copy(update={name: instead, **without})
