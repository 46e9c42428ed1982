"""Effect: what comes of facts: commands that are sent, rows that are written."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeGuard, TypeVar, runtime_checkable

import asyncpg

from eventlog.connections import LOST, Connection
from eventlog.errors import Fenced, Unavailable
from eventlog.facts import Fact, Recorded, Stored

Key: TypeAlias = tuple[str, str]
"""Tenant and a row's key."""
R = TypeVar("R")


class Effect(Protocol):
    """What comes of facts, in their order.

    ``name`` is its own among the effects of a consumer and stays the same for ever: what is parked is parked under it.
    ``essential``: all else stands on it, so what it cannot take in halts the consumer and is never parked.
    """

    @property
    def name(self) -> str: ...

    @property
    def essential(self) -> bool: ...

    async def act(self, facts: Sequence[Stored]) -> None:
        """Send what follows from the facts; must be harmless when done again."""
        ...

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        """Write rows, in the transaction that moves the position."""
        ...


@runtime_checkable
class Fold(Effect, Protocol[R]):
    """An effect that keeps rows. Facts of several streams may touch one row, so it matters which of them comes first.

    ``names``: of the facts that it folds.
    """

    @property
    def names(self) -> Collection[str]: ...

    def touched(self, facts: Sequence[Stored]) -> Sequence[tuple[Key, Recorded[Fact]]]:
        """Return the facts it folds, each with a row it touches, in order."""
        ...

    def evolve(self, row: R | None, fact: Recorded[Fact]) -> R | None:
        """Return a row after a fact; None where it is gone."""
        ...

    async def save(self, rows: Mapping[Key, R | None], connection: "Connection[asyncpg.Record]") -> None:
        """Make the table say this of the rows named."""
        ...


AnyFold: TypeAlias = Fold[Any]


def is_fold(effect: Effect) -> TypeGuard[AnyFold]:
    return isinstance(effect, Fold)


def says_nothing(error: Exception) -> bool:
    """Whether an error says nothing about the facts at hand: the same may succeed a moment later."""
    return isinstance(error, (Unavailable, Fenced, *LOST))
