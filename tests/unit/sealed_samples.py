"""Sealed values for rules that only carry them."""

import asyncio
from uuid import UUID, uuid4

from eventlog.memory_keys import MemoryKeys
from eventlog.sealed import PublicText, Sealed

KEYS = MemoryKeys()
TENANT = "620724"


def a_sealed(text: str, owner: UUID | None = None) -> Sealed[str]:
    """Seal for somebody."""
    return asyncio.run(KEYS.seal(TENANT, owner or uuid4(), "words", text))


def a_public_text(text: str) -> PublicText:
    """Seal for everybody."""
    return asyncio.run(KEYS.seal_public(TENANT, text))
