"""Receiving what people say."""

import asyncio
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import Query, Request

from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.intake.submission import Channel, Origin, Submitter
from services.intake.domain.submission import (
    MergeSubmission,
    ReceiveSubmission,
    State,
    WithdrawSubmission,
    submission,
)
from services.intake.integrations import spreadsheet
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId
from vocabulary.words import Code, Count, Flag, Instant, Line, Words
from web.commands import MINT, Commands, Created
from web.routing import APIRouter
from web.vault import Vault

router = APIRouter(prefix="/submissions", tags=["submission"])

AT_ONCE = 32  # rows of a spreadsheet on their way to the log together


class SubmissionBody(Value):
    """What was said, by whom, and how it reached us. ``organ``: who received it.

    Without ``name`` and ``phone`` it is anonymous. ``said_at`` is for paper and other systems' records, entered later.
    """

    organ: OrganId
    channel: Channel
    words: Words
    name: Line | None = None
    phone: Line | None = None
    place: Line | None = None
    origin: Origin | None = None
    said_at: Instant | None = None


@router.post("", status_code=201, summary="Receive a submission")
async def receive_submission(body: SubmissionBody, commands: Commands, vault: Vault) -> Created:
    """Keep a person's words, sealed under that person's key, and give them a matter code."""
    key = commands.new_id("submission") if body.origin is None else natural_key(commands.tenant, body.origin)
    command = await sealed(body, key, commands.new_id("person"), vault)
    return await commands.create(submission, command, organ=body.organ, matter=MINT, key=key, occurred_at=body.said_at)


class RowResult(Value):
    """What became of a row: accepted, repeated (it was here before), or refused with a stable code."""

    row: Count
    outcome: str
    code: str | None = None
    submission_id: UUID | None = None


class ImportResult(Value):
    accepted: Count
    repeated: Count
    refused: Count
    rows: tuple[RowResult, ...]


@router.post(
    "/import",
    status_code=200,
    summary="Receive submissions from a spreadsheet",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def import_submissions(
    request: Request,
    commands: Commands,
    vault: Vault,
    organ: Annotated[OrganId, Query(description="Who received them")],
    system: Annotated[Code, Query(description="Where the rows' references come from", examples=["letters-2020"])],
    channel: Annotated[Channel, Query()] = Channel.OTHER_SYSTEM,
    first_row: Annotated[int, Query(ge=2, le=10_000_000, description="Number of the first row")] = 2,
) -> ImportResult:
    """Take up to 1,000 rows of CSV (UTF-8, with a heading), each on its own: accepted, repeated or refused with a code.

    A row is known by ``system`` and its reference, so a file sent again, whole or after a break, adds nothing.
    """
    rows = [(number - 2 + first_row, row) for number, row in spreadsheet.read(await request.body())]
    gate = asyncio.Semaphore(AT_ONCE)

    async def take(number: int, row: spreadsheet.Row | spreadsheet.Refused) -> RowResult:
        if isinstance(row, spreadsheet.Refused):
            return RowResult(row=number, outcome="refused", code=row.code)
        origin = Origin(system=system, reference=row.reference)
        key = natural_key(commands.tenant, origin)
        body = SubmissionBody(
            organ=organ,
            channel=channel,
            words=row.words,
            name=row.name,
            phone=row.phone,
            place=row.place,
            origin=origin,
            said_at=row.said_at,
        )
        async with gate:
            try:
                command = await sealed(body, key, uuid5(key, "person"), vault)
                await commands.create(
                    submission,
                    command,
                    organ=organ,
                    matter=MINT,
                    key=key,
                    occurred_at=row.said_at,
                    part=str(row.reference),
                )
            except Rejected as refusal:
                if refusal.code == "submission-exists":
                    return RowResult(row=number, outcome="repeated", submission_id=key)
                return RowResult(row=number, outcome="refused", code=refusal.code)
        return RowResult(row=number, outcome="accepted", submission_id=key)

    results = await asyncio.gather(*(take(number, row) for number, row in rows))
    outcomes = [result.outcome for result in results]
    return ImportResult(
        accepted=outcomes.count("accepted"),
        repeated=outcomes.count("repeated"),
        refused=outcomes.count("refused"),
        rows=tuple(results),
    )


@router.post("/{submission_id}/merge", status_code=204, summary="Merge a submission into another")
async def merge_submission(submission_id: UUID, body: MergeSubmission, commands: Commands) -> None:
    """Say that another submission said the same before; both submitters are still answered."""
    await commands.send(submission, submission_id, body)


@router.post("/{submission_id}/withdraw", status_code=204, summary="Withdraw a submission")
async def withdraw_submission(submission_id: UUID, body: WithdrawSubmission, commands: Commands) -> None:
    """Take a submission back."""
    await commands.send(submission, submission_id, body)


class SubmissionShown(Value):
    """Where a submission stands; ``status`` is one of received, merged, linked, withdrawn."""

    submission_id: UUID
    matter: MatterCode | None
    organ: OrganId
    status: str
    merged_into: UUID | None = None
    issue_id: UUID | None = None


@router.get("/{submission_id}", summary="Show a submission")
async def show_submission(submission_id: UUID, commands: Commands) -> SubmissionShown:
    """Say where a submission stands, without its words."""
    head = await commands.head(submission, submission_id)
    state: State = head.state
    return SubmissionShown(
        submission_id=submission_id,
        matter=head.matter,
        organ=head.organ,
        status=type(state).__name__.lower(),
        merged_into=getattr(state, "into", None),
        issue_id=getattr(state, "issue_id", None),
    )


def natural_key(tenant: str, origin: Origin) -> UUID:
    """Another system's record is one stream, however often it is sent."""
    return uuid5(ORIGINS, f"{tenant}/{origin.system}/{origin.reference}")


ORIGINS = UUID("5f0c6c0e-8a53-5d0b-9a3f-6f1f2f0d7a11")


async def sealed(body: SubmissionBody, key: UUID, person: UUID, vault: Vault) -> ReceiveSubmission:
    """Seal words, name and phone under the person's key; an anonymous submission's words under its own."""
    anonymous = body.name is None and body.phone is None
    owner = key if anonymous else person
    words = await vault.seal(owner, "submission-words", body.words)
    submitter = None
    if not anonymous:
        submitter = Submitter(
            person=person,
            name=None if body.name is None else await vault.seal(person, "person-name", body.name),
            phone=None if body.phone is None else await vault.seal(person, "person-phone", body.phone),
        )
    backfilled: Flag = body.said_at is not None
    return ReceiveSubmission(
        submission_id=key,
        channel=body.channel,
        words=words,
        submitter=submitter,
        place=body.place,
        origin=body.origin,
        backfilled=backfilled,
    )
