"""WorkRecord: meetings, documents, learning and publicity: the only source of those figures."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact
from vocabulary.words import Count, Line


class MeetingKind(StrEnum):
    PARTY_COMMITTEE = "party-committee"  # 党委会
    CADRE_STAFF = "cadre-staff"  # 干部职工会
    LEADING_GROUP = "leading-group"


class Lead(StrEnum):
    """The three take-the-leads (三个带头)."""

    LEADERS = "leaders"
    CADRES = "cadres"
    PARTY_MEMBERS = "party-members"


class LeadershipMeetingHeld(Fact, name="leadership-meeting-held"):
    record_id: UUID
    kind: MeetingKind
    topic: Line
    attendees: Count


class DocumentIssued(Fact, name="document-issued"):
    """``number`` is unique for the organ and year; ``enacts``: the policy or template it puts in force."""

    number: Count
    year: Count
    title: Line
    enacts: Line | None = None


class LearningSessionHeld(Fact, name="learning-session-held"):
    record_id: UUID
    topic: Line
    members: tuple[UUID, ...]


class PublicityRecorded(Fact, name="publicity-recorded"):
    record_id: UUID
    lead: Lead
    channel: Line
    title: Line


class WorkRecordWithdrawn(Fact, name="work-record-withdrawn"):
    """It was recorded in error and counts no more; it stays readable, and a document's number stays given."""

    reason: Line
