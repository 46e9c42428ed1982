"""Wrapping: data keys lie wrapped under a secret that is kept elsewhere, and that can be changed while all goes on.

A wrapped key begins with the name of the secret that wrapped it. A file holds one secret a line: the first wraps what
is wrapped from now on, all of them open what they wrapped. To change the secret, add the new one as the last line and
wait until every process has that file; move it to the first line; wrap again what the old one wrapped; take the old one
out. Processes follow the file by themselves. `rotation.py` does the third step.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from eventlog.errors import CorruptHistory, Unavailable
from eventlog.sealed import CIPHER

SECRET = 32  # bytes
NAME = 8  # bytes that a wrapped key begins with


class Wraps(Protocol):
    """Wraps data keys, and opens what it wrapped."""

    def wrap(self, tenant: str, key_id: UUID, key: bytes) -> bytes:
        """Return the name of a secret and what opens with it only, for the same tenant and id only."""
        ...

    def unwrap(self, tenant: str, key_id: UUID, wrapped: bytes) -> bytes:
        """Raises CorruptHistory when the key was wrapped under no secret of ours, or for another tenant or id."""
        ...


class Wrapping:
    """One secret; each tenant's wrapping key is derived from it, and so is its ``name``, which tells nothing of it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != SECRET:
            raise ValueError(f"a wrapping secret has {SECRET} bytes")
        self._secret = secret
        self._derived: dict[str, bytes] = {}
        self.name = self._derive("shangyi name")[:NAME]

    @classmethod
    def new(cls) -> "Wrapping":
        return cls(os.urandom(SECRET))

    @classmethod
    def create(cls, file: Path) -> "Wrapping":
        """Make a secret and keep it in ``file``, for its owner only. Raises FileExistsError: none is replaced."""
        new = cls.new()
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as made:
            made.write(new.written())
        return new

    @classmethod
    def read(cls, line: bytes) -> "Wrapping":
        """Read 32 bytes in base64. Raises ValueError on anything else, without repeating it."""
        try:
            return cls(b64decode(line, validate=True))
        except ValueError:
            raise ValueError(f"a secret is {SECRET} bytes in base64") from None

    def written(self) -> str:
        """The secret itself, as ``read`` takes it: for its file and nothing else."""
        return b64encode(self._secret).decode()

    def wrap(self, tenant: str, key_id: UUID, key: bytes) -> bytes:
        return self.name + CIPHER.encrypt(self._key(tenant), key, str(key_id).encode())

    def unwrap(self, tenant: str, key_id: UUID, wrapped: bytes) -> bytes:
        key = CIPHER.decrypt(self._key(tenant), wrapped[NAME:], str(key_id).encode())
        if key is None:
            raise CorruptHistory(f"key {key_id} was not wrapped under this secret")
        return key

    def _key(self, tenant: str) -> bytes:
        if tenant not in self._derived:
            self._derived[tenant] = self._derive(f"shangyi keys {tenant}")
        return self._derived[tenant]

    def _derive(self, info: str) -> bytes:
        return HKDF(SHA256(), SECRET, salt=None, info=info.encode()).derive(self._secret)


class SecretFile:
    """The secrets of a file, followed as it changes: whoever replaces it has told every process that reads it.

    A file that cannot be read while we look leaves us with what we knew: work goes on, and the log says so.
    """

    def __init__(self, file: Path) -> None:
        """Raises OSError, and ValueError: what ``secrets_of`` refuses."""
        self._file = file
        self._seen = _look(file)  # before it is read: what changes in between is seen the next time
        self._known = secrets_of(file)
        self._logger = structlog.get_logger("secrets").bind(file=file.name)

    def wrap(self, tenant: str, key_id: UUID, key: bytes) -> bytes:
        return self.secrets()[0].wrap(tenant, key_id, key)

    def unwrap(self, tenant: str, key_id: UUID, wrapped: bytes) -> bytes:
        """Raises Unavailable when the secret has not come here yet, CorruptHistory when it does not open the key."""
        named = next((one for one in self._known if one.name == wrapped[:NAME]), None)
        named = named or next((one for one in self.secrets() if one.name == wrapped[:NAME]), None)
        if named is None:
            raise Unavailable(f"key {key_id} was wrapped under the secret {wrapped[:NAME].hex()}, which is not here")
        return named.unwrap(tenant, key_id, wrapped)

    def secrets(self) -> Sequence[Wrapping]:
        """What the file holds now, the one that wraps first."""
        now = _look(self._file)
        if now != self._seen:
            try:
                self._known = secrets_of(self._file)
                self._seen = now  # only now: what could not be read is read again, though nothing about it has changed
                self._logger.info("secrets read", names=[one.name.hex() for one in self._known])
            except (OSError, ValueError) as error:
                self._logger.warning("secrets cannot be read", reason=type(error).__name__)
        return self._known


def secrets_of(file: Path) -> Sequence[Wrapping]:
    """Read a file of secrets, each once. Raises OSError, and ValueError: none, one that is no secret, one that comes
    twice, or a file that others may read."""
    if file.stat().st_mode & 0o077:
        raise ValueError(f"{file} may be read by others: chmod 600")
    try:
        secrets = [Wrapping.read(line) for line in file.read_bytes().split()]
    except ValueError:
        secrets = []
    if not secrets or len({one.name for one in secrets}) != len(secrets):
        raise ValueError(f"{file} does not hold {SECRET} bytes in base64 a line, each once")
    return secrets


def _look(file: Path) -> tuple[int, int, int] | None:
    """What changes whenever a file is replaced or written; None while there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
