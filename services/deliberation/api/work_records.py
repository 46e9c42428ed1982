"""Recording the work around deliberation: meetings, documents, learning, publicity."""

from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field

from eventlog.facts import Value
from facts.deliberation.work_record import Lead, MeetingKind
from services.deliberation.domain.work_record import (
    IssueDocument,
    RecordLearning,
    RecordMeeting,
    RecordPublicity,
    State,
    Unrecorded,
    WithdrawRecord,
    known,
    title_of,
    work_record,
)
from vocabulary.organs import OrganId
from vocabulary.words import Count, Instant, Line
from web.commands import Commands, Created
from web.routing import APIRouter
from web.status import status_of

router = APIRouter(prefix="/work-records", tags=["work record"])

DOCUMENTS = UUID("7d1a5a52-3f0e-5c0b-8a44-0b7f4f0c9e21")


class MeetingBody(Value):
    """``held_at``: when, where it is recorded later."""

    organ: OrganId
    kind: MeetingKind
    topic: Line
    attendees: Annotated[Count, Field(ge=1)]
    held_at: Instant | None = None


class DocumentBody(Value):
    """``number`` of the organ's documents of ``year``; ``enacts``: the policy or template it puts in force."""

    organ: OrganId
    number: Annotated[Count, Field(ge=1)]
    year: Annotated[Count, Field(ge=1900, le=2200, examples=[2026])]
    title: Line
    enacts: Line | None = None
    issued_at: Instant | None = None


class LearningBody(Value):
    """``members``: who attended, by random id."""

    organ: OrganId
    topic: Line
    members: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1_000)]
    held_at: Instant | None = None


class PublicityBody(Value):
    """``lead``: who went ahead; ``channel``: through what, such as a public account."""

    organ: OrganId
    lead: Lead
    channel: Line
    title: Line
    published_at: Instant | None = None


@router.post("/meetings", status_code=201, summary="Record a meeting")
async def record_meeting(body: MeetingBody, commands: Commands) -> Created:
    """Record a meeting of the leadership or of the staff on this work."""
    key = commands.new_id("meeting")
    command = RecordMeeting(record_id=key, kind=body.kind, topic=body.topic, attendees=body.attendees)
    return await commands.create(work_record, command, organ=body.organ, key=key, occurred_at=body.held_at)


@router.post("/documents", status_code=201, summary="Record a document")
async def issue_document(body: DocumentBody, commands: Commands) -> Created:
    """Record a document that was issued, under the number it bears: one document a number, organ and year."""
    key = uuid5(DOCUMENTS, f"{body.organ}/{body.year}/{body.number}")
    command = IssueDocument(number=body.number, year=body.year, title=body.title, enacts=body.enacts)
    return await commands.create(work_record, command, organ=body.organ, key=key, occurred_at=body.issued_at)


@router.post("/learning", status_code=201, summary="Record a learning session")
async def record_learning(body: LearningBody, commands: Commands) -> Created:
    """Record that members learned together."""
    key = commands.new_id("learning")
    command = RecordLearning(record_id=key, topic=body.topic, members=body.members)
    return await commands.create(work_record, command, organ=body.organ, key=key, occurred_at=body.held_at)


@router.post("/publicity", status_code=201, summary="Record publicity")
async def record_publicity(body: PublicityBody, commands: Commands) -> Created:
    """Record that the work was made known."""
    key = commands.new_id("publicity")
    command = RecordPublicity(record_id=key, lead=body.lead, channel=body.channel, title=body.title)
    return await commands.create(work_record, command, organ=body.organ, key=key, occurred_at=body.published_at)


@router.post("/{record_id}/withdraw", status_code=204, summary="Withdraw a work record")
async def withdraw_work_record(record_id: UUID, body: WithdrawRecord, commands: Commands) -> None:
    """Say that it was recorded in error: it counts no more, and stays readable."""
    await commands.send(work_record, record_id, body)


class WorkRecordShown(Value):
    """``kind``: leadership-meeting-held, document-issued, learning-session-held or publicity-recorded.

    ``status`` is one of recorded, withdrawn.
    """

    id: UUID
    organ: OrganId
    status: str
    kind: str
    title: Line


@router.get("/{record_id}", summary="Show a work record")
async def show_work_record(record_id: UUID, commands: Commands) -> WorkRecordShown:
    """Say what was recorded."""
    head = await commands.head(work_record, record_id)
    state: State = head.state
    if isinstance(state, Unrecorded):
        raise TypeError("a stream with facts is recorded")
    record = known(state)
    return WorkRecordShown(
        id=record_id, organ=head.organ, status=status_of(state), kind=record.fact_name, title=title_of(record)
    )
