"""WorkRecord: meetings, documents, learning and publicity of an organ, each recorded once; in error, withdrawn."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.deliberation.work_record import (
    DocumentIssued,
    Lead,
    LeadershipMeetingHeld,
    LearningSessionHeld,
    MeetingKind,
    PublicityRecorded,
    WorkRecordWithdrawn,
)
from vocabulary.words import Count, Line


class RecordMeeting(Value):
    record_id: UUID
    kind: MeetingKind
    topic: Line
    attendees: Annotated[Count, Field(ge=1)]


class IssueDocument(Value):
    """Its stream is known by organ, year and number, so that a number is given once."""

    number: Annotated[Count, Field(ge=1)]
    year: Annotated[Count, Field(ge=1900, le=2200)]
    title: Line
    enacts: Line | None = None


class RecordLearning(Value):
    """``members``: who attended, by random id."""

    record_id: UUID
    topic: Line
    members: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1_000)]


class RecordPublicity(Value):
    record_id: UUID
    lead: Lead
    channel: Line
    title: Line


class WithdrawRecord(Value):
    """It was recorded in error."""

    reason: Line


Entry: TypeAlias = RecordMeeting | IssueDocument | RecordLearning | RecordPublicity
Command: TypeAlias = Entry | WithdrawRecord
Record: TypeAlias = LeadershipMeetingHeld | DocumentIssued | LearningSessionHeld | PublicityRecorded
Fact: TypeAlias = Record | WorkRecordWithdrawn


class Unrecorded(Value):
    """Nothing here yet."""


class Recorded(Value):
    record: Record


class Withdrawn(Value):
    record: Record


State: TypeAlias = Unrecorded | Recorded | Withdrawn


def decide(command: Command, work_record: State, _: Context) -> Sequence[Fact]:
    match command:
        case WithdrawRecord():
            return withdraw(command, work_record)
        case RecordMeeting() | IssueDocument() | RecordLearning() | RecordPublicity():
            return enter(command, work_record)


def enter(command: Entry, work_record: State) -> Sequence[Fact]:
    """Once: a number that was given stays given, also when its document was withdrawn."""
    match work_record:
        case Unrecorded():
            return [fact_of(command)]
        case Recorded() | Withdrawn():
            raise Rejected("work-record-exists")


def fact_of(entry: Entry) -> Record:
    match entry:
        case RecordMeeting():
            return LeadershipMeetingHeld(**vars(entry))
        case IssueDocument():
            return DocumentIssued(**vars(entry))
        case RecordLearning(members=members) if len(set(members)) < len(members):
            raise Rejected("attended-twice")
        case RecordLearning():
            return LearningSessionHeld(**vars(entry))
        case RecordPublicity():
            return PublicityRecorded(**vars(entry))


def withdraw(command: WithdrawRecord, work_record: State) -> Sequence[Fact]:
    """Nothing is edited: what was recorded in error says so, and counts no more."""
    match work_record:
        case Recorded():
            return [WorkRecordWithdrawn(reason=command.reason)]
        case Unrecorded():
            raise Rejected("work-record-absent")
        case Withdrawn():
            raise Rejected("work-record-withdrawn")


def evolve(work_record: State, fact: Fact) -> State:
    match fact:
        case WorkRecordWithdrawn():
            return Withdrawn(record=known(work_record))
        case LeadershipMeetingHeld() | DocumentIssued() | LearningSessionHeld() | PublicityRecorded():
            return Recorded(record=fact)


def known(work_record: State) -> Record:
    """What every state but the first knows."""
    if isinstance(work_record, Unrecorded):
        raise TypeError("a work record's history begins with the record")
    return work_record.record


def title_of(record: Record) -> Line:
    """What it was about."""
    match record:
        case LeadershipMeetingHeld(topic=title) | LearningSessionHeld(topic=title):
            return title
        case DocumentIssued(title=title) | PublicityRecorded(title=title):
            return title


work_record: Decider[Command, State, Fact, Context] = Decider("work-record", Unrecorded(), decide, evolve)
