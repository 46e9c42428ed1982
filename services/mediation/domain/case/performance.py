"""What was agreed is performed, overdue or broken, and the case closed."""

from collections.abc import Sequence

from eventlog.errors import Rejected
from facts.mediation.case import (
    AgreementBreached,
    AgreementPerformed,
    CaseClosed,
    DisputeResolutionRevoked,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
)
from services.mediation.domain.case.states import (
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
    by_its_mediator,
    resolved,
)
from vocabulary.calendar import day_of, end_of_day


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


def no_earlier(agreement: Agreement, context: InForce) -> None:
    """What is recorded late cannot have happened before there was an agreement."""
    if day_of(context.occurred_at) < agreement.reached:
        raise Rejected("performed-before-agreement", reached=agreement.reached)
