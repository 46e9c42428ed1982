"""Towns for tests: all in one county, each registered with one village."""

from collections.abc import Awaitable, Callable

from deploy.local.person import Person
from deploy.local.platform import Platform
from deploy.sample.town import Town

COUNTY = "620724"
SINCE = "2024-01-01"

NewTown = Callable[[], Awaitable[Town]]


async def register_county(platform: Platform) -> None:
    """Register the county that all towns lie in."""
    async with Person(platform.endpoints, platform.issuer, "registrar", {"sys-admin": COUNTY}) as registrar:
        await _register(registrar, COUNTY, "高台县", "county")


async def register_town(town: Town) -> None:
    """Register a town and its village."""
    await _register(town.registrar, town.code, f"{town.code[6:]}号镇", "town")
    await _register(town.registrar, town.village, f"{town.code[6:]}号村", "village-committee")


async def _register(registrar: Person, code: str, name: str, kind: str) -> None:
    body = {"division": code, "name": name, "kind": kind, "valid_from": SINCE}
    await registrar.post("intake", "/divisions", body)
