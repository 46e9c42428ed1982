"""Desks: what the admin of every service answers an operator."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from deploy.local.republishing import Desk as Republishing
from eventlog.parked import ParkedStream, Place, Reference
from eventlog.refusals import RefusedCommand


class Desk(Republishing, Protocol):
    """One service's; see its admin."""

    async def parked_streams(self, dsn: str) -> Sequence[ParkedStream]: ...
    async def parked_facts(self, dsn: str, stream: str) -> Sequence[tuple[Place, Reference]]: ...
    async def ask_again(self, dsn: str, stream: str | None) -> int: ...
    async def refusals(self, dsn: str, limit: int) -> Sequence[RefusedCommand]: ...


def desks() -> Mapping[str, Desk]:
    """The desk of each service. Loads all services, which takes a moment: call it in commands that need it."""
    from services.deliberation import admin as deliberation
    from services.intake import admin as intake
    from services.mediation import admin as mediation
    from services.reporting import admin as reporting

    return {"intake": intake, "deliberation": deliberation, "mediation": mediation, "reporting": reporting}
