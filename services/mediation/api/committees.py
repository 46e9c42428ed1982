"""Registering the committees that mediate."""

from services.mediation.domain.committee import RegisterMediationCommittee, committee
from vocabulary.organs import OrganKind, organ_id
from web.commands import Commands, Created
from web.routing import APIRouter

router = APIRouter(prefix="/committees", tags=["mediation committee"])


@router.post("", status_code=201, summary="Register a mediation committee")
async def register_mediation_committee(body: RegisterMediationCommittee, commands: Commands) -> Created:
    """Register a division's committee for its term of three years; the next one once that has passed."""
    owner = organ_id(body.division, OrganKind.MEDIATION_COMMITTEE)
    return await commands.create(committee, body, organ=owner, key=body.division)
