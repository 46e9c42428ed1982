"""Keys: who may open what. One key a person, a case or a published text; destroying it erases everywhere.

Keys lie in a database of their own, wrapped by a master key that lies outside of it. Opened keys are held in memory for
less than a minute, so that within a minute of its destruction no process can use one.
"""

import os
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from uuid_utils.compat import uuid7

from eventlog.errors import Rejected
from eventlog.postgres_log import Pool
from eventlog.sealed import NONCE, Erased, Opened, Pending, PublicText, Sealed, seal, unseal

SCHEMA = Path(__file__).with_suffix(".sql")
HELD_FOR = 45.0  # seconds an opened key stays in memory
HELD = 10_000
PUBLIC = "public-text"


class KeyStore(Protocol):
    """Seals and opens for one service."""

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        """Seal under a key, made on first use. Raises Rejected("key-destroyed") when it was destroyed."""
        ...

    async def seal_public(self, tenant: str, text: str) -> PublicText:
        """Seal published text under a new key of its own, shared with the services that show it."""
        ...

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        """Open one value."""
        ...

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        """Open many in one round trip, in their order."""
        ...

    async def destroy(self, tenant: str, key_id: UUID) -> None:
        """Destroy a key for good; destroying it again changes nothing."""
        ...


class Wrapping:
    """Wraps data keys under one secret; each tenant's wrapping key is derived from it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def load(cls, file: Path) -> "Wrapping":
        """Read a 256-bit secret in base64."""
        return cls(b64decode(file.read_text(encoding="ascii"), validate=True))

    def wrap(self, tenant: str, key_id: UUID, key: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._cipher(tenant).encrypt(nonce, key, str(key_id).encode())

    def unwrap(self, tenant: str, key_id: UUID, wrapped: bytes) -> bytes:
        return self._cipher(tenant).decrypt(wrapped[:NONCE], wrapped[NONCE:], str(key_id).encode())

    def _cipher(self, tenant: str) -> AESGCM:
        return AESGCM(HKDF(SHA256(), 32, salt=None, info=f"shangyi keys {tenant}".encode()).derive(self._secret))


class MemoryKeys:
    """Keys in a dict, for tests: the same promises."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, UUID], bytes | None] = {}

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        key = self._keys.setdefault((tenant, key_id), AESGCM.generate_key(256))
        if key is None:
            raise Rejected("key-destroyed")
        return seal(key, tenant, key_id, kind, text)

    async def seal_public(self, tenant: str, text: str) -> PublicText:
        return await self.seal(tenant, uuid7(), PUBLIC, text)

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        if (tenant, sealed.key_id) not in self._keys:
            return Pending()
        key = self._keys[tenant, sealed.key_id]
        return Erased() if key is None else unseal(key, tenant, sealed)

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        return [await self.open(tenant, one) for one in sealed]

    async def destroy(self, tenant: str, key_id: UUID) -> None:
        self._keys[tenant, key_id] = None


class PostgresKeys:
    """Keys in the schema ``keys`` of ``pool``'s database."""

    def __init__(self, pool: Pool, master: Wrapping) -> None:
        self._pool = pool
        self._master = master
        self._held: dict[tuple[str, UUID], tuple[float, bytes]] = {}

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        return seal(await self._key(tenant, key_id, shared=False), tenant, key_id, kind, text)

    async def seal_public(self, tenant: str, text: str) -> PublicText:
        key_id = uuid7()
        return seal(await self._key(tenant, key_id, shared=True), tenant, key_id, PUBLIC, text)

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        return (await self.open_many(tenant, [sealed]))[0]

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        wanted = {one.key_id for one in sealed if self._at_hand(tenant, one.key_id) is None}
        rows = await self._pool.fetch(
            "select key_id, wrapped from keys.keys where tenant = $1 and key_id = any($2)", tenant, list(wanted)
        )
        found: dict[UUID, bytes | None] = {
            row["key_id"]: None if row["wrapped"] is None else self._take(tenant, row["key_id"], row["wrapped"])
            for row in rows
        }
        return [self._opened(tenant, one, found) for one in sealed]

    def _opened(self, tenant: str, sealed: Sealed[str], found: Mapping[UUID, bytes | None]) -> Opened:
        if sealed.key_id in found:
            key = found[sealed.key_id]
            return Erased() if key is None else unseal(key, tenant, sealed)
        held = self._at_hand(tenant, sealed.key_id)
        return Pending() if held is None else unseal(held, tenant, sealed)

    async def destroy(self, tenant: str, key_id: UUID) -> None:
        self._held.pop((tenant, key_id), None)
        async with self._pool.acquire() as connection, connection.transaction():
            shared = await connection.fetchval(
                """insert into keys.keys (tenant, key_id, shared, destroyed_at)
                   values ($1, $2, false, clock_timestamp())
                   on conflict (tenant, key_id) do update set wrapped = null,
                       destroyed_at = coalesce(keys.destroyed_at, clock_timestamp())
                   returning shared""",
                tenant,
                key_id,
            )
            if shared:
                await connection.execute("insert into keys.outbox (tenant, key_id) values ($1, $2)", tenant, key_id)

    async def _key(self, tenant: str, key_id: UUID, *, shared: bool) -> bytes:
        """Return the key, making it on first use. Two that make it at once end up with the same."""
        held = self._at_hand(tenant, key_id)
        if held is not None:
            return held
        made = AESGCM.generate_key(256)
        async with self._pool.acquire() as connection, connection.transaction():
            fresh = await connection.fetchval(
                """insert into keys.keys (tenant, key_id, wrapped, shared) values ($1, $2, $3, $4)
                   on conflict do nothing returning true""",
                tenant,
                key_id,
                self._master.wrap(tenant, key_id, made),
                shared,
            )
            if fresh and shared:
                await connection.execute("insert into keys.outbox (tenant, key_id) values ($1, $2)", tenant, key_id)
        wrapped = await self._pool.fetchval(
            "select wrapped from keys.keys where tenant = $1 and key_id = $2", tenant, key_id
        )
        if wrapped is None:
            raise Rejected("key-destroyed")
        return self._take(tenant, key_id, wrapped)

    def _take(self, tenant: str, key_id: UUID, wrapped: bytes) -> bytes:
        key = self._master.unwrap(tenant, key_id, wrapped)
        if len(self._held) >= HELD:
            self._held.clear()
        self._held[tenant, key_id] = (time.monotonic() + HELD_FOR, key)
        return key

    def _at_hand(self, tenant: str, key_id: UUID) -> bytes | None:
        until, key = self._held.get((tenant, key_id), (0.0, b""))
        return key if until > time.monotonic() else None
