"""Pace: what time it is for the people of a town, and when what follows from their doings has been done."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from deploy.local.rest import at_rest


class Pace(Protocol):
    def now(self) -> datetime:
        """The platform's time, in UTC."""
        ...

    async def rest(self) -> None:
        """Return once everything that follows from what was done has been done."""


class RealTime:
    """The clock on the wall."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = services

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def rest(self) -> None:
        await at_rest(self._services)
