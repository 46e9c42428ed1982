"""Survey: how those concerned rate what became of a deliberation, one rating a person and never by the handler."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.deliberation.survey import Rating, RatingRecorded, SurveyClosed, SurveyOpened
from vocabulary.organs import OrganId
from vocabulary.words import Account, Count, Flag


class OpenSurvey(Value):
    """``eligible``: how many may rate: the sides and the residents affected."""

    survey_id: UUID
    deliberation_id: UUID
    eligible: Annotated[Count, Field(ge=1)]


class RecordRating(Value):
    """``rater``: a person by random id."""

    rater: UUID
    rating: Rating


class CloseSurvey(Value):
    """No more ratings are taken."""


class Unopened(Value):
    """Nobody was asked yet."""


class Open(Value):
    survey_id: UUID
    deliberation_id: UUID
    eligible: Count
    raters: frozenset[UUID] = frozenset()


class Closed(Value):
    survey_id: UUID
    deliberation_id: UUID
    eligible: Count
    raters: frozenset[UUID]


Command: TypeAlias = OpenSurvey | RecordRating | CloseSurvey
Fact: TypeAlias = SurveyOpened | RatingRecorded | SurveyClosed
State: TypeAlias = Unopened | Open | Closed


class AtHand(Context):
    """Whether the deliberation was concluded; which units, and which persons in them, keep its promises."""

    concluded: Flag = False
    units: frozenset[OrganId] = frozenset()
    handlers: frozenset[Account] = frozenset()


def decide(command: Command, survey: State, context: AtHand) -> Sequence[Fact]:
    match command:
        case OpenSurvey():
            return open_(command, survey, context)
        case RecordRating():
            return record(command, survey, context)
        case CloseSurvey():
            return close(survey)


def open_(command: OpenSurvey, survey: State, context: AtHand) -> Sequence[Fact]:
    """There is something to rate once a deliberation was concluded."""
    match survey:
        case Unopened() if not context.concluded:
            raise Rejected("deliberation-not-concluded")
        case Unopened():
            return [SurveyOpened(**vars(command))]
        case Open() | Closed():
            raise Rejected("survey-exists")


def record(command: RecordRating, survey: State, context: AtHand) -> Sequence[Fact]:
    """Whoever handled it neither rates nor enters ratings."""
    match survey:
        case Open(raters=raters) if command.rater in raters:
            raise Rejected("rated-already")
        case Open() if context.actor.organ in context.units:
            raise Rejected("rated-by-handler")
        case Open() if not context.handlers.isdisjoint({context.actor.id, str(command.rater)}):
            raise Rejected("rated-by-handler")
        case Open(raters=raters, eligible=eligible) if len(raters) >= eligible:
            raise Rejected("all-have-rated", eligible=eligible)
        case Open(survey_id=key):
            return [RatingRecorded(survey_id=key, **vars(command))]
        case Unopened():
            raise Rejected("survey-absent")
        case Closed():
            raise Rejected("survey-closed")


def close(survey: State) -> Sequence[Fact]:
    match survey:
        case Open(survey_id=key):
            return [SurveyClosed(survey_id=key)]
        case Unopened():
            raise Rejected("survey-absent")
        case Closed():
            raise Rejected("survey-closed")


def evolve(survey: State, fact: Fact) -> State:
    match fact:
        case SurveyOpened(survey_id=key, deliberation_id=deliberation_id, eligible=eligible):
            return Open(survey_id=key, deliberation_id=deliberation_id, eligible=eligible)
        case RatingRecorded(rater=rater):
            before = opened(survey)
            return before.model_copy(update={"raters": before.raters | {rater}})
        case SurveyClosed():
            return Closed(**vars(opened(survey)))


def opened(survey: State) -> Open:
    if not isinstance(survey, Open):
        raise TypeError("only an open survey is rated and closed")
    return survey


survey: Decider[Command, State, Fact, AtHand] = Decider("survey", Unopened(), decide, evolve)
