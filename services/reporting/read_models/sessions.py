"""Sessions: planned, noticed, held, signed. Of deliberation's topic."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from eventlog.facts import Recorded, Value
from eventlog.read_model import ReadModel
from facts.deliberation.session import (
    Form,
    MinutesSigned,
    QuorumFailed,
    Scale,
    SessionClosed,
    SessionNoticed,
    SessionOpened,
    SessionPlanned,
)
from services.reporting.read_models.listing import Listing
from services.reporting.read_models.rows import after
from vocabulary.divisions import DivisionCode, Level
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId, division_of


class SessionStatus(StrEnum):
    PLANNED = "planned"
    NOTICED = "noticed"
    WITHOUT_QUORUM = "without-quorum"
    OPEN = "open"
    CLOSED = "closed"
    SIGNED = "signed"


class SessionRow(Value):
    """``topics``: how many are on the agenda. Attendances are known once the minutes are signed."""

    session_id: UUID
    matter: MatterCode | None
    organ: OrganId
    division: DivisionCode
    level: Level
    form: Form
    scale: Scale
    status: SessionStatus
    topics: int
    begins_at: datetime
    attendances: int | None
    members_present: int | None
    cppcc_present: int | None
    planned_at: datetime
    changed_at: datetime


sessions = ReadModel(SessionRow, table="sessions", key="session_id")
listing = Listing(sessions, at="begins_at")


@sessions.on(SessionPlanned, key=lambda fact: fact.session_id)
def planned(_: SessionRow | None, fact: Recorded[SessionPlanned]) -> SessionRow:
    plan = fact.data
    return SessionRow(
        session_id=plan.session_id,
        matter=fact.matter,
        organ=fact.organ,
        division=division_of(fact.organ),
        level=plan.level,
        form=plan.form,
        scale=plan.scale,
        status=SessionStatus.PLANNED,
        topics=len(plan.agenda),
        begins_at=plan.begins_at,
        attendances=None,
        members_present=None,
        cppcc_present=None,
        planned_at=fact.occurred_at,
        changed_at=fact.occurred_at,
    )


@sessions.on(SessionNoticed, key=lambda fact: fact.session_id)
def noticed(row: SessionRow | None, fact: Recorded[SessionNoticed]) -> SessionRow | None:
    return after(row, fact, status=SessionStatus.NOTICED, begins_at=fact.data.begins_at)


@sessions.on(QuorumFailed, key=lambda fact: fact.session_id)
def without_quorum(row: SessionRow | None, fact: Recorded[QuorumFailed]) -> SessionRow | None:
    return after(row, fact, status=SessionStatus.WITHOUT_QUORUM)


@sessions.on(SessionOpened, key=lambda fact: fact.session_id)
def opened(row: SessionRow | None, fact: Recorded[SessionOpened]) -> SessionRow | None:
    return after(row, fact, status=SessionStatus.OPEN)


@sessions.on(SessionClosed, key=lambda fact: fact.session_id)
def closed(row: SessionRow | None, fact: Recorded[SessionClosed]) -> SessionRow | None:
    return after(row, fact, status=SessionStatus.CLOSED)


@sessions.on(MinutesSigned, key=lambda fact: fact.session_id)
def signed(row: SessionRow | None, fact: Recorded[MinutesSigned]) -> SessionRow | None:
    return after(
        row,
        fact,
        status=SessionStatus.SIGNED,
        attendances=fact.data.attendances,
        members_present=fact.data.members_present,
        cppcc_present=fact.data.cppcc_present,
    )
