"""Keeping a promise, and having somebody else look at it."""

from uuid import UUID

from eventlog.facts import Value
from services.deliberation.domain.commitment import (
    Closed,
    CompleteCommitment,
    Completed,
    ContestCommitment,
    Opened,
    State,
    Unopened,
    VerifyCommitment,
    commitment,
)
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId
from vocabulary.words import Flag, Instant, Words
from web.commands import Commands
from web.routing import APIRouter
from web.status import status_of
from web.vault import Vault

router = APIRouter(prefix="/commitments", tags=["commitment"])


class CompleteBody(Value):
    """``proof`` is published. ``done_at``: when it was done, where that is recorded later."""

    proof: Words
    done_at: Instant | None = None


class ContestBody(Value):
    """What is not as promised, as it is published."""

    reason: Words


@router.post("/{commitment_id}/complete", status_code=204, summary="Complete a commitment")
async def complete_commitment(commitment_id: UUID, body: CompleteBody, commands: Commands, vault: Vault) -> None:
    """Say that it is done, with proof: somebody of the unit that promised it."""
    async with commands.unless_answered():
        await commands.head(commitment, commitment_id)  # no key is made for who may not use it
        command = CompleteCommitment(proof=await vault.public(body.proof))
        await commands.send(commitment, commitment_id, command, occurred_at=body.done_at)


@router.post("/{commitment_id}/verify", status_code=204, summary="Verify a commitment")
async def verify_commitment(commitment_id: UUID, body: VerifyCommitment, commands: Commands) -> None:
    """Confirm that it is done: somebody else, of another unit. It is closed by that."""
    await commands.send(commitment, commitment_id, body)


@router.post("/{commitment_id}/contest", status_code=204, summary="Contest a commitment")
async def contest_commitment(commitment_id: UUID, body: ContestBody, commands: Commands, vault: Vault) -> None:
    """Say that what was called done is not; the promise is open again."""
    async with commands.unless_answered():
        await commands.head(commitment, commitment_id)
        await commands.send(commitment, commitment_id, ContestCommitment(reason=await vault.public(body.reason)))


class CommitmentShown(Value):
    """``status`` is one of opened, completed, closed, cancelled. ``missed``: the deadline passed while it was open.

    ``what`` is None for direct handling, where it is the issue's headline, intake's to show.
    """

    commitment_id: UUID
    matter: MatterCode | None
    organ: OrganId
    status: str
    deliberation_id: UUID | None
    issue_id: UUID | None
    what: str | None
    unit: OrganId
    due: Instant
    missed: Flag = False
    in_time: Flag | None = None


@router.get("/{commitment_id}", summary="Show a commitment")
async def show_commitment(commitment_id: UUID, commands: Commands, vault: Vault) -> CommitmentShown:
    """Say what was promised, by whom, until when, and where it stands."""
    head = await commands.head(commitment, commitment_id)
    state: State = head.state
    if isinstance(state, Unopened):
        raise TypeError("a stream with facts is opened")
    about = state.about
    return CommitmentShown(
        commitment_id=commitment_id,
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        deliberation_id=about.deliberation_id,
        issue_id=about.issue_id,
        what=None if about.deliberation_id is None else await vault.show(about.what),
        unit=about.unit,
        due=about.due,
        missed=isinstance(state, Opened) and state.missed,
        in_time=state.in_time if isinstance(state, Completed | Closed) else None,
    )
