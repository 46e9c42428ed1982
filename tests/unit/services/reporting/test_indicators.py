"""Definitions: told in both languages, each under a slug of its own, over fields that are there."""

import pytest
from pydantic import ValidationError

from facts.deliberation.commitment import CommitmentDeadlineMoved
from facts.intake.issue import IssueClassified, IssueRegistered
from facts.intake.submission import SubmissionReceived
from facts.mediation.case import AgreementReached
from services.reporting.indicators import BY_SLUG, INDICATORS
from services.reporting.indicators.collection import ISSUES_REGISTERED, KEY_ISSUES
from services.reporting.indicators.definition import At, By, Count, Having, Rate, Text, default_of
from services.reporting.indicators.disputes import AGREEMENTS_DUE
from services.reporting.indicators.sessions import COMMITMENTS_DUE


def every_count() -> list[Count]:
    counts: list[Count] = []
    for indicator in INDICATORS:
        match indicator:
            case Count():
                counts.append(indicator)
            case Rate(numerator=numerator, denominator=denominator):
                counts += [numerator, denominator]
    return counts


class TestIndicators:
    def test_have_slugs_of_their_own(self) -> None:
        assert len(BY_SLUG) == len(INDICATORS)
        for count in every_count():
            same = [other for other in every_count() if other.slug == count.slug]
            assert all(other == count for other in same), count.slug
            assert not isinstance(BY_SLUG.get(count.slug), Rate)

    def test_are_told_in_both_languages(self) -> None:
        for text in [t for one in (*INDICATORS, *every_count()) for t in (one.title, one.definition)]:
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh), text
            assert not any("\u4e00" <= letter <= "\u9fff" for letter in text.en), text

    def test_that_are_rates_count_of_their_denominator_or_tell_it_apart(self) -> None:
        """So a rate never exceeds one, but for ratings, whose numerator is the denominator with a condition."""
        for rate in INDICATORS:
            if isinstance(rate, Rate) and rate.numerator.among != rate.denominator:
                assert rate.numerator.of == rate.denominator.of
                assert rate.numerator.where

    def test_cover_the_figures_of_the_article(self) -> None:
        article = {
            "party-committee-meetings",
            "cadre-meetings",
            "documents-issued",
            "learning-sessions",
            "workstations",
            "committees",
            "opinions-collected",
            "key-issues",
            "sessions",
            "micro-consultations",
            "disputes-resolved",
            "satisfaction-rate",
            "publicity",
        }
        assert article <= set(BY_SLUG)


class TestDefinition:
    def test_refuses_a_field_that_is_not_there(self) -> None:
        changed = dict(ISSUES_REGISTERED)
        with pytest.raises(ValidationError, match="IssueRegistered has no clause"):
            Count.model_validate({**changed, "by": By(path="clause")})
        with pytest.raises(ValidationError, match="has no colour"):
            Count.model_validate({**changed, "by": By(path="details.colour")})
        with pytest.raises(ValidationError, match="has no clause"):
            Having(of=IssueClassified, where={"clause": (True,)})

    def test_refuses_two_ways_of_belonging_to_a_period(self) -> None:
        with pytest.raises(ValidationError, match="two ways"):
            Count.model_validate({**dict(AGREEMENTS_DUE), "at": At.PERIOD_END})

    def test_refuses_another_date_where_there_is_none(self) -> None:
        with pytest.raises(ValidationError, match="no date"):
            Count.model_validate({**dict(KEY_ISSUES), "redated": CommitmentDeadlineMoved})
        with pytest.raises(ValidationError, match="has no perform_by"):
            Count.model_validate({**dict(AGREEMENTS_DUE), "redated": CommitmentDeadlineMoved})

    def test_refuses_a_title_in_one_language(self) -> None:
        with pytest.raises(ValidationError):
            Text(zh="重点问题", en="")

    def test_knows_days_from_instants(self) -> None:
        assert AGREEMENTS_DUE.dated_by_day
        assert not COMMITMENTS_DUE.dated_by_day
        assert not KEY_ISSUES.dated_by_day

    def test_knows_what_older_facts_say_of_a_younger_field(self) -> None:
        assert default_of((SubmissionReceived,), "backfilled") == "false"
        assert default_of((SubmissionReceived,), "place") is None
        assert default_of((IssueRegistered,), "details.category") is None
        assert default_of((AgreementReached,), "perform_by") is None
