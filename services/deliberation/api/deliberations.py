"""Taking a topic on or declining it, and ending one on which nobody agreed."""

from typing import Literal
from uuid import UUID

from eventlog.facts import Value
from facts.deliberation.deliberation import Result
from services.deliberation.domain.deliberation import (
    Closed,
    Concluded,
    ConcludeDeliberation,
    Declined,
    DeclineDeliberation,
    OpenDeliberation,
    State,
    Unproposed,
    deliberation,
)
from vocabulary.kinds import Category, DisputeType
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId
from web.commands import Commands
from web.routing import APIRouter
from web.status import status_of

router = APIRouter(prefix="/deliberations", tags=["deliberation"])


class ConcludeBody(Value):
    """A consensus is not declared here: it follows from an adopted outcome."""

    result: Literal[Result.NO_CONSENSUS, Result.REFERRED]


@router.post("/{deliberation_id}/open", status_code=204, summary="Open a deliberation")
async def open_deliberation(deliberation_id: UUID, body: OpenDeliberation, commands: Commands) -> None:
    """Take a proposed topic on."""
    await commands.send(deliberation, deliberation_id, body)


@router.post("/{deliberation_id}/decline", status_code=204, summary="Decline a topic")
async def decline_deliberation(deliberation_id: UUID, body: DeclineDeliberation, commands: Commands) -> None:
    """Give a proposed topic back, with the reason."""
    await commands.send(deliberation, deliberation_id, body)


@router.post("/{deliberation_id}/conclude", status_code=204, summary="Conclude without consensus")
async def conclude_deliberation(deliberation_id: UUID, body: ConcludeBody, commands: Commands) -> None:
    """End a deliberation that found no consensus or is referred elsewhere; the issue goes back to intake."""
    await commands.send(deliberation, deliberation_id, ConcludeDeliberation(result=body.result))


class DeliberationShown(Value):
    """``status`` is one of proposed, opened, concluded, closed, declined, cancelled.

    ``commitments``: the promises of the consensus; ``left``: those still open. The headline is intake's to show.
    """

    deliberation_id: UUID
    matter: MatterCode | None
    organ: OrganId
    status: str
    issue_id: UUID
    category: Category | None = None
    dispute: DisputeType | None = None
    result: Result | None = None
    commitments: tuple[UUID, ...] = ()
    left: tuple[UUID, ...] = ()


@router.get("/{deliberation_id}", summary="Show a deliberation")
async def show_deliberation(deliberation_id: UUID, commands: Commands) -> DeliberationShown:
    """Say where a topic stands."""
    head = await commands.head(deliberation, deliberation_id)
    state: State = head.state
    if isinstance(state, Unproposed):
        raise TypeError("a stream with facts is proposed or declined")
    topic = None if isinstance(state, Declined) else state.about.topic
    shown = DeliberationShown(
        deliberation_id=deliberation_id,
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        issue_id=state.issue_id if isinstance(state, Declined) else state.about.topic.issue_id,
        category=None if topic is None else topic.category,
        dispute=None if topic is None else topic.dispute,
    )
    if isinstance(state, Concluded | Closed):
        left = state.left if isinstance(state, Concluded) else ()
        return shown.model_copy(update={"result": state.result, "commitments": state.commitments, "left": left})
    return shown
