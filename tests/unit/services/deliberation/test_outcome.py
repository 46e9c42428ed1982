"""Every command on every state of an outcome: what follows, or which rule says no."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import pytest

from eventlog.testing import SOMEBODY, Scenario
from facts.deliberation.outcome import OutcomeAdopted, OutcomeKind, OutcomeRefused, OutcomeSubmitted, Promise
from services.deliberation.domain.outcome import (
    AdoptOutcome,
    AtHand,
    Command,
    Fact,
    RefuseOutcome,
    State,
    SubmitOutcome,
    outcome,
)
from tests.unit.sealed_samples import a_public_text

KEY, DELIBERATION, SESSION = UUID(int=1), UUID(int=2), UUID(int=3)
SUMMARY, REASONS = a_public_text("先修三社"), a_public_text("资金未落实")
TODAY = date(2026, 3, 2)
PROMISE = Promise(commitment_id=UUID(int=11), what=a_public_text("铺砂"), unit="620724100.town-government", due=TODAY)

submitted = OutcomeSubmitted(
    outcome_id=KEY, deliberation_id=DELIBERATION, session_id=SESSION, kind=OutcomeKind.AGREEMENT, summary=SUMMARY
)
adopted = OutcomeAdopted(
    outcome_id=KEY, deliberation_id=DELIBERATION, kind=OutcomeKind.AGREEMENT, partly=True, promises=(PROMISE,)
)
refused = OutcomeRefused(outcome_id=KEY, deliberation_id=DELIBERATION, reasons=REASONS)

AT_HAND = AtHand(
    actor=SOMEBODY.actor,
    occurred_at=SOMEBODY.occurred_at,
    organ="620724100701.village-committee",
    deliberation_open=True,
    minutes_signed=True,
)
nothing: Scenario[Command, State, Fact, AtHand] = Scenario(outcome, context=AT_HAND)
a_submitted_one = nothing.given(submitted)

STATES: Mapping[str, Scenario[Command, State, Fact, AtHand]] = {
    "nothing": nothing,
    "submitted": a_submitted_one,
    "adopted": a_submitted_one.given(adopted),
    "refused": a_submitted_one.given(refused),
}
COMMANDS: Mapping[str, Command] = {
    "submit": SubmitOutcome(**dict(submitted)),
    "adopt": AdoptOutcome(partly=True, promises=(PROMISE,)),
    "refuse": RefuseOutcome(reasons=REASONS),
}
DECIDED = dict.fromkeys(STATES, "outcome-decided") | {"nothing": "outcome-absent"}
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "submit": dict.fromkeys(STATES, "outcome-exists") | {"nothing": submitted},
    "adopt": DECIDED | {"submitted": adopted},
    "refuse": DECIDED | {"submitted": refused},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_every_state(command: str, state: str) -> None:
    result = STATES[state].when(COMMANDS[command])
    match TABLE[command][state]:
        case str() as code:
            result.then_rejected(code)
        case fact:
            result.then(fact)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_sent_twice_is_refused_the_second_time(command: str, state: str) -> None:
    result = STATES[state].when(COMMANDS[command])
    if result.facts is not None:
        assert STATES[state].given(*result.facts).when(COMMANDS[command]).code is not None


class TestSubmitting:
    def test_needs_signed_minutes(self) -> None:
        unsigned = nothing.under(AT_HAND.model_copy(update={"minutes_signed": False}))
        unsigned.when(COMMANDS["submit"]).then_rejected("minutes-not-signed")

    def test_needs_an_open_deliberation(self) -> None:
        ended = nothing.under(AT_HAND.model_copy(update={"deliberation_open": False}))
        ended.when(COMMANDS["submit"]).then_rejected("deliberation-not-open")


class TestAdopting:
    def test_needs_an_open_deliberation(self) -> None:
        ended = a_submitted_one.under(AT_HAND.model_copy(update={"deliberation_open": False}))
        ended.when(COMMANDS["adopt"]).then_rejected("deliberation-not-open")
        ended.when(COMMANDS["refuse"]).then(refused)

    def test_promises_nothing_for_yesterday(self) -> None:
        late = PROMISE.model_copy(update={"due": date(2026, 3, 1)})
        a_submitted_one.when(AdoptOutcome(promises=(PROMISE, late))).then_rejected("promise-overdue")

    def test_promises_nothing_in_another_countys_name(self) -> None:
        abroad = PROMISE.model_copy(update={"unit": "620725100.town-government"})
        a_submitted_one.when(AdoptOutcome(promises=(abroad,))).then_rejected("promise-for-another-county")

    def test_a_referral_promises_nothing(self) -> None:
        referral = nothing.given(submitted.model_copy(update={"kind": OutcomeKind.REFERRAL}))
        referral.when(AdoptOutcome(promises=(PROMISE,))).then_rejected("referral-promises-nothing")
        bare = adopted.model_copy(update={"kind": OutcomeKind.REFERRAL, "partly": False, "promises": ()})
        referral.when(AdoptOutcome()).then(bare)
