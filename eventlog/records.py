"""A fact as a Kafka record and back: the JSON is the value, the envelope travels in headers.

The relay makes its records of rows that the server has put into words already (``ROW``, ``of_row``). Whoever compares a
topic with facts makes them anew (``to_record``); the two give the same bytes.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from eventlog.facts import Stored, StreamId, made
from eventlog.kafka import Received, Record

_INSTANT = """replace(to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), '.000000', '')"""
_HEADERS: Mapping[str, tuple[str, Callable[[Stored], str | None]]] = {
    "position": ("position::text", lambda fact: str(fact.position)),
    "fact_id": ("fact_id::text", lambda fact: str(fact.fact_id)),
    "tenant": ("tenant", lambda fact: fact.tenant),
    "stream": ("stream", lambda fact: str(fact.stream)),
    "version": ("version::text", lambda fact: str(fact.version)),
    "name": ("name", lambda fact: fact.name),
    "schema": ("schema::text", lambda fact: str(fact.schema)),
    "organ": ("organ", lambda fact: fact.organ),
    "actor": ("actor", lambda fact: fact.actor),
    "occurred_at": (_INSTANT.format("occurred_at"), lambda fact: fact.occurred_at.isoformat()),
    "recorded_at": (_INSTANT.format("recorded_at"), lambda fact: fact.recorded_at.isoformat()),
    "correlation": ("correlation::text", lambda fact: str(fact.correlation)),
    "matter": ("matter", lambda fact: fact.matter),
    "causation": ("causation::text", lambda fact: None if fact.causation is None else str(fact.causation)),
}
"""Each header as a row of facts says it, in SQL, and as a fact does; those that say nothing are left out."""

_NAMES = tuple(_HEADERS)
_WORDS = ("tenant || '/' || stream", "data::text", *(sql for sql, _ in _HEADERS.values()))
ROW = "position, published, " + ", ".join(f"convert_to({words}, 'UTF8')" for words in _WORDS)
"""What to select of facts for ``of_row``."""


def of_row(row: asyncpg.Record, pseq: int) -> Record:
    """``pseq`` is the fact's dense number among the published facts of its log: 1, 2, 3 …, without holes."""
    _, _, key, value, *said = row
    headers = [(name, words) for name, words in zip(_NAMES, said, strict=True) if words is not None]
    return Record(key, value, [("pseq", b"%d" % pseq), *headers])


def to_record(fact: Stored, pseq: int) -> Record:
    """As ``of_row`` of the fact's row."""
    said = ((name, words(fact)) for name, (_, words) in _HEADERS.items())
    headers = [(name, words.encode()) for name, words in said if words is not None]
    key = f"{fact.tenant}/{fact.stream}"
    return Record(key.encode(), fact.json.encode(), [("pseq", b"%d" % pseq), *headers])


def from_record(record: Received) -> tuple[Stored, int]:
    """Return the fact and its ``pseq``."""
    headers = headers_of(record)
    causation = headers.get("causation")
    fact = made(
        Stored,
        {
            "fact_id": UUID(headers["fact_id"]),
            "tenant": headers["tenant"],
            "stream": StreamId.parse(headers["stream"]),
            "version": int(headers["version"]),
            "position": int(headers["position"]),
            "published": True,
            "organ": headers["organ"],
            "matter": headers.get("matter"),
            "actor": headers["actor"],
            "occurred_at": datetime.fromisoformat(headers["occurred_at"]).astimezone(UTC),
            "recorded_at": datetime.fromisoformat(headers["recorded_at"]).astimezone(UTC),
            "correlation": UUID(headers["correlation"]),
            "causation": None if causation is None else UUID(causation),
            "name": headers["name"],
            "schema": int(headers["schema"]),
            "json": (record.value or b"").decode(),
        },
    )
    return fact, int(headers["pseq"])


def headers_of(record: Received) -> Mapping[str, str]:
    """What a record's headers say, by name."""
    return {name: value.decode() for name, value in record.headers}


def number_of(record: Received) -> int | None:
    """A record's dense number; None where it is no fact."""
    text = dict(record.headers).get("pseq", b"")
    return int(text) if text.isdigit() and int(text) > 0 else None
