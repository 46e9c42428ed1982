"""WorkRecord: meetings, documents, learning and publicity of an organ, each recorded once."""

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


Command: TypeAlias = RecordMeeting | IssueDocument | RecordLearning | RecordPublicity
Fact: TypeAlias = LeadershipMeetingHeld | DocumentIssued | LearningSessionHeld | PublicityRecorded


class Unrecorded(Value):
    """Nothing here yet."""


class Recorded(Value):
    record: Fact

    @property
    def title(self) -> Line:
        """What it was about."""
        match self.record:
            case LeadershipMeetingHeld(topic=title) | LearningSessionHeld(topic=title):
                return title
            case DocumentIssued(title=title) | PublicityRecorded(title=title):
                return title


State: TypeAlias = Unrecorded | Recorded


def decide(command: Command, work_record: State, _: Context) -> Sequence[Fact]:
    match work_record:
        case Unrecorded():
            return [recorded(command)]
        case Recorded():
            raise Rejected("work-record-exists")


def recorded(command: Command) -> Fact:
    match command:
        case RecordMeeting():
            return LeadershipMeetingHeld(**dict(command))
        case IssueDocument():
            return DocumentIssued(**dict(command))
        case RecordLearning(members=members) if len(set(members)) < len(members):
            raise Rejected("attended-twice")
        case RecordLearning():
            return LearningSessionHeld(**dict(command))
        case RecordPublicity():
            return PublicityRecorded(**dict(command))


def evolve(_: State, fact: Fact) -> State:
    return Recorded(record=fact)


work_record: Decider[Command, State, Fact, Context] = Decider("work-record", Unrecorded(), decide, evolve)
