"""Every command on every state of a survey: what follows, or which rule says no."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from eventlog.decider import Actor
from eventlog.testing import SOMEBODY, Scenario
from facts.deliberation.survey import Rating, RatingRecorded, SurveyClosed, SurveyOpened
from services.deliberation.domain.survey import (
    AtHand,
    CloseSurvey,
    Command,
    Fact,
    OpenSurvey,
    RecordRating,
    State,
    survey,
)

KEY, DELIBERATION, WANG, LI, ZHAO = (UUID(int=n) for n in range(1, 6))
UNIT = "620724100.town-government"

opened = SurveyOpened(survey_id=KEY, deliberation_id=DELIBERATION, eligible=2)
rated = RatingRecorded(survey_id=KEY, rater=WANG, rating=Rating.SATISFIED)
closed = SurveyClosed(survey_id=KEY)

AT_HAND = AtHand(
    actor=Actor(id="clerk", organ="620724100701.village-committee"),
    occurred_at=SOMEBODY.occurred_at,
    concluded=True,
    units=frozenset({UNIT}),
    handlers=frozenset({"worker", str(ZHAO)}),
)
nothing: Scenario[Command, State, Fact, AtHand] = Scenario(survey, context=AT_HAND)
an_open_one = nothing.given(opened)

STATES: Mapping[str, Scenario[Command, State, Fact, AtHand]] = {
    "nothing": nothing,
    "open": an_open_one,
    "rated": an_open_one.given(rated),
    "closed": an_open_one.given(closed),
}
COMMANDS: Mapping[str, Command] = {
    "open": OpenSurvey(**dict(opened)),
    "rate": RecordRating(rater=WANG, rating=Rating.SATISFIED),
    "close": CloseSurvey(),
}
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "open": {**dict.fromkeys(STATES, "survey-exists"), "nothing": opened},
    "rate": {"nothing": "survey-absent", "open": rated, "rated": "rated-already", "closed": "survey-closed"},
    "close": {"nothing": "survey-absent", "open": closed, "rated": closed, "closed": "survey-closed"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_every_state(command: str, state: str) -> None:
    outcome = STATES[state].when(COMMANDS[command])
    match TABLE[command][state]:
        case str() as code:
            outcome.then_rejected(code)
        case fact:
            outcome.then(fact)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_sent_twice_is_refused_the_second_time(command: str, state: str) -> None:
    outcome = STATES[state].when(COMMANDS[command])
    if outcome.facts is not None:
        assert STATES[state].given(*outcome.facts).when(COMMANDS[command]).code is not None


def test_there_is_something_to_rate() -> None:
    open_still = nothing.under(AT_HAND.model_copy(update={"concluded": False}))
    open_still.when(COMMANDS["open"]).then_rejected("deliberation-not-concluded")


class TestRating:
    @pytest.mark.parametrize("actor", [Actor(id="colleague", organ=UNIT), Actor(id="worker")])
    def test_is_not_entered_by_whoever_handled_it(self, actor: Actor) -> None:
        handler = an_open_one.under(AT_HAND.model_copy(update={"actor": actor}))
        handler.when(COMMANDS["rate"]).then_rejected("rated-by-handler")

    def test_is_not_given_by_whoever_handled_it(self) -> None:
        an_open_one.when(RecordRating(rater=ZHAO, rating=Rating.VERY_SATISFIED)).then_rejected("rated-by-handler")

    def test_is_given_by_no_more_than_may(self) -> None:
        full = an_open_one.given(rated, rated.model_copy(update={"rater": LI}))
        full.when(RecordRating(rater=UUID(int=9), rating=Rating.DISSATISFIED)).then_rejected("all-have-rated")


@pytest.mark.parametrize("fact", [rated, closed])
def test_a_history_that_cannot_be_is_not_read(fact: Fact) -> None:
    with pytest.raises(TypeError):
        survey.fold([fact])
