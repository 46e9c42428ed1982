"""Planning a session, calling it, holding it and signing its minutes."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from eventlog.facts import Value
from facts.deliberation.session import Form, Scale
from services.deliberation.api.committees import organ_of
from services.deliberation.domain.quorum import Participant
from services.deliberation.domain.session import (
    CheckIn,
    Closed,
    CloseSession,
    Noticed,
    Open,
    OpenSession,
    PlanSession,
    RecordStatement,
    SendNotice,
    SignMinutes,
    State,
    Unplanned,
    WaiveStatement,
    session,
)
from vocabulary.divisions import DivisionCode
from vocabulary.organs import OrganId
from vocabulary.words import Instant, Line, Words
from web.commands import Commands, Created
from web.routing import APIRouter
from web.status import status_of
from web.vault import Vault

router = APIRouter(prefix="/sessions", tags=["session"])


class PlanBody(Value):
    """``committee``: the division whose committee meets. ``sides``: whoever is directly interested."""

    committee: DivisionCode
    form: Form
    scale: Scale
    agenda: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    presider: UUID
    recorder: Annotated[UUID, Field(examples=["01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a12"])]
    sides: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    begins_at: Instant


class StatementBody(Value):
    """What somebody present said to an item of the agenda."""

    item: UUID
    speaker: UUID
    words: Words


@router.post("", status_code=201, summary="Plan a session")
async def plan_session(body: PlanBody, commands: Commands) -> Created:
    """Put opened deliberations on the agenda of a committee."""
    key = commands.new_id("session")
    command = PlanSession(session_id=key, **vars(body))
    return await commands.create(session, command, organ=organ_of(body.committee), key=key)


@router.post("/{session_id}/notice", status_code=204, summary="Send the notice of a session")
async def send_notice(session_id: UUID, body: SendNotice, commands: Commands) -> None:
    """Call it in time, or with every side's waiver; after a failed quorum with a new date."""
    await commands.send(session, session_id, body)


@router.post("/{session_id}/check-in", status_code=204, summary="Check somebody in")
async def check_in(session_id: UUID, body: CheckIn, commands: Commands) -> None:
    """Record who is there, and as what; one of a side with the side they speak for."""
    await commands.send(session, session_id, body)


@router.post("/{session_id}/open", status_code=204, summary="Open a session")
async def open_session(session_id: UUID, body: OpenSession, commands: Commands) -> None:
    """Open it, or record that the quorum failed: ask where it stands afterwards."""
    await commands.send(session, session_id, body)


@router.post("/{session_id}/statements", status_code=204, summary="Record a statement")
async def record_statement(session_id: UUID, body: StatementBody, commands: Commands, vault: Vault) -> None:
    """Keep what somebody said, sealed under that person's key."""
    async with commands.unless_answered():
        await commands.head(session, session_id)  # no key is made for who may not use it
        words = await vault.seal(body.speaker, "statement", body.words)
        await commands.send(session, session_id, RecordStatement(item=body.item, speaker=body.speaker, words=words))


@router.post("/{session_id}/waivers", status_code=204, summary="Record that a side will not speak")
async def waive_statement(session_id: UUID, body: WaiveStatement, commands: Commands) -> None:
    """Record that a side chose not to speak."""
    await commands.send(session, session_id, body)


@router.post("/{session_id}/close", status_code=204, summary="Close a session")
async def close_session(session_id: UUID, body: CloseSession, commands: Commands) -> None:
    """Close it once every side has spoken or waived."""
    await commands.send(session, session_id, body)


@router.post("/{session_id}/sign", status_code=204, summary="Sign the minutes")
async def sign_minutes(session_id: UUID, body: SignMinutes, commands: Commands) -> None:
    """Record who signed: presider, recorder and one of every side. The session counts from here on."""
    await commands.send(session, session_id, body)


class SessionShown(Value):
    """``status`` is one of planned, noticed, quorum-missed, open, closed, signed. Words are not shown."""

    session_id: UUID
    organ: OrganId
    status: str
    committee: DivisionCode
    form: Form
    scale: Scale
    agenda: tuple[UUID, ...]
    presider: UUID
    recorder: UUID
    fixed_members: tuple[UUID, ...]
    sides: tuple[Line, ...]
    begins_at: Instant
    present: tuple[Participant, ...]


@router.get("/{session_id}", summary="Show a session")
async def show_session(session_id: UUID, commands: Commands) -> SessionShown:
    """Say where a session stands, and who is there."""
    head = await commands.head(session, session_id)
    state: State = head.state
    if isinstance(state, Unplanned):
        raise TypeError("a stream with facts is planned")
    plan = state.plan
    return SessionShown(
        session_id=session_id,
        organ=head.organ,
        status=status_of(state),
        committee=plan.committee,
        form=plan.form,
        scale=plan.scale,
        agenda=plan.agenda,
        presider=plan.presider,
        recorder=plan.recorder,
        fixed_members=plan.fixed_members,
        sides=plan.sides,
        begins_at=state.begins_at if isinstance(state, Noticed) else plan.begins_at,
        present=state.present if isinstance(state, Noticed | Open | Closed) else (),
    )
