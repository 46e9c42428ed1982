"""Reactions: what others answer about a hand-over goes back to the issue, and a submission has one issue."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from eventlog.decider import Actor, Send
from eventlog.facts import Fact, Recorded, StreamId
from eventlog.handler import Contexts, Handler, Opening, Request
from eventlog.memory_log import MemoryLog
from facts.deliberation.commitment import CommitmentClosed
from facts.deliberation.deliberation import DeliberationClosed, DeliberationDeclined
from facts.intake.issue import IssueDetails, IssueRegistered
from facts.intake.submission import Channel, SubmissionLinkDeclined
from facts.mediation.case import CaseDeclined, CaseFailed, DisputeResolved, FailureReason
from services.intake import contexts, reactions
from services.intake.domain.issue import DropSubmission, Registered, RegisterIssue, ResolveIssue, ReturnIssue, issue
from services.intake.domain.submission import Linked, LinkToIssue, ReceiveSubmission, submission
from tests.unit.sealed_samples import a_public_text, a_sealed
from vocabulary.kinds import Category, DisputeSource, DisputeType, Route

ISSUE, OTHER, ROUTING, SPOKEN, PERSON = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4), UUID(int=5)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DETAILS = IssueDetails(category=Category.LIVELIHOOD, headline=a_public_text("村口路灯"))
WORDS = a_sealed("路灯坏了", SPOKEN)


def recorded(data: Fact) -> Recorded[Any]:
    return Recorded(
        fact_id=UUID(int=50),
        tenant="620724",
        stream=StreamId("case", str(ROUTING)),
        version=1,
        position=1,
        published=True,
        organ="620724100701.village-committee",
        matter=None,
        actor="clerk",
        occurred_at=MONDAY,
        recorded_at=MONDAY,
        correlation=UUID(int=51),
        causation=None,
        data=data,
    )


def returned(by: Route, reason: str) -> list[Send]:
    return [issue.send(ISSUE, ReturnIssue(by=by, routing_id=ROUTING, reason=reason))]


def resolved(by: Route) -> list[Send]:
    return [issue.send(ISSUE, ResolveIssue(by=by, routing_id=ROUTING))]


def settled(issue_id: UUID | None) -> DisputeResolved:
    return DisputeResolved(
        case_id=ROUTING, issue_id=issue_id, dispute=DisputeType.NEIGHBOUR, source=DisputeSource.ROUTED
    )


def failed(issue_id: UUID | None) -> CaseFailed:
    return CaseFailed(case_id=ROUTING, issue_id=issue_id, reason=FailureReason.POSITIONS_APART)


def kept(issue_id: UUID | None) -> CommitmentClosed:
    return CommitmentClosed(commitment_id=ROUTING, deliberation_id=None, issue_id=issue_id)


def closed(*, settled: bool) -> DeliberationClosed:
    return DeliberationClosed(deliberation_id=ROUTING, issue_id=ISSUE, settled=settled)


TABLE: Sequence[tuple[Callable[[Recorded[Any]], Sequence[Send]], Fact, Sequence[Send]]] = [
    (
        reactions.link_submissions,
        IssueRegistered(issue_id=ISSUE, details=DETAILS, submissions=(SPOKEN, OTHER)),
        [submission.send(key, LinkToIssue(issue_id=ISSUE)) for key in (SPOKEN, OTHER)],
    ),
    (reactions.link_submissions, IssueRegistered(issue_id=ISSUE, details=DETAILS, submissions=()), []),
    (
        reactions.drop_submission,
        SubmissionLinkDeclined(submission_id=SPOKEN, issue_id=ISSUE),
        [issue.send(ISSUE, DropSubmission(submission_id=SPOKEN))],
    ),
    (
        reactions.return_declined_issue,
        DeliberationDeclined(deliberation_id=ROUTING, issue_id=ISSUE, reason="不宜协商"),
        returned(Route.DELIBERATION, "不宜协商"),
    ),
    (reactions.resolve_deliberated_issue, closed(settled=True), resolved(Route.DELIBERATION)),
    (reactions.resolve_deliberated_issue, closed(settled=False), returned(Route.DELIBERATION, "no-consensus")),
    (reactions.resolve_handled_issue, kept(ISSUE), resolved(Route.DIRECT_HANDLING)),
    (reactions.resolve_handled_issue, kept(None), []),
    (reactions.resolve_mediated_issue, settled(ISSUE), resolved(Route.MEDIATION)),
    (reactions.resolve_mediated_issue, settled(None), []),
    (
        reactions.return_refused_issue,
        CaseDeclined(case_id=ROUTING, issue_id=ISSUE, person=PERSON),
        returned(Route.MEDIATION, "party-refused"),
    ),
    (reactions.return_refused_issue, CaseDeclined(case_id=ROUTING, issue_id=None, person=PERSON), []),
    (reactions.return_failed_issue, failed(ISSUE), returned(Route.MEDIATION, "positions-apart")),
    (reactions.return_failed_issue, failed(None), []),
]


@pytest.mark.parametrize(("reaction", "fact", "sends"), TABLE)
def test_what_follows_from_a_fact(
    reaction: Callable[[Recorded[Any]], Sequence[Send]], fact: Fact, sends: Sequence[Send]
) -> None:
    assert reaction(recorded(fact)) == sends


async def test_of_two_issues_that_name_a_submission_the_first_keeps_it() -> None:
    """Both are registered before either link is made, as two people at once may; then the reactions run."""
    looked_up, log = Contexts(), MemoryLog()
    handler = Handler(log, looked_up)
    contexts.register(looked_up, handler)
    said = ReceiveSubmission(submission_id=SPOKEN, channel=Channel.VISIT, words=WORDS)
    raising = [RegisterIssue(issue_id=key, details=DETAILS, submissions=(SPOKEN,)) for key in (ISSUE, OTHER)]
    sends = [submission.send(SPOKEN, said), *(issue.send(one.issue_id, one) for one in raising)]
    for n, send in enumerate(sends):
        await carry_out(handler, send, n)
    taken = 0
    while facts := (await log.after(taken, 100))[0]:
        for fact in facts:
            taken = fact.position
            for _, command_id, send in reactions.to_ourselves.sends(fact):
                await carry_out(handler, send, command_id.int)
    linked = await handler.state(submission, "620724", SPOKEN)
    assert isinstance(linked, Linked)
    assert linked.issue_id == ISSUE
    named: list[tuple[UUID, ...]] = []
    for key in (ISSUE, OTHER):
        state = await handler.state(issue, "620724", key)
        assert isinstance(state, Registered)
        named.append(state.about.submissions)
    assert named == [(SPOKEN,), ()]


async def carry_out(handler: Handler, send: Send, n: int) -> None:
    request = Request(
        tenant="620724",
        actor=Actor(id="reaction/sample"),
        command_id=UUID(int=n),
        digest=b"",
        correlation=UUID(int=51),
        opens=Opening("620724100701.village-committee"),
        occurred_at=MONDAY,
    )
    await handler.send(send.decider, send.key, send.command, request)
