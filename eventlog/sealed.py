"""Sealed: what is stored where a person's words would otherwise stand in clear.

A sealed value names its key (a person's, a case's, or a published text's own) and holds ciphertext. It may be copied
from fact to fact: it is bound to tenant, key and kind, not to a place. Whoever destroys the key erases it everywhere.
"""

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventlog.errors import CorruptHistory
from eventlog.facts import Value

T = TypeVar("T")
PENDING = "[…]"
ERASED = "[已删除]"
UNREADABLE = "[无法读取]"


class Cipher(Protocol):
    """Authenticated encryption under a key of its own length, bound to something that is known but not stored."""

    def new_key(self) -> bytes: ...

    def encrypt(self, key: bytes, clear: bytes, bound: bytes) -> bytes:
        """Return what opens with the same key and the same ``bound`` only; never the same bytes twice."""
        ...

    def decrypt(self, key: bytes, sealed: bytes, bound: bytes) -> bytes | None:
        """Return the clear bytes, or None when key, content or ``bound`` are not those of the encryption."""
        ...


class Aes256Gcm:
    """AES-256-GCM; a random nonce of 96 bits goes first, the tag last."""

    NONCE = 12

    def new_key(self) -> bytes:
        return AESGCM.generate_key(256)

    def encrypt(self, key: bytes, clear: bytes, bound: bytes) -> bytes:
        nonce = os.urandom(self.NONCE)
        return nonce + AESGCM(key).encrypt(nonce, clear, bound)

    def decrypt(self, key: bytes, sealed: bytes, bound: bytes) -> bytes | None:
        try:
            return AESGCM(key).decrypt(sealed[: self.NONCE], sealed[self.NONCE :], bound)
        except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
            return None


# The one place that names the cipher. A second one (SM4-GCM) also needs a field in Sealed that says which.
CIPHER: Cipher = Aes256Gcm()


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
    """What was sealed. Its repr says nothing: it may end in a log file."""

    text: str = field(repr=False)

    def shown(self, *, pending: str = PENDING, erased: str = ERASED) -> str:
        """Return the text itself."""
        del pending, erased
        return self.text


@dataclass(frozen=True)
class Pending:
    """The key has not arrived yet."""

    def shown(self, *, pending: str = PENDING, erased: str = ERASED) -> str:
        """Return ``pending``."""
        del erased
        return pending


@dataclass(frozen=True)
class Erased:
    """The key was destroyed."""

    def shown(self, *, pending: str = PENDING, erased: str = ERASED) -> str:
        """Return ``erased``."""
        del pending
        return erased


@dataclass(frozen=True)
class Unreadable:
    """It does not open with the key that is there: an error of ours, for a person to look into."""

    def shown(self, *, pending: str = PENDING, erased: str = ERASED) -> str:
        """Return a mark in its place."""
        del pending, erased
        return UNREADABLE


Opened: TypeAlias = Clear | Pending | Erased | Unreadable


def seal(key: bytes, tenant: str, key_id: UUID, kind: str, text: str) -> Sealed[str]:
    """Encrypt ``text``, bound to tenant, key and kind. Raises ValueError on a lone surrogate."""
    ciphertext = CIPHER.encrypt(key, _encoded(text), _bound(tenant, key_id, kind))
    return Sealed[str](key_id=key_id, kind=kind, ciphertext=b64encode(ciphertext).decode())


def unseal(key: bytes, tenant: str, sealed: Sealed[str]) -> Clear:
    """Decrypt. Raises CorruptHistory when key, tenant or kind are not those it was sealed with."""
    try:
        ciphertext = b64decode(sealed.ciphertext, validate=True)
    except ValueError:
        raise CorruptHistory(f"a sealed {sealed.kind} is not base64") from None
    clear = CIPHER.decrypt(key, ciphertext, _bound(tenant, sealed.key_id, sealed.kind))
    if clear is None:
        raise CorruptHistory(f"a sealed {sealed.kind} does not open with its key")
    return Clear(clear.decode())


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass  # that error carries the whole text; the one below, raised outside of it, does not
    raise ValueError("the text holds a lone surrogate")


def _bound(tenant: str, key_id: UUID, kind: str) -> bytes:
    return f"{tenant}|{key_id}|{kind}".encode()
