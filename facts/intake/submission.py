"""Submission: what one person or source said, kept apart for good, so that everyone who spoke can be answered."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact, Value
from eventlog.sealed import Sealed
from vocabulary.words import Code, Flag, Line


class Channel(StrEnum):
    """How it reached us."""

    VISIT = "visit"
    QUESTIONNAIRE = "questionnaire"
    LISTENING = "listening"
    HOTLINE = "hotline"
    WECHAT = "wechat"
    CPPCC_MEMBER = "cppcc-member"
    PETITION = "petition"
    GRID = "grid"
    WEB = "web"
    OTHER_SYSTEM = "other-system"


class Submitter(Value):
    """A person by a random id; name and phone are sealed under that person's key."""

    person: UUID
    name: Sealed[str] | None = None
    phone: Sealed[str] | None = None


class Origin(Value):
    """Another system's name and its own number for this submission: together a natural key."""

    system: Code
    reference: Code


class SubmissionReceived(Fact, name="submission-received"):
    """``submitter`` None: anonymous. ``backfilled``: paper, entered later."""

    submission_id: UUID
    channel: Channel
    words: Sealed[str]
    submitter: Submitter | None = None
    place: Line | None = None
    origin: Origin | None = None
    backfilled: Flag = False


class SubmissionMerged(Fact, name="submission-merged"):
    """The same was said before, by ``into``. Both submitters are still answered."""

    submission_id: UUID
    into: UUID


class SubmissionLinked(Fact, name="submission-linked"):
    submission_id: UUID
    issue_id: UUID


class SubmissionWithdrawn(Fact, name="submission-withdrawn"):
    submission_id: UUID
    reason: Line
