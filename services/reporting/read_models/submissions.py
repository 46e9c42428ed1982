"""Submissions: how each came and what became of it; never its words, nor whose they were. Of intake's topic."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from eventlog.facts import Recorded, Value
from eventlog.read_model import ReadModel
from facts.intake.submission import (
    Channel,
    SubmissionLinked,
    SubmissionMerged,
    SubmissionReceived,
    SubmissionWithdrawn,
)
from services.reporting.read_models.listing import Listing
from services.reporting.read_models.rows import after
from vocabulary.divisions import DivisionCode
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId, division_of


class SubmissionStatus(StrEnum):
    RECEIVED = "received"
    MERGED = "merged"
    LINKED = "linked"
    WITHDRAWN = "withdrawn"


class SubmissionRow(Value):
    """``merged_into``: who said the same before. ``issue_id``: what grew out of it."""

    submission_id: UUID
    matter: MatterCode | None
    organ: OrganId
    division: DivisionCode
    channel: Channel
    anonymous: bool
    backfilled: bool
    status: SubmissionStatus
    merged_into: UUID | None
    issue_id: UUID | None
    received_at: datetime
    changed_at: datetime


submissions = ReadModel(SubmissionRow, table="submissions", key="submission_id")
listing = Listing(submissions, at="received_at")


@submissions.on(SubmissionReceived, key=lambda fact: fact.submission_id)
def received(_: SubmissionRow | None, fact: Recorded[SubmissionReceived]) -> SubmissionRow:
    return SubmissionRow(
        submission_id=fact.data.submission_id,
        matter=fact.matter,
        organ=fact.organ,
        division=division_of(fact.organ),
        channel=fact.data.channel,
        anonymous=fact.data.submitter is None,
        backfilled=fact.data.backfilled,
        status=SubmissionStatus.RECEIVED,
        merged_into=None,
        issue_id=None,
        received_at=fact.occurred_at,
        changed_at=fact.occurred_at,
    )


@submissions.on(SubmissionMerged, key=lambda fact: fact.submission_id)
def merged(row: SubmissionRow | None, fact: Recorded[SubmissionMerged]) -> SubmissionRow | None:
    return after(row, fact, status=SubmissionStatus.MERGED, merged_into=fact.data.into)


@submissions.on(SubmissionLinked, key=lambda fact: fact.submission_id)
def linked(row: SubmissionRow | None, fact: Recorded[SubmissionLinked]) -> SubmissionRow | None:
    return after(row, fact, status=SubmissionStatus.LINKED, issue_id=fact.data.issue_id)


@submissions.on(SubmissionWithdrawn, key=lambda fact: fact.submission_id)
def withdrawn(row: SubmissionRow | None, fact: Recorded[SubmissionWithdrawn]) -> SubmissionRow | None:
    return after(row, fact, status=SubmissionStatus.WITHDRAWN)
