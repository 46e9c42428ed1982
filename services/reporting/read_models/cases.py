"""Cases: where each mediation stands. No names, no words, no mediator. Of mediation's topic."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from eventlog.facts import Recorded, Value
from eventlog.read_model import ReadModel
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
    DisputeResolutionRevoked,
    DisputeResolved,
    FailureReason,
    MediatorAssigned,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
)
from services.reporting.read_models.listing import Listing
from services.reporting.read_models.rows import after
from vocabulary.divisions import DivisionCode
from vocabulary.kinds import DisputeSource, DisputeType
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId, division_of


class CaseStatus(StrEnum):
    OPENED = "opened"
    DECLINED = "declined"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    AGREED = "agreed"
    PERFORMED = "performed"
    BREACHED = "breached"
    FAILED = "failed"
    TERMINATED = "terminated"
    CLOSED = "closed"


class CaseRow(Value):
    """``settled``: the dispute counts as resolved now. ``overdue``: the day of performance passed unheard of."""

    case_id: UUID
    issue_id: UUID | None
    matter: MatterCode | None
    organ: OrganId
    division: DivisionCode
    source: DisputeSource
    dispute: DisputeType
    status: CaseStatus
    settled: bool
    overdue: bool
    perform_by: date | None
    failure: FailureReason | None
    opened_at: datetime
    changed_at: datetime


cases = ReadModel(CaseRow, table="cases", key="case_id")
listing = Listing(cases, at="opened_at")


@cases.on(CaseOpened, key=lambda fact: fact.case_id)
def opened(_: CaseRow | None, fact: Recorded[CaseOpened]) -> CaseRow:
    return CaseRow(
        case_id=fact.data.case_id,
        issue_id=fact.data.issue_id,
        matter=fact.matter,
        organ=fact.organ,
        division=division_of(fact.organ),
        source=fact.data.source,
        dispute=fact.data.dispute,
        status=CaseStatus.OPENED,
        settled=False,
        overdue=False,
        perform_by=None,
        failure=None,
        opened_at=fact.occurred_at,
        changed_at=fact.occurred_at,
    )


@cases.on(CaseDeclined, key=lambda fact: fact.case_id)
def declined(row: CaseRow | None, fact: Recorded[CaseDeclined]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.DECLINED)


@cases.on(CaseAccepted, key=lambda fact: fact.case_id)
def accepted(row: CaseRow | None, fact: Recorded[CaseAccepted]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.ACCEPTED)


@cases.on(MediatorAssigned, key=lambda fact: fact.case_id)
def assigned(row: CaseRow | None, fact: Recorded[MediatorAssigned]) -> CaseRow | None:
    """The first mediator; one who takes over later takes the case as it stands."""
    if row is None or row.status is not CaseStatus.ACCEPTED:
        return row
    return after(row, fact, status=CaseStatus.ASSIGNED)


@cases.on(AgreementReached, key=lambda fact: fact.case_id)
def agreed(row: CaseRow | None, fact: Recorded[AgreementReached]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.AGREED, perform_by=fact.data.perform_by)


@cases.on(DisputeResolved, key=lambda fact: fact.case_id)
def settled(row: CaseRow | None, fact: Recorded[DisputeResolved]) -> CaseRow | None:
    return after(row, fact, settled=True)


@cases.on(DisputeResolutionRevoked, key=lambda fact: fact.case_id)
def unsettled(row: CaseRow | None, fact: Recorded[DisputeResolutionRevoked]) -> CaseRow | None:
    return after(row, fact, settled=False)


@cases.on(PerformanceOverdue, key=lambda fact: fact.case_id)
def overdue(row: CaseRow | None, fact: Recorded[PerformanceOverdue]) -> CaseRow | None:
    return after(row, fact, overdue=True)


@cases.on(PerformanceOverdueRevoked, key=lambda fact: fact.case_id)
def in_time_after_all(row: CaseRow | None, fact: Recorded[PerformanceOverdueRevoked]) -> CaseRow | None:
    return after(row, fact, overdue=False)


@cases.on(AgreementPerformed, key=lambda fact: fact.case_id)
def performed(row: CaseRow | None, fact: Recorded[AgreementPerformed]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.PERFORMED, overdue=False)


@cases.on(AgreementBreached, key=lambda fact: fact.case_id)
def breached(row: CaseRow | None, fact: Recorded[AgreementBreached]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.BREACHED)


@cases.on(CaseFailed, key=lambda fact: fact.case_id)
def failed(row: CaseRow | None, fact: Recorded[CaseFailed]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.FAILED, failure=fact.data.reason)


@cases.on(CaseTerminated, key=lambda fact: fact.case_id)
def terminated(row: CaseRow | None, fact: Recorded[CaseTerminated]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.TERMINATED)


@cases.on(CaseClosed, key=lambda fact: fact.case_id)
def closed(row: CaseRow | None, fact: Recorded[CaseClosed]) -> CaseRow | None:
    return after(row, fact, status=CaseStatus.CLOSED)
