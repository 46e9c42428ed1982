"""Receiving what people say."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import Query, Request

from eventlog.errors import Absent, CommandMismatch, Forbidden, Rejected
from eventlog.facts import Value
from facts.intake.submission import Channel, Origin, Submitter
from services.intake.domain.submission import (
    MergeSubmission,
    ReceiveSubmission,
    State,
    WithdrawSubmission,
    owner_of,
    submission,
)
from services.intake.integrations import spreadsheet
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId, division_of
from vocabulary.words import Code, Count, Flag, Instant, Line, Words
from web.commands import MINT, Commands, Created
from web.routing import APIRouter
from web.status import status_of
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


class WithdrawalBody(Value):
    """Why, in the submitter's own words."""

    reason: Line


@router.post("", status_code=201, summary="Receive a submission")
async def receive_submission(body: SubmissionBody, commands: Commands, vault: Vault) -> Created:
    """Keep a person's words, sealed under that person's key, and give them a matter code."""
    async with commands.unless_answered():
        commands.authorize(body.organ, commands.caller.id)  # before a key is made for anyone's words
        key = commands.new_id("submission")
        if body.origin is not None:
            key = natural_key(commands.tenant, body.organ, body.origin)
        command = await sealed(body, key, commands.new_id("person"), vault)
        return await commands.create(
            submission, command, organ=body.organ, matter=MINT, key=key, occurred_at=body.said_at
        )
    return commands.created_before()


class RowResult(Value):
    """What became of a row: accepted, repeated (it was here before), or refused with a stable code.

    ``row-reference-twice``: an earlier row of the file has its reference. ``row-elsewhere``: another body of the town,
    out of the caller's reach, has it. ``row-changed``: under this Idempotency-Key it said something else before.
    """

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
    first_row: Annotated[
        int, Query(ge=2, le=10_000_000, description="The first record's number in the whole file; the heading is 1")
    ] = 2,
) -> ImportResult:
    """Take up to 1,000 rows of CSV (UTF-8, with a heading), each on its own: accepted, repeated or refused with a code.

    A row is known in its town by ``system`` and its reference, so a file sent again, whole or after a break, adds
    nothing.
    """
    commands.authorize(organ, commands.caller.id)
    rows = [(number - 2 + first_row, row) for number, row in spreadsheet.read(await request.body())]
    twice = repeated(rows)
    gate = asyncio.Semaphore(AT_ONCE)

    async def take(number: int, row: spreadsheet.Row | spreadsheet.Refused) -> RowResult:
        if isinstance(row, spreadsheet.Refused):
            return RowResult(row=number, outcome="refused", code=row.code)
        if number in twice:
            return RowResult(row=number, outcome="refused", code="row-reference-twice")
        origin = Origin(system=system, reference=row.reference)
        key = natural_key(commands.tenant, organ, origin)
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
                async with commands.unless_answered(str(key), body):
                    command = await sealed(body, key, uuid5(key, "person"), vault)
                    await commands.create(
                        submission,
                        command,
                        organ=organ,
                        matter=MINT,
                        key=key,
                        occurred_at=row.said_at,
                        part=str(key),
                        said=body,
                    )
            except Rejected as refusal:
                if refusal.code == "submission-exists":
                    return RowResult(row=number, outcome="repeated", submission_id=key)
                return RowResult(row=number, outcome="refused", code=refusal.code)
            except (Absent, Forbidden):
                return RowResult(row=number, outcome="refused", code="row-elsewhere")
            except CommandMismatch:
                return RowResult(row=number, outcome="refused", code="row-changed")
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
async def withdraw_submission(submission_id: UUID, body: WithdrawalBody, commands: Commands, vault: Vault) -> None:
    """Take a submission back; the reason is kept sealed, as its words are."""
    async with commands.unless_answered():
        head = await commands.head(submission, submission_id)
        reason = await vault.seal(owner_of(head.state, submission_id), "submission-withdrawal", body.reason)
        await commands.send(submission, submission_id, WithdrawSubmission(reason=reason))


class SubmissionShown(Value):
    """Where a submission stands; ``status`` is one of received, merged, linked, withdrawn.

    ``subject``: whose key its words are sealed under, the one to name in an erasure.
    """

    submission_id: UUID
    subject: UUID
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
        subject=owner_of(state, submission_id),
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        merged_into=getattr(state, "into", None),
        issue_id=getattr(state, "issue_id", None),
    )


def natural_key(tenant: str, organ: OrganId, origin: Origin) -> UUID:
    """Another system's record is one stream of a town, however often and by whichever of its bodies it is sent.

    Of a town, because two towns may use one system's name and number for different records.
    """
    return uuid5(ORIGINS, f"{tenant}/{division_of(organ)[:9]}/{origin.system}/{origin.reference}")


def repeated(rows: Sequence[tuple[int, spreadsheet.Row | spreadsheet.Refused]]) -> frozenset[int]:
    """Numbers of the rows whose reference an earlier row has: which of the two is meant, nobody here can know."""
    seen: set[str] = set()
    found: set[int] = set()
    for number, row in rows:
        if isinstance(row, spreadsheet.Row):
            if row.reference in seen:
                found.add(number)
            seen.add(row.reference)
    return frozenset(found)


ORIGINS = UUID("5f0c6c0e-8a53-5d0b-9a3f-6f1f2f0d7a11")


async def sealed(body: SubmissionBody, key: UUID, person: UUID, vault: Vault) -> ReceiveSubmission:
    """Seal words, place, name and phone under the person's key; an anonymous submission's under its own."""
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
        place=None if body.place is None else await vault.seal(owner, "submission-place", body.place),
        origin=body.origin,
        backfilled=backfilled,
    )
