"""Keys: who may open what. One key a person, a case or a published text; destroying it erases everywhere.

Keys lie in a database of their own, wrapped by a master key that lies outside of it. Opened keys are held in memory for
less than a minute, so that within a minute of its destruction no process can use one. To seal, the store is always
asked: words sealed under a key that was destroyed a moment ago would be lost.
"""

import hmac
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from eventlog.connections import Connection, Pool
from eventlog.errors import Rejected, Unavailable
from eventlog.gathering import Gathering
from eventlog.sealed import CIPHER, Opened, PublicText, Sealed, seal
from eventlog.wrapped_keys import WrappedKeys
from eventlog.wrapping import NAME, Wraps

SCHEMA = Path(__file__).with_suffix(".sql")
PUBLIC = "public-text"
ATTEMPTS = 2
DIGESTS = UUID("6f1f0a52-0f6c-5b61-9d0c-6a7c8f1d2e33")
"""The key by which a tenant's requests are told apart. It lies where no tenant's subject can: see ``_digests_of``."""


class Standing(StrEnum):
    """Whether there is a key: none was ever made, one is there, or it was destroyed for good."""

    NONE = "none"
    THERE = "there"
    DESTROYED = "destroyed"


class Opens(Protocol):
    """Opens what was sealed, as far as the keys are here."""

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        """Open one value. Raises CorruptHistory when it was not sealed for this tenant, with this key, as this kind."""
        ...

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        """Open many in one round trip, in their order. One that does not open keeps none of the others shut: it is
        Unreadable, or Pending while the secret that wrapped its key is not here."""
        ...


class KeyStore(Opens, Protocol):
    """Seals and opens for one service."""

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        """Seal under a key, made on first use. Raises Rejected("key-destroyed") when it was destroyed."""
        ...

    async def seal_public(self, tenant: str, text: str, key_id: UUID | None = None) -> PublicText:
        """Seal published text under a key of its own, shared with the services that show it; a new one unless named.

        Raises Rejected("key-destroyed").
        """
        ...

    async def destroy(self, tenant: str, key_id: UUID) -> None:
        """Destroy a key for good, even before its first use; destroying it again changes nothing.

        Wherever a key of that id was shared it is taken back, also when none is known here.
        """
        ...

    async def standing(self, tenant: str, key_id: UUID) -> Standing:
        """Whether there is a key."""
        ...

    async def digest(self, tenant: str, content: bytes) -> bytes:
        """Tell one content from another, to nobody who lacks the tenant's key for it: short words could be guessed."""
        ...


def _digests_of(tenant: str) -> str:
    """A tenant of its own, which nobody acts for: whoever erases a tenant's subjects, whatever they name, spares it."""
    return f"{tenant}/digests"


@dataclass(frozen=True)
class _Wanted:
    tenant: str
    key_id: UUID
    shared: bool


class PostgresKeys:
    """Keys in the schema ``keys`` of ``pool``'s database."""

    def __init__(self, pool: Pool, master: Wraps, now: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._master = master
        query = "select key_id, wrapped from keys.keys where tenant = $1 and key_id = any($2)"
        self._wrapped = WrappedKeys(pool, query, master, now)
        self._made = Gathering(self._make)
        self._digesting: dict[str, bytes] = {}

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        key = await self._made.ask(_Wanted(tenant, key_id, shared=False))
        if key is None:
            raise Rejected("key-destroyed")
        return seal(key, tenant, key_id, kind, text)

    async def seal_public(self, tenant: str, text: str, key_id: UUID | None = None) -> PublicText:
        key_id = key_id or uuid7()
        key = await self._made.ask(_Wanted(tenant, key_id, shared=True))
        if key is None:
            raise Rejected("key-destroyed")
        return seal(key, tenant, key_id, PUBLIC, text)

    async def digest(self, tenant: str, content: bytes) -> bytes:
        if tenant not in self._digesting:
            key = await self._made.ask(_Wanted(_digests_of(tenant), DIGESTS, shared=False))
            if key is None:
                raise Rejected("key-destroyed")
            self._digesting[tenant] = key
        return hmac.digest(self._digesting[tenant], content, "sha256")

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        return (await self._wrapped.open_all(tenant, [sealed]))[0]

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        return await self._wrapped.open_many(tenant, sealed)

    async def destroy(self, tenant: str, key_id: UUID) -> None:
        await destroy(self._pool, [(tenant, key_id)])
        self._wrapped.forget(tenant, key_id)

    async def standing(self, tenant: str, key_id: UUID) -> Standing:
        there: bool | None = await self._pool.fetchval(
            "select wrapped is not null from keys.keys where tenant = $1 and key_id = $2", tenant, key_id
        )
        match there:
            case None:
                return Standing.NONE
            case True:
                return Standing.THERE
            case False:
                return Standing.DESTROYED

    async def _make(self, wanted: Sequence[_Wanted]) -> Sequence[bytes | None]:
        """Return each key, made here where there was none; None where it was destroyed.

        Raises Unavailable: the secret that wraps now is not known to this database yet, or no longer.
        """
        fresh = {(one.tenant, one.key_id): CIPHER.new_key() for one in wanted}
        rows = await self._keep(wanted, fresh)
        found = {(row["tenant"], row["key_id"]): row for row in rows}
        keys: list[bytes | None] = []
        for one in wanted:
            row = found.get((one.tenant, one.key_id))
            if row is not None and row["made"]:
                keys.append(fresh[one.tenant, one.key_id])
                continue
            # No row: another made it, or destroyed it, at this very moment. What counts is what stands there.
            wrapped = await self._find(one.tenant, one.key_id) if row is None else row["wrapped"]
            keys.append(None if wrapped is None else self._master.unwrap(one.tenant, one.key_id, wrapped))
        return keys

    async def _keep(
        self, wanted: Sequence[_Wanted], keys: Mapping[tuple[str, UUID], bytes]
    ) -> "Sequence[asyncpg.Record]":
        """Keep the keys of those that have none; in an empty database, the secret that wraps now is taken first."""
        for _ in range(ATTEMPTS):
            wrapped = [self._master.wrap(one.tenant, one.key_id, keys[one.tenant, one.key_id]) for one in wanted]
            with suppress(asyncpg.ForeignKeyViolationError):
                return await self._pool.fetch(
                    """with wanted as (
                           select * from unnest($1::text[], $2::uuid[], $3::bytea[], $4::boolean[])
                                  as w (tenant, key_id, wrapped, shared) order by 1, 2
                       ), made as (
                           insert into keys.keys (tenant, key_id, wrapped, shared) select * from wanted
                           on conflict do nothing returning tenant, key_id, wrapped
                       )
                       select tenant, key_id, wrapped, true as made from made
                       union all
                       select k.tenant, k.key_id, k.wrapped, false
                       from wanted join keys.keys k using (tenant, key_id)""",
                    [one.tenant for one in wanted],
                    [one.key_id for one in wanted],
                    wrapped,
                    [one.shared for one in wanted],
                )
            await self._pool.execute(
                """insert into keys.masters (nth, name) select 1, $1 where not exists (select from keys.masters)
                   on conflict do nothing""",
                wrapped[0][:NAME],
            )
        raise Unavailable("the secret that wraps here is not known to the keys' database")

    async def _find(self, tenant: str, key_id: UUID) -> bytes | None:
        wrapped: bytes | None = await self._pool.fetchval(
            "select wrapped from keys.keys where tenant = $1 and key_id = $2", tenant, key_id
        )
        return wrapped


async def destroy(asker: "Pool | Connection[asyncpg.Record]", subjects: Collection[tuple[str, UUID]]) -> None:
    """Destroy keys for good, by tenant and id, known here or not."""
    each = sorted(set(subjects))
    await asker.execute(
        # What is not known here may be a published text's, lost with a backup: its receivers must hear of it.
        """insert into keys.keys (tenant, key_id, shared, destroyed_at)
           select tenant, key_id, true, clock_timestamp() from unnest($1::text[], $2::uuid[]) as e (tenant, key_id)
           on conflict (tenant, key_id) do update
           set wrapped = null, destroyed_at = clock_timestamp(), changed = default
           where keys.destroyed_at is null""",
        [tenant for tenant, _ in each],
        [key_id for _, key_id in each],
    )
