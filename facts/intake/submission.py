"""Submission: what one person or source said, kept apart for good, so that everyone who spoke can be answered."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact, Value
from eventlog.sealed import Sealed
from vocabulary.words import Code, Flag


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
    """``submitter`` None: anonymous; then ``words`` and ``place`` are sealed under the submission's own key.

    ``backfilled``: paper, entered later.
    """

    submission_id: UUID
    channel: Channel
    words: Sealed[str]
    submitter: Submitter | None = None
    place: Sealed[str] | None = None
    origin: Origin | None = None
    backfilled: Flag = False


class SubmissionMerged(Fact, name="submission-merged"):
    """The same was said before, by ``into``. Both submitters are still answered."""

    submission_id: UUID
    into: UUID


class SubmissionLinked(Fact, name="submission-linked"):
    submission_id: UUID
    issue_id: UUID


class SubmissionLinkDeclined(Fact, name="submission-link-declined"):
    """It belongs to another issue already; ``issue_id`` must no longer name it."""

    submission_id: UUID
    issue_id: UUID


class SubmissionWithdrawn(Fact, name="submission-withdrawn"):
    """``reason``: the submitter's own words, sealed under the key that the submission's words are sealed under."""

    submission_id: UUID
    reason: Sealed[str]
