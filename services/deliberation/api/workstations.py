"""Establishing and closing the towns' CPPCC member workstations."""

from uuid import UUID

from eventlog.facts import Value
from services.deliberation.domain.workstation import (
    Active,
    CloseWorkstation,
    EstablishWorkstation,
    State,
    workstation,
)
from vocabulary.divisions import DivisionCode
from vocabulary.organs import OrganKind, organ_id
from web.commands import Commands, Created
from web.routing import APIRouter
from web.status import status_of

router = APIRouter(prefix="/workstations", tags=["workstation"])


@router.post("", status_code=201, summary="Establish a workstation")
async def establish_workstation(body: EstablishWorkstation, commands: Commands) -> Created:
    """Establish the one workstation of a town, and name its head."""
    organ = organ_id(body.division, OrganKind.MEMBER_WORKSTATION)
    return await commands.create(workstation, body, organ=organ, key=body.division)


@router.post("/{division}/close", status_code=204, summary="Close a workstation")
async def close_workstation(division: DivisionCode, body: CloseWorkstation, commands: Commands) -> None:
    """Close it; another may be established later."""
    await commands.send(workstation, division, body)


class WorkstationShown(Value):
    """``status`` is one of active, closed."""

    division: DivisionCode
    status: str
    head: UUID | None = None


@router.get("/{division}", summary="Show a workstation")
async def show_workstation(division: DivisionCode, commands: Commands) -> WorkstationShown:
    """Say whether it stands, and who heads it."""
    state: State = (await commands.head(workstation, division)).state
    head = state.head if isinstance(state, Active) else None
    return WorkstationShown(division=division, status=status_of(state), head=head)
