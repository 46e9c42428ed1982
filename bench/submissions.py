"""Submissions: the fact that all measurements keep, as a service writes it, and as SQL makes many of them at once."""

from datetime import UTC, datetime
from hashlib import sha256, sha512
from uuid import UUID, uuid4

from uuid_utils.compat import uuid7

from eventlog.facts import NewFact, StreamId
from eventlog.log import Append, Expect

TENANT = "430981"
ORGAN = "430981109.town-government"
CATEGORY = "submission"
NAME = "submission-received"

_BEFORE = '{"submission_id":"'
_BETWEEN = '","channel":"hotline","words":{"key_id":"'
_BEHIND = '","kind":"submission-words","ciphertext":"'
_END = '"},"submitter":null,"place":null,"origin":null,"backfilled":false}'

SQL = (
    f"('{_BEFORE}' || key || '{_BETWEEN}' || key || '{_BEHIND}' || encode(sha512(key::text::bytea), 'hex') || '{_END}')"
)
"""What ``json_of`` gives, from a column ``key``."""


def json_of(submission: UUID) -> str:
    """About 370 bytes. What stands in for the sealed words is no more use to a compressor than they would be."""
    key = str(submission)
    return f"{_BEFORE}{key}{_BETWEEN}{key}{_BEHIND}{sha512(key.encode()).hexdigest()}{_END}"


def opening(submission: UUID) -> Append:
    """A command that opens a stream with this fact."""
    return append_of(submission, uuid4(), Expect.NEW)


def append_of(submission: UUID, command: UUID, expected: int) -> Append:
    """A command that adds this fact to its stream."""
    return Append(
        tenant=TENANT,
        stream=StreamId(CATEGORY, str(submission)),
        expected=expected,
        published=True,
        organ=ORGAN,
        matter=None,
        actor="clerk",
        occurred_at=datetime.now(UTC),
        command_id=command,
        digest=sha256(command.bytes).digest(),
        correlation=command,
        causation=None,
        answer={"id": str(submission)},
        facts=[NewFact(uuid7(), NAME, 1, json_of(submission))],
    )
