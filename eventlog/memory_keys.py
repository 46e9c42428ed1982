"""Keys in a dict: the same promises as those in PostgreSQL, for tests."""

import hmac
from collections.abc import Sequence
from uuid import UUID

from uuid_utils.compat import uuid7

from eventlog.errors import CorruptHistory, Rejected
from eventlog.keys import PUBLIC, Standing
from eventlog.sealed import CIPHER, Erased, Opened, Pending, PublicText, Sealed, Unreadable, seal, unseal


class MemoryKeys:
    """A KeyStore without a database; nothing outlives it."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, UUID], bytes | None] = {}
        self._digesting: dict[str, bytes] = {}

    async def seal(self, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
        key = self._keys.setdefault((tenant, key_id), CIPHER.new_key())
        if key is None:
            raise Rejected("key-destroyed")
        return seal(key, tenant, key_id, kind, text)

    async def seal_public(self, tenant: str, text: str, key_id: UUID | None = None) -> PublicText:
        return await self.seal(tenant, key_id or uuid7(), PUBLIC, text)

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        if (tenant, sealed.key_id) not in self._keys:
            return Pending()
        key = self._keys[tenant, sealed.key_id]
        return Erased() if key is None else unseal(key, tenant, sealed)

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        return [await self._shown(tenant, one) for one in sealed]

    async def _shown(self, tenant: str, sealed: Sealed[str]) -> Opened:
        try:
            return await self.open(tenant, sealed)
        except CorruptHistory:
            return Unreadable()

    async def destroy(self, tenant: str, key_id: UUID) -> None:
        self._keys[tenant, key_id] = None

    async def digest(self, tenant: str, content: bytes) -> bytes:
        return hmac.digest(self._digesting.setdefault(tenant, CIPHER.new_key()), content, "sha256")

    async def standing(self, tenant: str, key_id: UUID) -> Standing:
        if (tenant, key_id) not in self._keys:
            return Standing.NONE
        return Standing.DESTROYED if self._keys[tenant, key_id] is None else Standing.THERE
