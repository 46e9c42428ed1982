"""MediationCase: a dispute between parties, from registration to performance.

Mediation is voluntary, so consent stands before everything and a party may leave at any time before agreement. What
is done in a case is done by the mediator assigned to it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider, Due
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import Sealed
from facts.mediation.case import (
    Account,
    AgreementBreached,
    AgreementPerformed,
    AgreementReached,
    CaseAccepted,
    CaseClosed,
    CaseDeclined,
    CaseFailed,
    CaseOpened,
    CaseTerminated,
    ConsentGiven,
    DisputeResolutionRevoked,
    DisputeResolved,
    FailureReason,
    MediationHeld,
    MediatorAssigned,
    Party,
    PartyRegistered,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
    RightsNotified,
)
from services.mediation.domain.agreement_form import AgreementForm
from vocabulary.calendar import day_of, end_of_day
from vocabulary.kinds import DisputeSource, DisputeType
from vocabulary.roles import Role
from vocabulary.words import Day, Flag, Line

FEWEST_PARTIES = 2


class OpenCase(Value):
    case_id: UUID
    issue_id: UUID | None
    source: DisputeSource
    dispute: DisputeType
    words: Sealed[str] | None = None


class RegisterParty(Value):
    party: Party


class RecordConsent(Value):
    """``given`` False: the party clearly refuses."""

    person: UUID
    given: Flag


class NotifyRights(Value):
    """Every party was told what mediation is, by which principles it goes, what it effects, and their rights."""


class AcceptCase(Value):
    """``pending_elsewhere``: a court, the police or an arbitration body has accepted the dispute."""

    pending_elsewhere: Flag


class AssignMediator(Value):
    """``disclosed``: every tie to the parties was stated, or that there is none."""

    mediator: Account
    disclosed: Flag


class HoldMediation(Value):
    """The mediator sat with the parties."""


class ReachAgreement(Value):
    """``written`` False: oral, its content recorded by the mediator. ``perform_by``: the last day to perform it."""

    written: Flag
    terms: Sealed[str]
    perform_by: Day


class FailCase(Value):
    """``remedies_told``: the parties know that arbitration, administration and court stand open to them."""

    reason: Literal[
        FailureReason.POSITIONS_APART,
        FailureReason.PARTY_ABSENT,
        FailureReason.FACTS_UNCLEAR,
        FailureReason.OUTSIDE_COMPETENCE,
    ]
    remedies_told: Flag


class WithdrawParty(Value):
    """A party wants no more of it; ``remedies_told`` as in a failure."""

    person: UUID
    remedies_told: Flag


class TerminateCase(Value):
    """Sent by a reaction when the issue it answers was withdrawn."""

    reason: Line


class RecordPerformance(Value):
    """The agreement was performed."""


class RecordBreach(Value):
    """The agreement was not kept."""


class DeclareOverdue(Value):
    """Sent by a timer once the day of performance has passed."""


class CloseCase(Value):
    """Nothing is left to do."""


class About(Value):
    """What every state after opening knows. ``mediator``: the one assigned."""

    case_id: UUID
    issue_id: UUID | None
    source: DisputeSource
    dispute: DisputeType
    words: Sealed[str] | None
    parties: tuple[Party, ...] = ()
    consenting: frozenset[UUID] = frozenset()
    rights_told: Flag = False
    mediator: Account | None = None

    def has_party(self, person: UUID) -> bool:
        return any(party.person == person for party in self.parties)


class Agreement(Value):
    reached: Day
    written: Flag
    terms: Sealed[str]
    perform_by: Day


class Unopened(Value):
    """Nothing here yet."""


class Opened(Value):
    """The parties are being named and asked."""

    about: About


class Accepted(Value):
    about: About


class Assigned(Value):
    """``held``: the mediator has sat with the parties."""

    about: About
    held: Flag


class Agreed(Value):
    """Settled, and to be performed; ``overdue``: the day passed without a record of it."""

    about: About
    agreement: Agreement
    overdue: Flag


class Performed(Value):
    about: About
    agreement: Agreement


class Breached(Value):
    about: About
    agreement: Agreement


class Declined(Value):
    about: About


class Failed(Value):
    about: About


class Terminated(Value):
    about: About


class Closed(Value):
    about: About


Command: TypeAlias = (
    OpenCase
    | RegisterParty
    | RecordConsent
    | NotifyRights
    | AcceptCase
    | AssignMediator
    | HoldMediation
    | ReachAgreement
    | FailCase
    | WithdrawParty
    | TerminateCase
    | RecordPerformance
    | RecordBreach
    | DeclareOverdue
    | CloseCase
)
Fact: TypeAlias = (
    CaseOpened
    | PartyRegistered
    | ConsentGiven
    | CaseDeclined
    | RightsNotified
    | CaseAccepted
    | MediatorAssigned
    | MediationHeld
    | AgreementReached
    | DisputeResolved
    | DisputeResolutionRevoked
    | CaseFailed
    | CaseTerminated
    | PerformanceOverdue
    | PerformanceOverdueRevoked
    | AgreementPerformed
    | AgreementBreached
    | CaseClosed
)
State: TypeAlias = (
    Unopened | Opened | Accepted | Assigned | Agreed | Performed | Breached | Declined | Failed | Terminated | Closed
)


class InForce(Context):
    """When an agreement may stay oral, by the rule of the day."""

    form: AgreementForm


def decide(command: Command, case: State, context: InForce) -> Sequence[Fact]:
    match command:
        case OpenCase():
            return open_(command, case, context)
        case RegisterParty():
            return register_party(command, case)
        case RecordConsent():
            return record_consent(command, case)
        case NotifyRights():
            return notify_rights(case)
        case AcceptCase():
            return accept(command, case)
        case AssignMediator():
            return assign(command, case)
        case HoldMediation():
            return hold(case, context)
        case ReachAgreement():
            return reach_agreement(command, case, context)
        case FailCase():
            return fail(command, case, context)
        case WithdrawParty():
            return withdraw(command, case)
        case TerminateCase():
            return terminate(command, case)
        case RecordPerformance():
            return record_performance(case, context)
        case RecordBreach():
            return record_breach(case, context)
        case DeclareOverdue():
            return declare_overdue(case, context)
        case CloseCase():
            return close(case)


def open_(command: OpenCase, case: State, context: InForce) -> Sequence[Fact]:
    """Take a dispute up: routed with an issue, or brought by whom ``source`` names. A resident applies."""
    match case:
        case Unopened():
            if (command.issue_id is None) is (command.source is DisputeSource.ROUTED):
                raise Rejected("case-source-routed")
            if context.actor.roles == frozenset[str]({Role.RESIDENT}) and command.source is not DisputeSource.APPLIED:
                raise Rejected("case-source-not-applied")
            return [CaseOpened(**dict(command))]
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
            return [MediatorAssigned(case_id=about.case_id, **dict(command))]
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
            return [AgreementReached(case_id=about.case_id, reached=today, **dict(command)), resolved(about)]
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


def record_performance(case: State, context: InForce) -> Sequence[Fact]:
    """Performed, in time or late; a breach made good settles the dispute again."""
    match case:
        case Agreed(about=about, agreement=agreement, overdue=overdue):
            by_its_mediator(about, context)
            no_earlier(agreement, context)
            performed = AgreementPerformed(case_id=about.case_id)
            if overdue and context.occurred_at <= end_of_day(agreement.perform_by):
                return [PerformanceOverdueRevoked(case_id=about.case_id), performed]
            return [performed]
        case Breached(about=about, agreement=agreement):
            by_its_mediator(about, context)
            no_earlier(agreement, context)
            return [AgreementPerformed(case_id=about.case_id), resolved(about)]
        case Unopened():
            raise Rejected("case-absent")
        case Opened() | Accepted() | Assigned():
            raise Rejected("case-not-agreed")
        case Performed():
            raise Rejected("agreement-performed")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def record_breach(case: State, context: InForce) -> Sequence[Fact]:
    """A breach takes the settlement back until it is made good."""
    match case:
        case Agreed(about=about):
            by_its_mediator(about, context)
            return [
                AgreementBreached(case_id=about.case_id),
                DisputeResolutionRevoked(case_id=about.case_id, issue_id=about.issue_id),
            ]
        case Unopened():
            raise Rejected("case-absent")
        case Opened() | Accepted() | Assigned():
            raise Rejected("case-not-agreed")
        case Performed():
            raise Rejected("agreement-performed")
        case Breached():
            raise Rejected("agreement-breached")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def declare_overdue(case: State, context: InForce) -> Sequence[Fact]:
    """The committee urges performance (PML art. 31); the agreement still stands."""
    match case:
        case Agreed(about=about, agreement=agreement, overdue=False):
            if context.occurred_at <= end_of_day(agreement.perform_by):
                raise Rejected("performance-not-due", perform_by=agreement.perform_by)
            return [PerformanceOverdue(case_id=about.case_id, perform_by=agreement.perform_by)]
        case Agreed():
            raise Rejected("performance-overdue")
        case Unopened():
            raise Rejected("case-absent")
        case Opened() | Accepted() | Assigned():
            raise Rejected("case-not-agreed")
        case Performed():
            raise Rejected("agreement-performed")
        case Breached():
            raise Rejected("agreement-breached")
        case Declined() | Failed() | Terminated() | Closed():
            raise Rejected("case-ended")


def close(case: State) -> Sequence[Fact]:
    """Close what was performed, failed, or stayed broken and is for a court now (PML art. 32)."""
    match case:
        case Performed(about=about) | Failed(about=about) | Breached(about=about):
            return [CaseClosed(case_id=about.case_id)]
        case Unopened():
            raise Rejected("case-absent")
        case Opened() | Accepted() | Assigned() | Agreed():
            raise Rejected("case-open")
        case Declined() | Terminated() | Closed():
            raise Rejected("case-ended")


def by_its_mediator(about: About, context: InForce) -> None:
    """What is done in a case is done by the mediator assigned to it."""
    if context.actor.id != about.mediator:
        raise Rejected("not-the-assigned-mediator")


def no_earlier(agreement: Agreement, context: InForce) -> None:
    """What is recorded late cannot have happened before there was an agreement."""
    if day_of(context.occurred_at) < agreement.reached:
        raise Rejected("performed-before-agreement", reached=agreement.reached)


def failed(about: About, reason: FailureReason, *, remedies_told: bool, person: UUID | None = None) -> Sequence[Fact]:
    """PML art. 26: a failure is told together with the other ways that stand open."""
    if not remedies_told:
        raise Rejected("remedies-not-told")
    return [CaseFailed(case_id=about.case_id, issue_id=about.issue_id, reason=reason, person=person)]


def resolved(about: About) -> DisputeResolved:
    return DisputeResolved(case_id=about.case_id, issue_id=about.issue_id, dispute=about.dispute, source=about.source)


def evolve(case: State, fact: Fact) -> State:
    match fact:
        case CaseOpened():
            return Opened(about=About(**dict(fact)))
        case PartyRegistered(party=party):
            return knowing(case, parties=(*known(case).parties, party))
        case ConsentGiven(person=person):
            return knowing(case, consenting=known(case).consenting | {person})
        case RightsNotified():
            return knowing(case, rights_told=True)
        case CaseDeclined():
            return Declined(about=known(case))
        case CaseAccepted():
            return Accepted(about=known(case))
        case MediatorAssigned(mediator=mediator):
            return assigned(case, mediator)
        case MediationHeld():
            return Assigned(about=known(case), held=True)
        case AgreementReached():
            agreement = Agreement(
                reached=fact.reached, written=fact.written, terms=fact.terms, perform_by=fact.perform_by
            )
            return Agreed(about=known(case), agreement=agreement, overdue=False)
        case DisputeResolved() | DisputeResolutionRevoked() | PerformanceOverdueRevoked():
            return case  # the fact beside it says where the case stands
        case CaseFailed():
            return Failed(about=known(case))
        case CaseTerminated():
            return Terminated(about=known(case))
        case PerformanceOverdue():
            return Agreed(about=known(case), agreement=agreed(case), overdue=True)
        case AgreementPerformed():
            return Performed(about=known(case), agreement=agreed(case))
        case AgreementBreached():
            return Breached(about=known(case), agreement=agreed(case))
        case CaseClosed():
            return Closed(about=known(case))


def known(case: State) -> About:
    """What every state but the first knows."""
    if isinstance(case, Unopened):
        raise TypeError("a case's history begins with its opening")
    return case.about


def knowing(case: State, **news: object) -> State:
    """The same state, knowing more."""
    return case.model_copy(update={"about": known(case).model_copy(update=news)})


def assigned(case: State, mediator: str) -> State:
    """The first mediator makes a case assigned; a later one takes it over as it stands."""
    if isinstance(case, Accepted):
        return Assigned(about=case.about.model_copy(update={"mediator": mediator}), held=False)
    return knowing(case, mediator=mediator)


def agreed(case: State) -> Agreement:
    """What was agreed."""
    match case:
        case Agreed(agreement=agreement) | Performed(agreement=agreement) | Breached(agreement=agreement):
            return agreement
        case Unopened() | Opened() | Accepted() | Assigned() | Declined() | Failed() | Terminated() | Closed():
            raise TypeError("performance follows an agreement")


def due(case: State) -> Sequence[Due[Command]]:
    """The moment after the day of performance, unless it is settled by then whether it was performed."""
    match case:
        case Agreed(agreement=agreement, overdue=False):
            after = end_of_day(agreement.perform_by) + timedelta(microseconds=1)
            return [Due(at=after, command=DeclareOverdue())]
        case (
            Unopened()
            | Opened()
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
            return []


case: Decider[Command, State, Fact, InForce] = Decider("case", Unopened(), decide, evolve, due, timed=(DeclareOverdue,))
