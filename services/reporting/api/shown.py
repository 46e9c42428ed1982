"""Shown: figures as JSON, each with the link that opens it down to its facts."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal
from urllib.parse import urlencode

from pydantic import Field

from eventlog.facts import Value
from services.reporting.fact_store.figures import Amount
from services.reporting.fact_store.question import Positions, Question
from services.reporting.indicators.definition import Count, Term, Text, Unit
from services.reporting.reports.figures import CountFound, Found, RateFound, Untold
from vocabulary.divisions import DivisionCode


class PartShown(Value):
    """One value of a breakdown. ``facts`` lists exactly those behind it."""

    value: int
    facts: str


class CountShown(Value):
    """``value`` is how many facts the link ``facts`` lists, or what they add up to."""

    kind: Literal["count"] = "count"
    slug: str
    title: Text
    definition: Text
    unit: Unit
    value: int
    by: Mapping[str, PartShown]
    facts: str


class TermShown(Value):
    """``value`` None: not told, because so few rated."""

    slug: str
    title: Text
    definition: Text
    unit: Unit
    value: int | None
    facts: str


class RateShown(Value):
    """``value`` from 0 to 1, four decimals; None for the ``reason`` given."""

    kind: Literal["rate"] = "rate"
    slug: str
    title: Text
    definition: Text
    unit: Literal["ratio"] = "ratio"
    value: float | None
    reason: Untold | None
    numerator: TermShown
    denominator: TermShown


class Period(Value):
    """Both days included, Asia/Shanghai."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")


class ReportShown(Value):
    """``at`` names the positions it was computed at: asked again with them, it gives the same answer."""

    division: DivisionCode
    name: str | None
    period: Period
    positions: Positions
    at: str
    figures: tuple[CountShown | RateShown, ...]


def report(question: Question, name: str | None, found: Sequence[Found]) -> ReportShown:
    """Show what was found for a question."""
    return ReportShown(
        division=question.division,
        name=name,
        period=Period(first=question.first, last=question.last),
        positions=question.at,
        at=str(question.at),
        figures=tuple(figure(one, question) for one in found),
    )


def figure(found: Found, question: Question) -> CountShown | RateShown:
    match found:
        case CountFound(indicator=count, amount=amount):
            return CountShown(
                slug=count.slug,
                title=count.title,
                definition=count.definition,
                unit=count.unit,
                value=amount.value,
                by={
                    by: PartShown(value=value, facts=link(count.slug, question, by=by))
                    for by, value in amount.by.items()
                },
                facts=link(count.slug, question),
            )
        case RateFound(indicator=rate):
            hidden = found.untold is Untold.TOO_FEW
            return RateShown(
                slug=rate.slug,
                title=rate.title,
                definition=rate.definition,
                value=found.value,
                reason=found.untold,
                numerator=_term(
                    rate.numerator, found.numerator, link(rate.slug, question, term=Term.NUMERATOR), hidden=hidden
                ),
                denominator=_term(
                    rate.denominator, found.denominator, link(rate.slug, question, term=Term.DENOMINATOR), hidden=False
                ),
            )


def _term(count: Count, amount: Amount, facts: str, *, hidden: bool) -> TermShown:
    return TermShown(
        slug=count.slug,
        title=count.title,
        definition=count.definition,
        unit=count.unit,
        value=None if hidden else amount.value,
        facts=facts,
    )


def link(slug: str, question: Question, **more: str) -> str:
    """Where the facts behind a figure are listed: those of this very answer, whatever has come since."""
    asked = {
        "division": question.division,
        "from": question.first.isoformat(),
        "to": question.last.isoformat(),
        "at": str(question.at),
    }
    return f"/reports/work/figures/{slug}/facts?{urlencode({**asked, **more}, safe=',')}"
