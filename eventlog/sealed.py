"""Sealed: what is stored where a person's words would otherwise stand in clear.

A sealed value names its key (a person's, a case's, or a published text's own) and holds ciphertext. It may be copied
from fact to fact: it is bound to tenant, key and kind, not to a place. Whoever destroys the key erases it everywhere.
"""

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventlog.errors import CorruptHistory
from eventlog.facts import Value

T = TypeVar("T")
NONCE = 12


class Sealed(Value, Generic[T]):
    """Ciphertext under the key ``key_id``, nonce first, in base64. ``kind`` says what it is, such as person-name."""

    key_id: UUID
    kind: str
    ciphertext: str

    def __repr__(self) -> str:
        return f"Sealed({self.kind})"

    __str__ = __repr__


PublicText: TypeAlias = Sealed[str]
"""Text fit for publication, sealed under a key of its own, so that it can be erased from history everywhere."""


@dataclass(frozen=True)
class Clear:
    """What was sealed."""

    text: str

    def shown(self) -> str:
        return self.text


@dataclass(frozen=True)
class Pending:
    """The key has not arrived yet."""

    def shown(self) -> str:
        return "[…]"


@dataclass(frozen=True)
class Erased:
    """The key was destroyed."""

    def shown(self) -> str:
        return "[已删除]"


Opened: TypeAlias = Clear | Pending | Erased


def seal(key: bytes, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
    """Encrypt ``text`` (AES-256-GCM, a fresh nonce), bound to tenant, key and kind."""
    nonce = os.urandom(NONCE)
    ciphertext = nonce + AESGCM(key).encrypt(nonce, text.encode(), _bound(tenant, key_id, kind))
    return Sealed[str](key_id=key_id, kind=kind, ciphertext=b64encode(ciphertext).decode())


def unseal(key: bytes, tenant: str, sealed: Sealed[str]) -> Clear:
    """Decrypt. Raises CorruptHistory when key, tenant or kind are not those it was sealed with."""
    raw = b64decode(sealed.ciphertext)
    try:
        clear = AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], _bound(tenant, sealed.key_id, sealed.kind))
    except InvalidTag:
        raise CorruptHistory(f"a sealed {sealed.kind} does not open with its key") from None
    return Clear(clear.decode())


def _bound(tenant: str, key_id: UUID, kind: str) -> bytes:
    return f"{tenant}|{key_id}|{kind}".encode()
