"""Comparison: whether results and satisfaction rose, from one period to the next (双提升).

A year is told by its halves; any other period beside the one before it, of as many months or else days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.fact_store.figures import Reads
from services.reporting.fact_store.question import Question
from services.reporting.indicators.satisfaction import SATISFACTION_RATE
from services.reporting.indicators.sessions import ADOPTION_RATE
from services.reporting.reports.figures import RateFound, of_rate

COMPARED = (ADOPTION_RATE, SATISFACTION_RATE)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A rate in the earlier and in the later period."""

    earlier: RateFound
    later: RateFound

    @property
    def told(self) -> bool:
        return self.earlier.value is not None and self.later.value is not None

    @property
    def rose(self) -> bool:
        earlier, later = self.earlier.value, self.later.value
        return earlier is not None and later is not None and later > earlier


@dataclass(frozen=True)
class Comparison:
    """``halves``: of one year; otherwise the period and the one before."""

    halves: bool
    changes: Mapping[str, Change]

    @property
    def both_rose(self) -> bool:
        return all(change.rose for change in self.changes.values())


async def compare(reads: Reads, question: Question) -> Comparison:
    """Compute the rates that are compared, in both periods."""
    earlier, later = compared_periods(question)
    changes = {
        rate.slug: Change(await of_rate(reads, rate, earlier), await of_rate(reads, rate, later)) for rate in COMPARED
    }
    return Comparison(halves=later != question, changes=changes)


def compared_periods(question: Question) -> tuple[Question, Question]:
    """Return the earlier and the later period that a question is told by. Pure."""
    first, last = question.first, question.last
    if (first, last) == (date(first.year, 1, 1), date(first.year, 12, 31)):
        return (
            question.model_copy(update={"last": date(first.year, 6, 30)}),
            question.model_copy(update={"first": date(first.year, 7, 1)}),
        )
    before = _months_back(first, _months(first, last)) if _whole_months(first, last) else first - (last - first) - _DAY
    return question.model_copy(update={"first": before, "last": first - _DAY}), question


def _whole_months(first: date, last: date) -> bool:
    return first.day == 1 and (last + _DAY).day == 1


def _months(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _months_back(day: date, n: int) -> date:
    months = day.year * 12 + day.month - 1 - n
    return date(months // 12, months % 12 + 1, 1)
