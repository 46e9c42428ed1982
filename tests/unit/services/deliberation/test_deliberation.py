"""Every command on every state of a deliberation: what follows, or which rule says no."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest

from eventlog.testing import SOMEBODY, Scenario
from facts.deliberation.deliberation import (
    CommitmentSettled,
    DeliberationCancelled,
    DeliberationClosed,
    DeliberationConcluded,
    DeliberationDeclined,
    DeliberationOpened,
    DeliberationProposed,
    DisputeResolved,
    Result,
    Topic,
)
from services.deliberation.domain.deliberation import (
    NO_COMMITTEE,
    AtHand,
    CancelDeliberation,
    Command,
    ConcludeDeliberation,
    DeclineDeliberation,
    Fact,
    OpenDeliberation,
    ProposeDeliberation,
    SettleCommitment,
    State,
    deliberation,
)
from tests.unit.sealed_samples import a_public_text
from vocabulary.kinds import Category, DisputeSource, DisputeType

KEY, ISSUE, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=11), UUID(int=12)
TOPIC = Topic(issue_id=ISSUE, category=Category.RURAL_CONSTRUCTION, headline=a_public_text("三社道路硬化"))
DISPUTED = TOPIC.model_copy(update={"dispute": DisputeType.NEIGHBOUR})
BOTH = (FIRST, SECOND)

proposed = DeliberationProposed(deliberation_id=KEY, topic=TOPIC)
opened = DeliberationOpened(deliberation_id=KEY, topic=TOPIC)
declined = DeliberationDeclined(deliberation_id=KEY, issue_id=ISSUE, reason="非本级事权")
concluded = DeliberationConcluded(deliberation_id=KEY, result=Result.CONSENSUS, commitments=BOTH)
settled = CommitmentSettled(deliberation_id=KEY, commitment_id=FIRST, left=(SECOND,))
last_settled = CommitmentSettled(deliberation_id=KEY, commitment_id=SECOND, left=())
cancelled = DeliberationCancelled(deliberation_id=KEY, reason="自行解决", commitments=())
closed = DeliberationClosed(deliberation_id=KEY, issue_id=ISSUE, settled=True)

AT_HAND = AtHand(**dict(SOMEBODY), committee_stands=True)
nothing: Scenario[Command, State, Fact, AtHand] = Scenario(deliberation, context=AT_HAND)
a_proposed_one = nothing.given(proposed)
an_open_one = a_proposed_one.given(opened)
a_concluded_one = an_open_one.given(concluded)
a_closed_one = a_concluded_one.given(settled, last_settled, closed)

STATES: Mapping[str, Scenario[Command, State, Fact, AtHand]] = {
    "nothing": nothing,
    "proposed": a_proposed_one,
    "opened": an_open_one,
    "concluded": a_concluded_one,
    "half kept": a_concluded_one.given(settled),
    "declined": a_proposed_one.given(declined),
    "cancelled": an_open_one.given(cancelled),
    "closed": a_closed_one,
}
COMMANDS: Mapping[str, Command] = {
    "propose": ProposeDeliberation(deliberation_id=KEY, topic=TOPIC),
    "open": OpenDeliberation(),
    "decline": DeclineDeliberation(reason="非本级事权"),
    "conclude": ConcludeDeliberation(result=Result.CONSENSUS, commitments=BOTH),
    "settle": SettleCommitment(commitment_id=FIRST),
    "cancel": CancelDeliberation(reason="自行解决"),
}
ENDED = dict.fromkeys(STATES, "deliberation-ended") | {"nothing": "deliberation-absent"}
OPENED = ENDED | dict.fromkeys(("opened", "concluded", "half kept"), "deliberation-opened")
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "propose": dict.fromkeys(STATES, "deliberation-exists") | {"nothing": proposed},
    "open": OPENED | {"proposed": opened},
    "decline": OPENED | {"proposed": declined},
    "conclude": ENDED
    | dict.fromkeys(("concluded", "half kept"), "deliberation-concluded")
    | {"proposed": "deliberation-not-open", "opened": concluded},
    "settle": ENDED
    | dict.fromkeys(("proposed", "opened"), "deliberation-not-concluded")
    | {"concluded": settled, "half kept": "commitment-not-awaited"},
    "cancel": ENDED
    | {
        "proposed": cancelled,
        "opened": cancelled,
        "concluded": cancelled.model_copy(update={"commitments": BOTH}),
        "half kept": cancelled.model_copy(update={"commitments": (SECOND,)}),
    },
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


def test_where_nobody_could_take_it_that_is_said_at_once() -> None:
    nowhere = nothing.under(AT_HAND.model_copy(update={"committee_stands": False}))
    nowhere.when(COMMANDS["propose"]).then(declined.model_copy(update={"reason": NO_COMMITTEE}))


class TestConcluding:
    def test_without_promises_it_closes_at_once(self) -> None:
        agreed = concluded.model_copy(update={"commitments": ()})
        an_open_one.when(ConcludeDeliberation(result=Result.CONSENSUS)).then(agreed, closed)

    @pytest.mark.parametrize("result", [Result.NO_CONSENSUS, Result.REFERRED])
    def test_without_consensus_the_issue_goes_back(self, result: Result) -> None:
        ended = DeliberationConcluded(deliberation_id=KEY, result=result, commitments=())
        unsettled = closed.model_copy(update={"settled": False})
        an_open_one.when(ConcludeDeliberation(result=result)).then(ended, unsettled)

    @pytest.mark.parametrize("commitments", [(), BOTH])
    def test_a_consensus_on_a_dispute_resolves_it(self, commitments: Sequence[UUID]) -> None:
        on_a_dispute = nothing.given(proposed.model_copy(update={"topic": DISPUTED}), opened)
        conclude = ConcludeDeliberation(result=Result.CONSENSUS, commitments=tuple(commitments))
        resolved = DisputeResolved(
            deliberation_id=KEY, issue_id=ISSUE, dispute=DisputeType.NEIGHBOUR, source=DisputeSource.ROUTED
        )
        facts = on_a_dispute.when(conclude).facts or ()
        assert resolved in facts

    def test_without_consensus_no_dispute_is_resolved(self) -> None:
        on_a_dispute = nothing.given(proposed.model_copy(update={"topic": DISPUTED}), opened)
        facts = on_a_dispute.when(ConcludeDeliberation(result=Result.NO_CONSENSUS)).facts or ()
        assert not [fact for fact in facts if isinstance(fact, DisputeResolved)]


def test_the_last_promise_kept_closes_it() -> None:
    half_kept = a_concluded_one.given(settled)
    half_kept.when(SettleCommitment(commitment_id=SECOND)).then(last_settled, closed)


def test_a_promise_of_another_deliberation_settles_nothing() -> None:
    a_concluded_one.when(SettleCommitment(commitment_id=UUID(int=99))).then_rejected("commitment-not-awaited")


@pytest.mark.parametrize("history", [(), (declined,)])
def test_a_history_that_cannot_be_is_not_read(history: Sequence[Fact]) -> None:
    with pytest.raises(TypeError):
        deliberation.fold([*history, opened])
    with pytest.raises(TypeError):
        deliberation.fold([*history, closed])
