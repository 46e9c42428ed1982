"""What a work report is written from, in whatever language: figures, and not one number that is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.reporting.fact_store.question import Question
from services.reporting.reports.comparison import Comparison
from services.reporting.reports.figures import CountFound, Found, RateFound


@dataclass(frozen=True)
class WorkReport:
    """What a report is written from.

    ``about``: exact figures may read "30余次"; the figure itself stays exact. ``documents``: titles of some of those
    issued.
    """

    place: str
    question: Question
    figures: Sequence[Found]
    comparison: Comparison
    about: bool = False
    documents: Sequence[str] = ()

    @property
    def first(self) -> date:
        return self.question.first

    @property
    def last(self) -> date:
        return self.question.last

    def count(self, slug: str) -> int:
        """Raises LookupError: no such figure."""
        return self._count(slug).amount.value

    def by(self, slug: str, kinds: type[StrEnum]) -> list[tuple[StrEnum, int]]:
        """The breakdown of a figure, less what is nothing, in the order of ``kinds``."""
        by = self._count(slug).amount.by
        return [(kind, by[kind.value]) for kind in kinds if by.get(kind.value)]

    def rate(self, slug: str) -> RateFound:
        """Raises LookupError: no such figure."""
        for found in self.figures:
            if isinstance(found, RateFound) and found.indicator.slug == slug:
                return found
        raise LookupError(slug)

    def _count(self, slug: str) -> CountFound:
        for found in self.figures:
            if isinstance(found, CountFound) and found.indicator.slug == slug:
                return found
        raise LookupError(slug)


def tens(value: int) -> int | None:
    """The full tens below a number that is more than them: 30 for 33, None for 30 and for 9."""
    whole = value // 10 * 10
    return whole if whole and whole != value else None
