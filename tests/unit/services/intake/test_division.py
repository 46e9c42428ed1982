"""The county's register of places and bodies."""

from datetime import date

from eventlog.testing import Scenario
from facts.intake.division import DivisionRegistered, OrganRegistered
from services.intake.domain.division import RegisterDivision, RegisterOrgan, division, organ
from vocabulary.divisions import DivisionKind
from vocabulary.organs import OrganKind

SINCE = date(2024, 1, 1)
TOWN = RegisterDivision(division="620724103", name="巷道镇", kind=DivisionKind.TOWN, valid_from=SINCE)
GOVERNMENT = RegisterOrgan(
    organ="620724103.town-government",
    kind=OrganKind.TOWN_GOVERNMENT,
    division="620724103",
    name="巷道镇人民政府",
    valid_from=SINCE,
)


def test_a_division_is_registered_once() -> None:
    registered = DivisionRegistered(
        division="620724103", name="巷道镇", kind=DivisionKind.TOWN, provisional=False, valid_from=SINCE
    )
    Scenario(division).when(TOWN).then(registered)
    Scenario(division).given(registered).when(TOWN).then_rejected("division-exists")


def test_an_organ_is_registered_once() -> None:
    registered = OrganRegistered(**dict(GOVERNMENT))
    Scenario(organ).when(GOVERNMENT).then(registered)
    Scenario(organ).given(registered).when(GOVERNMENT).then_rejected("organ-exists")


def test_an_organ_stands_where_its_id_says() -> None:
    elsewhere = GOVERNMENT.model_copy(update={"division": "620724104"})
    Scenario(organ).when(elsewhere).then_rejected("organ-of-another-division")
