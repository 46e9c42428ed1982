"""Registering places and the bodies at them."""

from services.intake.domain.division import RegisterDivision, RegisterOrgan, division, organ
from vocabulary.divisions import county_of
from vocabulary.organs import OrganKind, organ_id
from web.commands import Commands, Created
from web.routing import APIRouter

router = APIRouter(tags=["division"])


@router.post("/divisions", status_code=201, summary="Register a division")
async def register_division(body: RegisterDivision, commands: Commands) -> Created:
    """Register a county, town or village by its code. The register is the county government's."""
    owner = organ_id(county_of(body.division), OrganKind.COUNTY_GOVERNMENT)
    return await commands.create(division, body, organ=owner, key=body.division)


@router.post("/organs", status_code=201, summary="Register an organ")
async def register_organ(body: RegisterOrgan, commands: Commands) -> Created:
    """Register a body or office at a division."""
    return await commands.create(organ, body, organ=body.organ, key=body.organ)
