"""SatisfactionSurvey: how those concerned rate what became of a deliberation."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact
from vocabulary.words import Count


class Rating(StrEnum):
    VERY_SATISFIED = "very-satisfied"  # 非常满意
    SATISFIED = "satisfied"  # 满意
    BASICALLY_SATISFIED = "basically-satisfied"  # 基本满意
    DISSATISFIED = "dissatisfied"  # 不满意


class SurveyOpened(Fact, name="survey-opened"):
    """``eligible``: how many may rate: the sides and the residents affected."""

    survey_id: UUID
    deliberation_id: UUID
    eligible: Count


class RatingRecorded(Fact, name="rating-recorded"):
    """One rating a person, who is known by a random id only."""

    survey_id: UUID
    rater: UUID
    rating: Rating


class SurveyClosed(Fact, name="survey-closed"):
    survey_id: UUID
