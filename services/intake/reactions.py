"""What intake does when others, or intake itself, have spoken.

Whoever an issue was handed to has the hand-over's ``routing_id`` as the id of its deliberation, commitment or case.
"""

from collections.abc import Sequence

from eventlog.decider import Send
from eventlog.facts import Recorded
from eventlog.reactions import Reactions
from facts.deliberation.commitment import CommitmentClosed
from facts.deliberation.deliberation import DeliberationClosed, DeliberationDeclined
from facts.intake.issue import IssueRegistered
from facts.intake.submission import SubmissionLinkDeclined
from facts.mediation.case import CaseDeclined, CaseFailed
from facts.mediation.case import DisputeResolved as ResolvedByMediation
from services.intake.domain.issue import DropSubmission, ResolveIssue, ReturnIssue, issue
from services.intake.domain.submission import LinkToIssue, submission
from vocabulary.kinds import Route

NO_CONSENSUS = "no-consensus"
PARTY_REFUSED = "party-refused"

to_ourselves = Reactions()
to_deliberation = Reactions()
to_mediation = Reactions()


@to_ourselves.to(IssueRegistered)
def link_submissions(fact: Recorded[IssueRegistered]) -> Sequence[Send]:
    """Every submission that an issue grew out of points to it, so that its submitter is answered."""
    return [submission.send(key, LinkToIssue(issue_id=fact.data.issue_id)) for key in fact.data.submissions]


@to_ourselves.to(SubmissionLinkDeclined)
def drop_submission(fact: Recorded[SubmissionLinkDeclined]) -> Sequence[Send]:
    """Of two issues that name one submission, the first keeps it; the other drops it."""
    return [issue.send(fact.data.issue_id, DropSubmission(submission_id=fact.data.submission_id))]


@to_deliberation.to(DeliberationDeclined)
def return_declined_issue(fact: Recorded[DeliberationDeclined]) -> Sequence[Send]:
    """A declined topic waits for another route."""
    said = fact.data
    returning = ReturnIssue(by=Route.DELIBERATION, routing_id=said.deliberation_id, reason=said.reason)
    return [issue.send(said.issue_id, returning)]


@to_deliberation.to(DeliberationClosed)
def resolve_deliberated_issue(fact: Recorded[DeliberationClosed]) -> Sequence[Send]:
    """A deliberation that kept its promises resolves the issue; one that came to nothing gives it back."""
    key, routing_id = fact.data.issue_id, fact.data.deliberation_id
    if fact.data.settled:
        return [issue.send(key, ResolveIssue(by=Route.DELIBERATION, routing_id=routing_id))]
    return [issue.send(key, ReturnIssue(by=Route.DELIBERATION, routing_id=routing_id, reason=NO_CONSENSUS))]


@to_deliberation.to(CommitmentClosed)
def resolve_handled_issue(fact: Recorded[CommitmentClosed]) -> Sequence[Send]:
    """Direct handling is a commitment without a deliberation; kept and verified, it resolves the issue."""
    if fact.data.issue_id is None:
        return []
    resolving = ResolveIssue(by=Route.DIRECT_HANDLING, routing_id=fact.data.commitment_id)
    return [issue.send(fact.data.issue_id, resolving)]


@to_mediation.to(ResolvedByMediation)
def resolve_mediated_issue(fact: Recorded[ResolvedByMediation]) -> Sequence[Send]:
    """A settled case resolves the issue it answered; a case the parties brought answers none."""
    if fact.data.issue_id is None:
        return []
    return [issue.send(fact.data.issue_id, ResolveIssue(by=Route.MEDIATION, routing_id=fact.data.case_id))]


@to_mediation.to(CaseDeclined)
def return_refused_issue(fact: Recorded[CaseDeclined]) -> Sequence[Send]:
    """A party refused mediation: the issue needs another way."""
    if fact.data.issue_id is None:
        return []
    returning = ReturnIssue(by=Route.MEDIATION, routing_id=fact.data.case_id, reason=PARTY_REFUSED)
    return [issue.send(fact.data.issue_id, returning)]


@to_mediation.to(CaseFailed)
def return_failed_issue(fact: Recorded[CaseFailed]) -> Sequence[Send]:
    """Mediation ended without agreement: the issue needs another way."""
    if fact.data.issue_id is None:
        return []
    returning = ReturnIssue(by=Route.MEDIATION, routing_id=fact.data.case_id, reason=fact.data.reason.value)
    return [issue.send(fact.data.issue_id, returning)]
