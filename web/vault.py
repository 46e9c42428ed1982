"""Vault: how a route seals what it was told, and shows what it may."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from eventlog.keys import KeyStore, Standing
from eventlog.sealed import PublicText, Sealed
from web.commands import Commands, CommandsRequest


class Vaulted:
    """A service's keys, for the caller's county only."""

    def __init__(self, keys: KeyStore, commands: CommandsRequest) -> None:
        self._keys = keys
        self._commands = commands
        self._tenant = commands.tenant
        self._texts = 0

    async def seal(self, owner: UUID, kind: str, text: str) -> Sealed[str]:
        """Seal under the key of a person or a case. Raises Rejected("key-destroyed") after an erasure."""
        return await self._keys.seal(self._tenant, owner, kind, text)

    async def public(self, text: str) -> PublicText:
        """Seal published text under a key of its own, so that it can be erased everywhere at once.

        A repetition of this request seals under the same key: one that nothing needs would be shared for ever.
        """
        key_id = self._commands.new_id(f"public-text/{self._texts}")
        self._texts += 1
        return await self._keys.seal_public(self._tenant, text, key_id)

    async def show(self, sealed: Sealed[str]) -> str:
        """Open what may be shown; a word in its place when it was erased."""
        return (await self._keys.open(self._tenant, sealed)).shown()

    async def destroy(self, owner: UUID) -> None:
        """Erase for good whatever is sealed under a key, or ever would be."""
        await self._keys.destroy(self._tenant, owner)

    async def standing(self, owner: UUID) -> Standing:
        """Whether there is a key."""
        return await self._keys.standing(self._tenant, owner)


async def vault(request: Request, commands: Commands) -> Vaulted:
    """The vault of the service that answers ``request``."""
    keys: KeyStore = request.app.state.keys
    return Vaulted(keys, commands)


Vault = Annotated[Vaulted, Depends(vault)]
