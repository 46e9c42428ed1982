"""Every figure of a report, computed for one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from services.reporting.fact_store.figures import Amount, Reads, amount
from services.reporting.fact_store.question import Question
from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import Count, Rate, Term


class Untold(StrEnum):
    """Why a rate has no value."""

    NOTHING_TO_COMPARE = "nothing-to-compare"  # the denominator is zero
    TOO_FEW = "too-few"  # so few that it would tell who said what; the numerator is not told either


@dataclass(frozen=True)
class CountFound:
    indicator: Count
    amount: Amount


@dataclass(frozen=True)
class RateFound:
    indicator: Rate
    numerator: Amount
    denominator: Amount

    @property
    def untold(self) -> Untold | None:
        enough = self.indicator.enough
        if enough is not None and self.term(enough.term).facts < enough.facts:
            return Untold.TOO_FEW
        return None if self.denominator.value else Untold.NOTHING_TO_COMPARE

    @property
    def value(self) -> float | None:
        """The proportion to four decimals, or None where it is untold."""
        return None if self.untold else round(self.numerator.value / self.denominator.value, 4)

    def term(self, term: Term) -> Amount:
        return self.numerator if term is Term.NUMERATOR else self.denominator


Found: TypeAlias = CountFound | RateFound


async def compute(reads: Reads, question: Question) -> Sequence[Found]:
    """Compute every indicator, in their order; a count that several share is asked for once."""
    known: dict[str, Amount] = {}

    async def of(count: Count) -> Amount:
        if count.slug not in known:
            known[count.slug] = await amount(reads, count, question)
        return known[count.slug]

    found: list[Found] = []
    for indicator in INDICATORS:
        match indicator:
            case Count():
                found.append(CountFound(indicator, await of(indicator)))
            case Rate(numerator=numerator, denominator=denominator):
                found.append(RateFound(indicator, await of(numerator), await of(denominator)))
    return found


async def of_rate(reads: Reads, rate: Rate, question: Question) -> RateFound:
    """Compute one rate."""
    return RateFound(
        rate, await amount(reads, rate.numerator, question), await amount(reads, rate.denominator, question)
    )
