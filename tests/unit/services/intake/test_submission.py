"""Every command on every state of a submission."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from eventlog.testing import SOMEBODY, Scenario
from facts.intake.submission import (
    Channel,
    SubmissionLinkDeclined,
    SubmissionLinked,
    SubmissionMerged,
    SubmissionReceived,
    SubmissionWithdrawn,
    Submitter,
)
from services.intake.domain.submission import (
    Absent,
    Command,
    Fact,
    Linked,
    LinkToIssue,
    Merged,
    MergeSubmission,
    Received,
    ReceiveSubmission,
    State,
    TargetInForce,
    Withdrawn,
    WithdrawSubmission,
    owner_of,
    submission,
)
from tests.unit.sealed_samples import a_sealed

KEY = UUID("0190b3c4-0000-7000-8000-00000000000a")
FIRST = UUID("0190b3c4-0000-7000-8000-00000000000b")
ISSUE = UUID("0190b3c4-0000-7000-8000-00000000000c")
OTHER_ISSUE = UUID("0190b3c4-0000-7000-8000-00000000000d")
WORDS = a_sealed("路灯坏了", FIRST)
WHY = a_sealed("说错了", FIRST)
STANDING = Received(submission_id=FIRST, anonymous=False, owner=FIRST)
IN_FORCE = TargetInForce(actor=SOMEBODY.actor, occurred_at=SOMEBODY.occurred_at, target=STANDING)

received = SubmissionReceived(submission_id=KEY, channel=Channel.VISIT, words=WORDS, submitter=Submitter(person=FIRST))
merged = SubmissionMerged(submission_id=KEY, into=FIRST)
linked = SubmissionLinked(submission_id=KEY, issue_id=ISSUE)
declined = SubmissionLinkDeclined(submission_id=KEY, issue_id=OTHER_ISSUE)
withdrawn = SubmissionWithdrawn(submission_id=KEY, reason=WHY)

nothing: Scenario[Command, State, Fact, TargetInForce] = Scenario(submission, context=IN_FORCE)
a_received_submission = nothing.given(received)
STATES: Mapping[str, Scenario[Command, State, Fact, TargetInForce]] = {
    "nothing": nothing,
    "received": a_received_submission,
    "merged": a_received_submission.given(merged),
    "linked": a_received_submission.given(linked),
    "withdrawn": a_received_submission.given(withdrawn),
}
COMMANDS: Mapping[str, Command] = {
    "receive": ReceiveSubmission(
        submission_id=KEY, channel=Channel.VISIT, words=WORDS, submitter=Submitter(person=FIRST)
    ),
    "merge": MergeSubmission(into=FIRST),
    "link": LinkToIssue(issue_id=ISSUE),
    "link to another": LinkToIssue(issue_id=OTHER_ISSUE),
    "withdraw": WithdrawSubmission(reason=WHY),
}
ENDED: Mapping[str, Fact | str] = {
    "nothing": "submission-absent",
    "merged": "submission-merged",
    "linked": "submission-linked",
    "withdrawn": "submission-withdrawn",
}
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "receive": {**dict.fromkeys(STATES, "submission-exists"), "nothing": received},
    "merge": {**ENDED, "received": merged},
    "link": {**ENDED, "received": linked},
    "link to another": {
        **ENDED,
        "received": linked.model_copy(update={"issue_id": OTHER_ISSUE}),
        "linked": declined,
    },
    "withdraw": {**ENDED, "received": withdrawn, "merged": withdrawn, "linked": withdrawn},
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


class TestMerging:
    def test_not_into_itself(self) -> None:
        a_received_submission.when(MergeSubmission(into=KEY)).then_rejected("submission-merged-into-itself")

    @pytest.mark.parametrize(
        "target",
        [
            None,
            Absent(),
            Merged(submission_id=FIRST, into=ISSUE, owner=FIRST),
            Withdrawn(submission_id=FIRST, owner=FIRST),
        ],
    )
    def test_only_into_one_that_stands(self, target: State | None) -> None:
        elsewhere = a_received_submission.under(IN_FORCE.model_copy(update={"target": target}))
        elsewhere.when(MergeSubmission(into=FIRST)).then_rejected("merge-target-not-standing")

    def test_into_one_that_an_issue_grew_out_of(self) -> None:
        target = Linked(submission_id=FIRST, issue_id=ISSUE, owner=FIRST)
        scenario = a_received_submission.under(IN_FORCE.model_copy(update={"target": target}))
        scenario.when(MergeSubmission(into=FIRST)).then(merged)


def test_an_anonymous_submission_has_no_submitter() -> None:
    anonymous = received.model_copy(update={"submitter": None, "words": a_sealed("路灯坏了", KEY)})
    assert nothing.given(anonymous).state == Received(submission_id=KEY, anonymous=True, owner=KEY)


def test_a_declined_link_changes_nothing() -> None:
    history = nothing.given(received, linked, declined)
    assert history.state == Linked(submission_id=KEY, issue_id=ISSUE, owner=FIRST)


@pytest.mark.parametrize(
    ("state", "owner"),
    [("received", FIRST), ("merged", FIRST), ("linked", FIRST), ("withdrawn", FIRST), ("nothing", KEY)],
)
def test_every_state_knows_whose_key_its_words_lie_under(state: str, owner: UUID) -> None:
    assert owner_of(STATES[state].state, KEY) == owner
