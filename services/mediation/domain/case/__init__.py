"""MediationCase: a dispute between parties, from registration to performance.

Mediation is voluntary, so consent stands before everything and a party may leave at any time before agreement. What
is done in a case is done by the mediator assigned to it.
"""

from collections.abc import Sequence
from datetime import timedelta

from eventlog.decider import Decider, Due
from facts.mediation.case import (
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
    MediationHeld,
    MediatorAssigned,
    PartyRegistered,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
    RightsNotified,
)
from services.mediation.domain.case.before import (
    accept,
    assign,
    fail,
    hold,
    notify_rights,
    open_,
    reach_agreement,
    record_consent,
    register_party,
    terminate,
    withdraw,
)
from services.mediation.domain.case.commands import (
    AcceptCase,
    AssignMediator,
    CloseCase,
    Command,
    DeclareOverdue,
    FailCase,
    HoldMediation,
    NotifyRights,
    OpenCase,
    ReachAgreement,
    RecordBreach,
    RecordConsent,
    RecordPerformance,
    RegisterParty,
    TerminateCase,
    WithdrawParty,
)
from services.mediation.domain.case.performance import close, declare_overdue, record_breach, record_performance
from services.mediation.domain.case.states import (
    About,
    Accepted,
    Agreed,
    Agreement,
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
)
from vocabulary.calendar import end_of_day

__all__ = [
    "About",
    "AcceptCase",
    "Agreed",
    "Agreement",
    "AssignMediator",
    "Breached",
    "CloseCase",
    "Command",
    "DeclareOverdue",
    "Fact",
    "FailCase",
    "HoldMediation",
    "InForce",
    "NotifyRights",
    "OpenCase",
    "Performed",
    "ReachAgreement",
    "RecordBreach",
    "RecordConsent",
    "RecordPerformance",
    "RegisterParty",
    "State",
    "TerminateCase",
    "Terminated",
    "WithdrawParty",
    "case",
    "known",
]


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


def evolve(case: State, fact: Fact) -> State:
    match fact:
        case CaseOpened():
            return Opened(about=About(**vars(fact)))
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
