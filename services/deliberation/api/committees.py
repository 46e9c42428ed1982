"""Establishing and dissolving the committees of towns and villages."""

from eventlog.facts import Value
from facts.deliberation.committee import Member
from services.deliberation.domain.committee import (
    DissolveCommittee,
    EstablishCommittee,
    Standing,
    State,
    committee,
)
from vocabulary.divisions import DivisionCode
from vocabulary.organs import OrganId, OrganKind, organ_id
from vocabulary.words import Day
from web.commands import Commands, Created
from web.routing import APIRouter
from web.status import status_of

router = APIRouter(prefix="/committees", tags=["committee"])


def organ_of(division: str) -> OrganId:
    """The committee of a division, as the organ that its own streams and its sessions belong to."""
    return organ_id(division, OrganKind.DELIBERATION_COMMITTEE)


@router.post("", status_code=201, summary="Establish a committee")
async def establish_committee(body: EstablishCommittee, commands: Commands) -> Created:
    """Establish the one committee of a town or a village, for a term."""
    return await commands.create(committee, body, organ=organ_of(body.division), key=body.division)


@router.post("/{division}/dissolve", status_code=204, summary="Dissolve a committee")
async def dissolve_committee(division: DivisionCode, body: DissolveCommittee, commands: Commands) -> None:
    """Dissolve it before its term is over."""
    await commands.send(committee, division, body)


class CommitteeShown(Value):
    """``status`` is one of standing, dissolved; a term may be over while it still stands."""

    division: DivisionCode
    status: str
    members: tuple[Member, ...] = ()
    term_until: Day | None = None


@router.get("/{division}", summary="Show a committee")
async def show_committee(division: DivisionCode, commands: Commands) -> CommitteeShown:
    """Say who sits in it, by random ids."""
    state: State = (await commands.head(committee, division)).state
    if isinstance(state, Standing):
        return CommitteeShown(
            division=division, status=status_of(state), members=state.members, term_until=state.term_until
        )
    return CommitteeShown(division=division, status=status_of(state))
