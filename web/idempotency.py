"""Idempotency: a command is known by who sent it, to which route, under which key; and by what it said."""

import re
from hashlib import sha256
from uuid import UUID

from starlette.requests import Request
from uuid_utils.compat import uuid5

from web.refusal import Refusal

KEY = "Idempotency-Key"
IF_MATCH = "If-Match"
_COMMANDS = UUID("0d7c1f0a-5b1e-5a55-8f0e-6a3c0c8f4b11")
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
_VERSION = re.compile(r'"([1-9][0-9]{0,17})"')


def key_of(request: Request) -> str:
    """The command's key. Raises Refusal (400): missing, repeated, or not 1-255 visible ASCII characters."""
    keys = request.headers.getlist(KEY)
    if not keys:
        raise Refusal(400, "idempotency-key-missing")
    if len(keys) > 1 or not _VISIBLE.fullmatch(keys[0]):
        raise Refusal(400, "idempotency-key-invalid")
    return keys[0]


def version_of(request: Request) -> int | None:
    """The version that If-Match names; None without it. Raises Refusal (400): not one strong ETag of ours."""
    given = request.headers.getlist(IF_MATCH)
    if not given:
        return None
    match = _VERSION.fullmatch(given[0]) if len(given) == 1 else None
    if match is None:
        raise Refusal(400, "if-match-invalid")
    return int(match[1])


def command_id(tenant: str, principal: str, route: str, key: str) -> UUID:
    """Name a command: the same words give the same id, another person's or route's never do."""
    return uuid5(_COMMANDS, "\n".join((tenant, principal, route, key)))


def digest_of(*parts: bytes) -> bytes:
    """Tell one content from another; where one part ends and the next begins counts."""
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()
