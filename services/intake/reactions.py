"""What intake does when others, or intake itself, have spoken."""

from collections.abc import Sequence

from eventlog.decider import Send
from eventlog.facts import Recorded
from eventlog.reactions import Reactions
from facts.deliberation.commitment import CommitmentClosed
from facts.deliberation.deliberation import DeliberationClosed, DeliberationDeclined
from facts.intake.issue import IssueRegistered
from facts.mediation.case import CaseDeclined, CaseFailed
from facts.mediation.case import DisputeResolved as ResolvedByMediation
from services.intake.domain.issue import ResolveIssue, ReturnIssue, issue
from services.intake.domain.submission import LinkToIssue, submission
from vocabulary.kinds import Route

to_ourselves = Reactions()
to_deliberation = Reactions()
to_mediation = Reactions()


@to_ourselves.to(IssueRegistered)
def link_submissions(fact: Recorded[IssueRegistered]) -> Sequence[Send]:
    """Every submission that an issue grew out of points to it, so that its submitter is answered."""
    return [submission.send(key, LinkToIssue(issue_id=fact.data.issue_id)) for key in fact.data.submissions]


@to_deliberation.to(DeliberationDeclined)
def return_declined_issue(fact: Recorded[DeliberationDeclined]) -> Sequence[Send]:
    """A declined topic waits for another route."""
    return [issue.send(fact.data.issue_id, ReturnIssue(by=Route.DELIBERATION, reason=fact.data.reason))]


@to_deliberation.to(DeliberationClosed)
def resolve_deliberated_issue(fact: Recorded[DeliberationClosed]) -> Sequence[Send]:
    """A deliberation that kept its promises resolves the issue; one that came to nothing gives it back."""
    if fact.data.settled:
        return [issue.send(fact.data.issue_id, ResolveIssue(by=Route.DELIBERATION))]
    return [issue.send(fact.data.issue_id, ReturnIssue(by=Route.DELIBERATION, reason="no consensus"))]


@to_deliberation.to(CommitmentClosed)
def resolve_handled_issue(fact: Recorded[CommitmentClosed]) -> Sequence[Send]:
    """Direct handling is a commitment without a deliberation; kept and verified, it resolves the issue."""
    if fact.data.issue_id is None:
        return []
    return [issue.send(fact.data.issue_id, ResolveIssue(by=Route.DIRECT_HANDLING))]


@to_mediation.to(ResolvedByMediation)
def resolve_mediated_issue(fact: Recorded[ResolvedByMediation]) -> Sequence[Send]:
    """A settled case resolves the issue it answered; a case the parties brought answers none."""
    if fact.data.issue_id is None:
        return []
    return [issue.send(fact.data.issue_id, ResolveIssue(by=Route.MEDIATION))]


@to_mediation.to(CaseDeclined)
def return_refused_issue(fact: Recorded[CaseDeclined]) -> Sequence[Send]:
    """A party refused mediation: the issue needs another way."""
    if fact.data.issue_id is None:
        return []
    return [issue.send(fact.data.issue_id, ReturnIssue(by=Route.MEDIATION, reason="a party refused"))]


@to_mediation.to(CaseFailed)
def return_failed_issue(fact: Recorded[CaseFailed]) -> Sequence[Send]:
    """Mediation ended without agreement: the issue needs another way."""
    if fact.data.issue_id is None:
        return []
    return [issue.send(fact.data.issue_id, ReturnIssue(by=Route.MEDIATION, reason=fact.data.reason.value))]
