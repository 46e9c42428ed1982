"""Issue: a deduplicated problem, from registration to the answer of whoever it was routed to."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import PublicText
from facts.intake.issue import (
    Classification,
    IssueAdmitted,
    IssueApproved,
    IssueClassified,
    IssueClosed,
    IssueDetails,
    IssueRefused,
    IssueRegistered,
    IssueResolved,
    IssueReturned,
    IssueRouted,
    IssueWithdrawn,
    SubmissionDropped,
    SubmittersInformed,
)
from services.intake.domain.admissibility import Policy
from vocabulary.kinds import ANSWERED_BY_INTAKE, Category, Route
from vocabulary.words import Code, Flag, Line


class RegisterIssue(Value):
    issue_id: UUID
    details: IssueDetails
    submissions: tuple[UUID, ...] = ()


class ClassifyIssue(Value):
    classification: Classification


class AdmitIssue(Value):
    clause: Code


class RefuseIssue(Value):
    clause: Code
    redirect: Line
    remedy: Line


class ApproveIssue(Value):
    """The approver's word; nothing else is needed."""


class RouteIssue(Value):
    """``routing_id`` names the hand-over, so that a second one to the same service is told from the first."""

    route: Route
    routing_id: UUID


class ReturnIssue(Value):
    """Sent by a reaction when the routed service declines. ``routing_id``: the hand-over it speaks of."""

    by: Route
    routing_id: UUID
    reason: Line


class ResolveIssue(Value):
    """Sent by a reaction when the routed service has answered. ``routing_id``: the hand-over it speaks of."""

    by: Route
    routing_id: UUID


class DropSubmission(Value):
    """Sent by a reaction when a submission it names turned out to belong to another issue."""

    submission_id: UUID


class RecordReply(Value):
    """The answer of a department, a petition office or a higher level, entered by intake."""

    reply: PublicText


class InformSubmitters(Value):
    """Every submitter has been told what became of it."""


class CloseIssue(Value):
    """Nothing is left to do."""


class WithdrawIssue(Value):
    reason: Line


class About(Value):
    """What every state after registration knows."""

    issue_id: UUID
    details: IssueDetails
    submissions: tuple[UUID, ...]


class Unregistered(Value):
    """Nothing here yet."""


class Registered(Value):
    about: About


class Admitted(Value):
    about: About


class Refused(Value):
    about: About


class Approved(Value):
    about: About


class Routed(Value):
    about: About
    route: Route
    routing_id: UUID


class Resolved(Value):
    about: About
    informed: Flag


class Closed(Value):
    about: About


class Withdrawn(Value):
    about: About


Command: TypeAlias = (
    RegisterIssue
    | ClassifyIssue
    | AdmitIssue
    | RefuseIssue
    | ApproveIssue
    | RouteIssue
    | ReturnIssue
    | ResolveIssue
    | DropSubmission
    | RecordReply
    | InformSubmitters
    | CloseIssue
    | WithdrawIssue
)
Fact: TypeAlias = (
    IssueRegistered
    | IssueClassified
    | IssueAdmitted
    | IssueRefused
    | IssueApproved
    | IssueRouted
    | IssueReturned
    | IssueResolved
    | SubmissionDropped
    | SubmittersInformed
    | IssueClosed
    | IssueWithdrawn
)
State: TypeAlias = Unregistered | Registered | Admitted | Refused | Approved | Routed | Resolved | Closed | Withdrawn


class InForce(Context):
    """The admissibility policy of the day; and which of the submissions named do not stand here to be linked."""

    policy: Policy
    not_standing: frozenset[UUID] = frozenset()


def decide(command: Command, issue: State, context: InForce) -> Sequence[Fact]:
    match command:
        case RegisterIssue():
            return register(command, issue, context)
        case ClassifyIssue():
            return classify(command, issue)
        case AdmitIssue():
            return admit(command, issue, context)
        case RefuseIssue():
            return refuse(command, issue, context)
        case ApproveIssue():
            return approve(issue)
        case RouteIssue():
            return route(command, issue)
        case ReturnIssue():
            return return_(command, issue)
        case ResolveIssue():
            return resolve(command, issue)
        case DropSubmission():
            return drop(command, issue)
        case RecordReply():
            return record_reply(command, issue)
        case InformSubmitters():
            return inform(issue)
        case CloseIssue():
            return close(issue)
        case WithdrawIssue():
            return withdraw(command, issue)


def register(command: RegisterIssue, issue: State, context: InForce) -> Sequence[Fact]:
    """Every submission it grew out of was received here, and belongs to no other issue yet."""
    match issue:
        case Unregistered() if context.not_standing:
            raise Rejected("submissions-not-standing", submissions=len(context.not_standing))
        case Unregistered():
            return [IssueRegistered(**vars(command))]
        case Registered() | Admitted() | Refused() | Approved() | Routed() | Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-exists")


def classify(command: ClassifyIssue, issue: State) -> Sequence[Fact]:
    """Give the one category, and say whether it is a key issue; open until it is routed."""
    match issue:
        case Registered(about=about) | Admitted(about=about) | Approved(about=about):
            return [IssueClassified(issue_id=about.issue_id, classification=command.classification)]
        case Unregistered():
            raise Rejected("issue-absent")
        case Refused() | Routed() | Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-past-screening")


def admit(command: AdmitIssue, issue: State, context: InForce) -> Sequence[Fact]:
    """Admission names an inclusion of the policy in force on that day."""
    match issue:
        case Registered(about=about):
            if not context.policy.includes(command.clause):
                raise Rejected("clause-not-included", clause=command.clause, policy=context.policy.version)
            return [IssueAdmitted(issue_id=about.issue_id, clause=command.clause, policy=context.policy.version)]
        case Unregistered():
            raise Rejected("issue-absent")
        case Admitted() | Refused() | Approved() | Routed() | Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-past-screening")


def refuse(command: RefuseIssue, issue: State, context: InForce) -> Sequence[Fact]:
    """A refusal names an exclusion, where the matter belongs, and what the submitter can do."""
    match issue:
        case Registered(about=about):
            if not context.policy.excludes(command.clause):
                raise Rejected("clause-not-excluded", clause=command.clause, policy=context.policy.version)
            return [IssueRefused(issue_id=about.issue_id, policy=context.policy.version, **vars(command))]
        case Unregistered():
            raise Rejected("issue-absent")
        case Admitted() | Refused() | Approved() | Routed() | Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-past-screening")


def approve(issue: State) -> Sequence[Fact]:
    match issue:
        case Admitted(about=about):
            return [IssueApproved(issue_id=about.issue_id)]
        case Unregistered():
            raise Rejected("issue-absent")
        case Registered() | Refused():
            raise Rejected("issue-not-admitted")
        case Approved() | Routed() | Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-past-screening")


def route(command: RouteIssue, issue: State) -> Sequence[Fact]:
    """Hand an approved issue to whoever will answer it. One active route: a routed issue must come back first."""
    match issue:
        case Approved(about=about):
            if command.route is Route.MEDIATION and about.details.dispute is None:
                raise Rejected("issue-no-dispute")
            return [IssueRouted(issue_id=about.issue_id, details=about.details, **vars(command))]
        case Routed(route=current):
            raise Rejected("issue-routed", route=current)
        case Unregistered():
            raise Rejected("issue-absent")
        case Registered() | Admitted() | Refused():
            raise Rejected("issue-not-approved")
        case Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-ended")


def return_(command: ReturnIssue, issue: State) -> Sequence[Fact]:
    """The routed service did not take it. A word about a hand-over that is over changes nothing."""
    match issue:
        case Routed(about=about, route=current, routing_id=at) if (current, at) == (command.by, command.routing_id):
            return [IssueReturned(issue_id=about.issue_id, route=current, reason=command.reason)]
        case (
            Unregistered()
            | Registered()
            | Admitted()
            | Refused()
            | Approved()
            | Routed()
            | Resolved()
            | Closed()
            | Withdrawn()
        ):
            raise Rejected("issue-not-routed-there", route=command.by)


def resolve(command: ResolveIssue, issue: State) -> Sequence[Fact]:
    """Resolved only by a fact about the hand-over that is active."""
    match issue:
        case Routed(about=about, route=current, routing_id=at) if (current, at) == (command.by, command.routing_id):
            return [IssueResolved(issue_id=about.issue_id, by=current)]
        case (
            Unregistered()
            | Registered()
            | Admitted()
            | Refused()
            | Approved()
            | Routed()
            | Resolved()
            | Closed()
            | Withdrawn()
        ):
            raise Rejected("issue-not-routed-there", route=command.by)


def record_reply(command: RecordReply, issue: State) -> Sequence[Fact]:
    """Routes that lead outside the platform are answered by the recorded reply."""
    match issue:
        case Routed(about=about, route=current) if current in ANSWERED_BY_INTAKE:
            return [IssueResolved(issue_id=about.issue_id, by=current, reply=command.reply)]
        case Routed(route=current):
            raise Rejected("issue-answered-by-service", route=current)
        case Unregistered():
            raise Rejected("issue-absent")
        case Registered() | Admitted() | Refused() | Approved():
            raise Rejected("issue-not-routed")
        case Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-ended")


def drop(command: DropSubmission, issue: State) -> Sequence[Fact]:
    """A submission belongs to one issue. However far this one has come, it no longer names another's."""
    match issue:
        case Unregistered():
            raise Rejected("issue-absent")
        case (
            Registered(about=about)
            | Admitted(about=about)
            | Refused(about=about)
            | Approved(about=about)
            | Routed(about=about)
            | Resolved(about=about)
            | Closed(about=about)
            | Withdrawn(about=about)
        ):
            if command.submission_id not in about.submissions:
                raise Rejected("issue-without-submission")
            return [SubmissionDropped(issue_id=about.issue_id, submission_id=command.submission_id)]


def inform(issue: State) -> Sequence[Fact]:
    match issue:
        case Resolved(about=about, informed=False):
            return [SubmittersInformed(issue_id=about.issue_id, submissions=about.submissions)]
        case Resolved():
            raise Rejected("submitters-informed")
        case Unregistered():
            raise Rejected("issue-absent")
        case Registered() | Admitted() | Refused() | Approved() | Routed() | Closed() | Withdrawn():
            raise Rejected("issue-not-resolved")


def close(issue: State) -> Sequence[Fact]:
    """All submitters are told before an issue is closed."""
    match issue:
        case Resolved(about=about, informed=True):
            return [IssueClosed(issue_id=about.issue_id)]
        case Resolved():
            raise Rejected("submitters-not-informed")
        case Unregistered():
            raise Rejected("issue-absent")
        case Registered() | Admitted() | Refused() | Approved() | Routed() | Closed() | Withdrawn():
            raise Rejected("issue-not-resolved")


def withdraw(command: WithdrawIssue, issue: State) -> Sequence[Fact]:
    """Take an issue back; whoever it was routed to learns it from the fact."""
    match issue:
        case Registered(about=about) | Admitted(about=about) | Approved(about=about):
            return [IssueWithdrawn(issue_id=about.issue_id, reason=command.reason)]
        case Routed(about=about, route=route, routing_id=routing):
            return [IssueWithdrawn(issue_id=about.issue_id, reason=command.reason, route=route, routing_id=routing)]
        case Unregistered():
            raise Rejected("issue-absent")
        case Refused() | Resolved() | Closed() | Withdrawn():
            raise Rejected("issue-ended")


def evolve(issue: State, fact: Fact) -> State:
    match fact:
        case IssueRegistered(issue_id=key, details=details, submissions=submissions):
            return Registered(about=About(issue_id=key, details=details, submissions=submissions))
        case IssueClassified(classification=classification):
            return reclassified(issue, classification.category)
        case IssueAdmitted():
            return Admitted(about=known(issue))
        case IssueRefused():
            return Refused(about=known(issue))
        case IssueApproved() | IssueReturned():
            return Approved(about=known(issue))
        case IssueRouted(route=route, routing_id=routing_id):
            return Routed(about=known(issue), route=route, routing_id=routing_id)
        case IssueResolved():
            return Resolved(about=known(issue), informed=False)
        case SubmissionDropped(submission_id=dropped):
            return without(issue, dropped)
        case SubmittersInformed():
            return Resolved(about=known(issue), informed=True)
        case IssueClosed():
            return Closed(about=known(issue))
        case IssueWithdrawn():
            return Withdrawn(about=known(issue))


def known(issue: State) -> About:
    """What every state but the first knows."""
    if isinstance(issue, Unregistered):
        raise TypeError("an issue's history begins with its registration")
    return issue.about


def reclassified(issue: State, category: Category) -> State:
    """The same state, under another category."""
    about = known(issue)
    details = about.details.model_copy(update={"category": category})
    return issue.model_copy(update={"about": about.model_copy(update={"details": details})})


def without(issue: State, submission: UUID) -> State:
    """The same state, no longer naming a submission."""
    about = known(issue)
    kept = tuple(key for key in about.submissions if key != submission)
    return issue.model_copy(update={"about": about.model_copy(update={"submissions": kept})})


issue: Decider[Command, State, Fact, InForce] = Decider("issue", Unregistered(), decide, evolve)
