"""Session: one meeting, dialogue or written round on one or more topics. Only sessions with signed minutes count."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact
from eventlog.sealed import Sealed
from vocabulary.divisions import DivisionCode, Level
from vocabulary.words import Count, Flag, Instant, Line


class Form(StrEnum):
    MEETING = "meeting"  # 会议协商
    DIALOGUE = "dialogue"  # 对话协商
    WRITTEN = "written"  # 书面协商


class Scale(StrEnum):
    MICRO = "micro"  # 小微协商
    REGULAR = "regular"


class Capacity(StrEnum):
    """As what somebody takes part."""

    FIXED_MEMBER = "fixed-member"
    CPPCC_MEMBER = "cppcc-member"
    SIDE = "side"
    UNIT = "unit"
    GUEST = "guest"


class SessionPlanned(Fact, name="session-planned"):
    """``agenda``: deliberation ids, in order. ``sides``: whoever is directly interested, by a name all understand."""

    session_id: UUID
    committee: DivisionCode
    level: Level
    form: Form
    scale: Scale
    agenda: tuple[UUID, ...]
    presider: UUID
    recorder: UUID
    fixed_members: tuple[UUID, ...]
    sides: tuple[Line, ...]
    begins_at: Instant


class SessionNoticed(Fact, name="session-noticed"):
    """``begins_at``: as announced now. ``waived``: every side agreed to less than the notice period."""

    session_id: UUID
    begins_at: Instant
    waived: Flag


class ParticipantCheckedIn(Fact, name="participant-checked-in"):
    session_id: UUID
    person: UUID
    capacity: Capacity
    side: Line | None = None


class QuorumFailed(Fact, name="quorum-failed"):
    """``present`` of the ``needed`` members; ``sides_missing``: interested sides that nobody was there for.

    Of a regular session fixed members count, of a micro one fixed and CPPCC members besides presider and recorder.
    ``chaired``: presider and recorder were both there.
    """

    session_id: UUID
    present: Count
    needed: Count
    chaired: Flag
    sides_missing: tuple[Line, ...]


class SessionOpened(Fact, name="session-opened"):
    session_id: UUID


class StatementRecorded(Fact, name="statement-recorded"):
    session_id: UUID
    item: UUID
    speaker: UUID
    side: Line | None
    words: Sealed[str]


class StatementWaived(Fact, name="statement-waived"):
    """A side chose not to speak, which the record must say."""

    session_id: UUID
    side: Line


class SessionClosed(Fact, name="session-closed"):
    session_id: UUID


class MinutesSigned(Fact, name="minutes-signed"):
    """The session counts from here on. Figures of the session stand in this one fact."""

    session_id: UUID
    form: Form
    scale: Scale
    level: Level
    agenda: tuple[UUID, ...]
    attendances: Count
    members_present: Count
    cppcc_present: Count
    signed_by: tuple[UUID, ...]
