"""From opening to agreement, or to an end without one: what a case answers before anything is agreed."""

from collections.abc import Sequence
from uuid import UUID

from eventlog.errors import Rejected
from facts.mediation.case import (
    AgreementReached,
    CaseAccepted,
    CaseDeclined,
    CaseFailed,
    CaseOpened,
    CaseTerminated,
    ConsentGiven,
    FailureReason,
    MediationHeld,
    MediatorAssigned,
    PartyRegistered,
    RightsNotified,
)
from services.mediation.domain.case.commands import (
    AcceptCase,
    AssignMediator,
    FailCase,
    OpenCase,
    ReachAgreement,
    RecordConsent,
    RegisterParty,
    TerminateCase,
    WithdrawParty,
)
from services.mediation.domain.case.states import (
    About,
    Accepted,
    Agreed,
    Assigned,
    Breached,
    Closed,
    Declined,
    Fact,
    Failed,
    InForce,
    Opened,
    Performed,
    State,
    Terminated,
    Unopened,
    by_its_mediator,
    resolved,
)
from vocabulary.calendar import day_of
from vocabulary.kinds import DisputeSource
from vocabulary.roles import Role

FEWEST_PARTIES = 2


def open_(command: OpenCase, case: State, context: InForce) -> Sequence[Fact]:
    """Take a dispute up: routed with an issue, or brought by whom ``source`` names. A resident applies."""
    match case:
        case Unopened():
            if (command.issue_id is None) is (command.source is DisputeSource.ROUTED):
                raise Rejected("case-source-routed")
            if context.actor.roles == frozenset[str]({Role.RESIDENT}) and command.source is not DisputeSource.APPLIED:
                raise Rejected("case-source-not-applied")
            return [CaseOpened(**vars(command))]
        case (
            Opened()
            | Accepted()
            | Assigned()
            | Agreed()
            | Performed()
            | Breached()
            | Declined()
            | Failed()
            | Terminated()
            | Closed()
        ):
            raise Rejected("case-exists")


def register_party(command: RegisterParty, case: State) -> Sequence[Fact]:
    """Parties have names: nobody mediates with an unknown. Once accepted, the parties are fixed."""
    match case:
        case Opened(about=about):
            if about.has_party(command.party.person):
                raise Rejected("party-registered")
            return [PartyRegistered(case_id=about.case_id, party=command.party)]
        case Unopened():
            raise Rejected("case-absent")
        case Accepted() | Assigned() | Agreed() | Performed() | Breached():
            raise Rejected("case-accepted")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def record_consent(command: RecordConsent, case: State) -> Sequence[Fact]:
    """One clear refusal ends it (PML art. 17), also after an earlier consent."""
    match case:
        case Opened(about=about):
            if not about.has_party(command.person):
                raise Rejected("party-unknown")
            if not command.given:
                return [CaseDeclined(case_id=about.case_id, issue_id=about.issue_id, person=command.person)]
            if command.person in about.consenting:
                raise Rejected("consent-given")
            return [ConsentGiven(case_id=about.case_id, person=command.person)]
        case Unopened():
            raise Rejected("case-absent")
        case Accepted() | Assigned() | Agreed() | Performed() | Breached():
            raise Rejected("case-accepted")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def notify_rights(case: State) -> Sequence[Fact]:
    """The parties learn their rights before anything is held (MoJ Order 75 art. 30)."""
    match case:
        case Opened(about=about) | Accepted(about=about) | Assigned(about=about):
            if about.rights_told:
                raise Rejected("rights-notified")
            return [RightsNotified(case_id=about.case_id)]
        case Unopened():
            raise Rejected("case-absent")
        case Agreed() | Performed() | Breached():
            raise Rejected("case-agreed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def accept(command: AcceptCase, case: State) -> Sequence[Fact]:
    """Accepted when at least two parties are named, all consent, and nobody else has the dispute already."""
    match case:
        case Opened(about=about):
            if command.pending_elsewhere:
                raise Rejected("case-pending-elsewhere")
            if len(about.parties) < FEWEST_PARTIES:
                raise Rejected("parties-too-few", fewest=FEWEST_PARTIES)
            missing = {party.person for party in about.parties} - about.consenting
            if missing:
                raise Rejected("consent-missing", missing=len(missing))
            return [CaseAccepted(case_id=about.case_id, source=about.source, dispute=about.dispute)]
        case Unopened():
            raise Rejected("case-absent")
        case Accepted() | Assigned() | Agreed() | Performed() | Breached():
            raise Rejected("case-accepted")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def assign(command: AssignMediator, case: State) -> Sequence[Fact]:
    """Name the mediator, who discloses first and is no party; another may take over until it is performed."""
    match case:
        case Accepted(about=about) | Assigned(about=about) | Agreed(about=about) | Breached(about=about):
            if about.mediator == command.mediator:
                raise Rejected("mediator-assigned")
            if any(command.mediator in (party.account, str(party.person)) for party in about.parties):
                raise Rejected("mediator-is-party")
            if not command.disclosed:
                raise Rejected("interest-not-disclosed")
            return [MediatorAssigned(case_id=about.case_id, **vars(command))]
        case Unopened():
            raise Rejected("case-absent")
        case Opened():
            raise Rejected("case-not-accepted")
        case Performed():
            raise Rejected("agreement-performed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def hold(case: State, context: InForce) -> Sequence[Fact]:
    match case:
        case Assigned(about=about):
            by_its_mediator(about, context)
            if not about.rights_told:
                raise Rejected("rights-not-notified")
            return [MediationHeld(case_id=about.case_id)]
        case Unopened():
            raise Rejected("case-absent")
        case Opened():
            raise Rejected("case-not-accepted")
        case Accepted():
            raise Rejected("mediator-not-assigned")
        case Agreed() | Performed() | Breached():
            raise Rejected("case-agreed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def reach_agreement(command: ReachAgreement, case: State, context: InForce) -> Sequence[Fact]:
    """An agreement settles the dispute at once; what the rule of the day wants written is not taken orally."""
    match case:
        case Assigned(about=about, held=held):
            by_its_mediator(about, context)
            if not held:
                raise Rejected("mediation-not-held")
            today = day_of(context.occurred_at)
            if command.perform_by < today:
                raise Rejected("performance-before-agreement")
            if not command.written and not context.form.allows_oral(today, command.perform_by):
                raise Rejected("written-agreement-required", version=context.form.version)
            return [AgreementReached(case_id=about.case_id, reached=today, **vars(command)), resolved(about)]
        case Unopened():
            raise Rejected("case-absent")
        case Opened():
            raise Rejected("case-not-accepted")
        case Accepted():
            raise Rejected("mediator-not-assigned")
        case Agreed() | Performed() | Breached():
            raise Rejected("case-agreed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def fail(command: FailCase, case: State, context: InForce) -> Sequence[Fact]:
    """End it without agreement. Before a mediator is assigned, whoever may do so here does."""
    match case:
        case Opened(about=about) | Accepted(about=about):
            return failed(about, command.reason, remedies_told=command.remedies_told)
        case Assigned(about=about):
            by_its_mediator(about, context)
            return failed(about, command.reason, remedies_told=command.remedies_told)
        case Unopened():
            raise Rejected("case-absent")
        case Agreed() | Performed() | Breached():
            raise Rejected("case-agreed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def withdraw(command: WithdrawParty, case: State) -> Sequence[Fact]:
    """A party may leave at any state before agreement, whoever writes it down (PML art. 23)."""
    match case:
        case Opened(about=about) | Accepted(about=about) | Assigned(about=about):
            if not about.has_party(command.person):
                raise Rejected("party-unknown")
            return failed(
                about, FailureReason.PARTY_WITHDREW, remedies_told=command.remedies_told, person=command.person
            )
        case Unopened():
            raise Rejected("case-absent")
        case Agreed() | Performed() | Breached():
            raise Rejected("case-agreed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def terminate(command: TerminateCase, case: State) -> Sequence[Fact]:
    """A withdrawn issue stops its case; an agreement binds the parties and stands."""
    match case:
        case Opened(about=about) | Accepted(about=about) | Assigned(about=about):
            return [CaseTerminated(case_id=about.case_id, issue_id=about.issue_id, reason=command.reason)]
        case Unopened():
            raise Rejected("case-absent")
        case Agreed() | Performed() | Breached():
            raise Rejected("case-agreed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def failed(about: About, reason: FailureReason, *, remedies_told: bool, person: UUID | None = None) -> Sequence[Fact]:
    """PML art. 26: a failure is told together with the other ways that stand open."""
    if not remedies_told:
        raise Rejected("remedies-not-told")
    return [CaseFailed(case_id=about.case_id, issue_id=about.issue_id, reason=reason, person=person)]
