"""Issue: a deduplicated problem, from registration to the answer of whoever it was routed to."""

from uuid import UUID

from eventlog.facts import Fact, Value
from eventlog.sealed import PublicText
from vocabulary.kinds import Category, DisputeType, Route
from vocabulary.words import Code, Flag, Line


class IssueDetails(Value):
    """What travels with an issue. ``dispute``: set when people are at odds, whichever route it takes."""

    category: Category
    headline: PublicText
    dispute: DisputeType | None = None


class IssueRegistered(Fact, name="issue-registered"):
    issue_id: UUID
    details: IssueDetails
    submissions: tuple[UUID, ...]


class Classification(Value):
    """``key``: one of the key issues (重点问题) that a town reports."""

    category: Category
    key: Flag


class IssueClassified(Fact, name="issue-classified"):
    issue_id: UUID
    classification: Classification


class IssueAdmitted(Fact, name="issue-admitted"):
    """``clause``: the inclusion of the admissibility policy it falls under."""

    issue_id: UUID
    clause: Code
    policy: Code


class IssueRefused(Fact, name="issue-refused"):
    """``clause``: the exclusion it falls under; ``redirect``: where it belongs; ``remedy``: what can be done."""

    issue_id: UUID
    clause: Code
    policy: Code
    redirect: Line
    remedy: Line


class IssueApproved(Fact, name="issue-approved"):
    issue_id: UUID


class IssueRouted(Fact, name="issue-routed"):
    """``routing_id`` names this hand-over: the receiver's case or deliberation has it as its id."""

    issue_id: UUID
    routing_id: UUID
    route: Route
    details: IssueDetails


class IssueReturned(Fact, name="issue-returned"):
    """Whoever it was routed to did not take it; it waits for another route.

    ``reason``: a person's words, or one of ours as a code: no-consensus, party-refused, or why mediation failed.
    """

    issue_id: UUID
    route: Route
    reason: Line


class IssueResolved(Fact, name="issue-resolved"):
    """``reply``: the recorded reply, for routes that lead outside the platform."""

    issue_id: UUID
    by: Route
    reply: PublicText | None = None


class SubmissionDropped(Fact, name="issue-submission-dropped"):
    """A submission it named had gone to another issue first; its submitter is answered by that one."""

    issue_id: UUID
    submission_id: UUID


class SubmittersInformed(Fact, name="submitters-informed"):
    issue_id: UUID
    submissions: tuple[UUID, ...]


class IssueClosed(Fact, name="issue-closed"):
    issue_id: UUID


class IssueWithdrawn(Fact, name="issue-withdrawn"):
    """``route`` and ``routing_id``: who had it, and must stop."""

    issue_id: UUID
    reason: Line
    route: Route | None = None
    routing_id: UUID | None = None
