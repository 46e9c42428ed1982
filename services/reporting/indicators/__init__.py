"""Every figure there is, one declarative definition each, in the order a work report tells them."""

from collections.abc import Mapping

from services.reporting.indicators import collection, disputes, organisation, publicity, satisfaction, sessions
from services.reporting.indicators.definition import Indicator

INDICATORS: tuple[Indicator, ...] = (
    *organisation.INDICATORS,
    *collection.INDICATORS,
    *sessions.INDICATORS,
    *disputes.INDICATORS,
    *satisfaction.INDICATORS,
    *publicity.INDICATORS,
)

BY_SLUG: Mapping[str, Indicator] = {indicator.slug: indicator for indicator in INDICATORS}
