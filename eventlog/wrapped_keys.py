"""Wrapped keys: sealed values are opened with the keys of a table, each of which is held for less than a minute."""

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias
from uuid import UUID

import structlog

from eventlog.connections import Pool
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.sealed import Erased, Opened, Pending, Sealed, Unreadable, unseal
from eventlog.wrapping import Wraps

HELD_FOR = 45.0  # seconds an opened key may be used without asking the database again
HELD = 10_000


class WrappedKeys:
    """Keys as they lie in a table, wrapped. Those opened of late are held, so that a list is opened without asking."""

    def __init__(
        self, pool: Pool, query: str, wrapping: Wraps, now: Callable[[], float] = time.monotonic, held: int = HELD
    ) -> None:
        """``query`` gives key_id and wrapped of the keys $2 of tenant $1. ``held`` 0: the database is always asked."""
        self._pool = pool
        self._query = query
        self._wrapping = wrapping
        self._now = now
        self._limit = held
        self._held: dict[tuple[str, UUID], tuple[float, bytes]] = {}  # the oldest first, or nearly
        self._logger = structlog.get_logger("keys")

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        """Open what can be opened: see Opens."""
        keys = await self._keys(tenant, sealed)
        return [self._shown(tenant, one, keys) for one in sealed]

    async def open_all(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        """Open all. Raises what keeps one shut: CorruptHistory, or Unavailable while a secret is not here."""
        keys = await self._keys(tenant, sealed)
        return [_open(tenant, one, keys) for one in sealed]

    async def _keys(self, tenant: str, sealed: Sequence[Sealed[str]]) -> "_Keys":
        asked_at = self._now()
        self._forget_before(asked_at - HELD_FOR)
        wanted = {one.key_id for one in sealed}
        held = ((key_id, self._held.get((tenant, key_id))) for key_id in wanted)
        keys: _Keys = {k: found[1] for k, found in held if found and found[0] > asked_at - HELD_FOR}
        missing = wanted - keys.keys()
        if missing:
            for row in await self._pool.fetch(self._query, tenant, list(missing)):
                key_id, wrapped = row["key_id"], row["wrapped"]
                try:
                    keys[key_id] = None if wrapped is None else self._hold(tenant, key_id, wrapped, asked_at)
                except (CorruptHistory, Unavailable) as error:
                    keys[key_id] = error
        return keys

    def forget(self, tenant: str, key_id: UUID) -> None:
        self._held.pop((tenant, key_id), None)

    def _shown(self, tenant: str, sealed: Sealed[str], keys: "_Keys") -> Opened:
        try:
            return _open(tenant, sealed, keys)
        except (CorruptHistory, Unavailable) as error:
            self._logger.error("does not open", key_id=str(sealed.key_id), reason=str(error))  # noqa: TRY400
            return Pending() if isinstance(error, Unavailable) else Unreadable()

    def _hold(self, tenant: str, key_id: UUID, wrapped: bytes, since: float) -> bytes:
        """Hold a key, counting from the moment the database was asked for it, not from its answer."""
        key = self._wrapping.unwrap(tenant, key_id, wrapped)
        self._held.pop((tenant, key_id), None)
        if not self._limit:
            return key
        if len(self._held) >= self._limit:
            del self._held[next(iter(self._held))]
        self._held[tenant, key_id] = (since, key)
        return key

    def _forget_before(self, oldest: float) -> None:
        while self._held:
            first = next(iter(self._held))
            if self._held[first][0] > oldest:
                return
            del self._held[first]


_Keys: TypeAlias = dict[UUID, bytes | CorruptHistory | Unavailable | None]
"""Keys by id: destroyed, or why one cannot be unwrapped; those not there are not here."""


def _open(tenant: str, sealed: Sealed[str], keys: _Keys) -> Opened:
    if sealed.key_id not in keys:
        return Pending()
    match keys[sealed.key_id]:
        case None:
            return Erased()
        case bytes() as key:
            return unseal(key, tenant, sealed)
        case error:
            raise error
