"""Submitting what a session arrived at, and deciding on it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from eventlog.facts import Value
from facts.deliberation.outcome import OutcomeKind, Promise
from services.deliberation.domain.deliberation import deliberation
from services.deliberation.domain.outcome import (
    Adopted,
    AdoptOutcome,
    RefuseOutcome,
    State,
    SubmitOutcome,
    Unsubmitted,
    outcome,
)
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId
from vocabulary.words import Day, Flag, Words
from web.commands import Commands, Created
from web.routing import APIRouter
from web.status import status_of
from web.vault import Vault

router = APIRouter(prefix="/outcomes", tags=["outcome"])


class OutcomeBody(Value):
    """``session_id``: a session with signed minutes that treated the deliberation. ``summary`` is published."""

    deliberation_id: UUID
    session_id: UUID
    kind: OutcomeKind
    summary: Words


class PromiseBody(Value):
    """What is to be done, as it is published; by which unit; the last day."""

    what: Words
    unit: OrganId
    due: Day


class AdoptBody(Value):
    """``partly``: less was adopted than submitted."""

    partly: Flag = False
    promises: Annotated[tuple[PromiseBody, ...], Field(max_length=50)] = ()


class RefuseBody(Value):
    """Why not, as it is published."""

    reasons: Words


@router.post("", status_code=201, summary="Submit an outcome")
async def submit_outcome(body: OutcomeBody, commands: Commands, vault: Vault) -> Created:
    """Submit what a session arrived at to whoever decides. It belongs to the deliberation's organ and matter."""
    async with commands.unless_answered():
        key = commands.new_id("outcome")
        topic = await commands.head(deliberation, body.deliberation_id)
        command = SubmitOutcome(
            outcome_id=key,
            deliberation_id=body.deliberation_id,
            session_id=body.session_id,
            kind=body.kind,
            summary=await vault.public(body.summary),
        )
        return await commands.create(outcome, command, organ=topic.organ, matter=topic.matter, key=key)
    return commands.created_before()


@router.post("/{outcome_id}/adopt", status_code=204, summary="Adopt an outcome")
async def adopt_outcome(outcome_id: UUID, body: AdoptBody, commands: Commands, vault: Vault) -> None:
    """Adopt it, whole or in part. Each promise becomes a commitment; the deliberation is concluded with consensus."""
    async with commands.unless_answered():
        await commands.head(outcome, outcome_id)  # no key is made for who may not use it
        promises = [
            Promise(
                commitment_id=commands.new_id(f"commitment/{n}"),
                what=await vault.public(promise.what),
                unit=promise.unit,
                due=promise.due,
            )
            for n, promise in enumerate(body.promises)
        ]
        await commands.send(outcome, outcome_id, AdoptOutcome(partly=body.partly, promises=tuple(promises)))


@router.post("/{outcome_id}/refuse", status_code=204, summary="Refuse an outcome")
async def refuse_outcome(outcome_id: UUID, body: RefuseBody, commands: Commands, vault: Vault) -> None:
    """Refuse it with reasons; the deliberation stays open."""
    async with commands.unless_answered():
        await commands.head(outcome, outcome_id)
        await commands.send(outcome, outcome_id, RefuseOutcome(reasons=await vault.public(body.reasons)))


class OutcomeShown(Value):
    """``status`` is one of submitted, adopted, refused. ``commitments``: what was promised, in order."""

    outcome_id: UUID
    matter: MatterCode | None
    organ: OrganId
    status: str
    deliberation_id: UUID
    partly: Flag = False
    commitments: tuple[UUID, ...] = ()


@router.get("/{outcome_id}", summary="Show an outcome")
async def show_outcome(outcome_id: UUID, commands: Commands) -> OutcomeShown:
    """Say where an outcome stands, and which commitments came of it."""
    head = await commands.head(outcome, outcome_id)
    state: State = head.state
    if isinstance(state, Unsubmitted):
        raise TypeError("a stream with facts is submitted")
    shown = OutcomeShown(
        outcome_id=outcome_id,
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        deliberation_id=state.deliberation_id,
    )
    if isinstance(state, Adopted):
        commitments = tuple(promise.commitment_id for promise in state.promises)
        return shown.model_copy(update={"partly": state.partly, "commitments": commitments})
    return shown
