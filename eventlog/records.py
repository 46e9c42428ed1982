"""A fact as a Kafka record and back: the JSON is the value, the envelope travels in headers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from eventlog.facts import Stored, StreamId
from eventlog.kafka import Received, Record


def to_record(fact: Stored, pseq: int) -> Record:
    """``pseq`` is the fact's dense number among the published facts of its log: 1, 2, 3 …, without holes."""
    headers = {
        "pseq": str(pseq),
        "position": str(fact.position),
        "fact_id": str(fact.fact_id),
        "tenant": fact.tenant,
        "stream": str(fact.stream),
        "version": str(fact.version),
        "name": fact.name,
        "schema": str(fact.schema),
        "organ": fact.organ,
        "matter": fact.matter,
        "actor": fact.actor,
        "occurred_at": fact.occurred_at.isoformat(),
        "recorded_at": fact.recorded_at.isoformat(),
        "correlation": str(fact.correlation),
        "causation": None if fact.causation is None else str(fact.causation),
    }
    return Record(
        key=f"{fact.tenant}/{fact.stream}".encode(),
        value=fact.json.encode(),
        headers=[(name, value.encode()) for name, value in headers.items() if value is not None],
    )


def from_record(record: Received) -> tuple[Stored, int]:
    """Return the fact and its ``pseq``."""
    headers: Mapping[str, str] = {name: value.decode() for name, value in record.headers}
    causation = headers.get("causation")
    fact = Stored(
        fact_id=UUID(headers["fact_id"]),
        tenant=headers["tenant"],
        stream=StreamId.parse(headers["stream"]),
        version=int(headers["version"]),
        position=int(headers["position"]),
        published=True,
        organ=headers["organ"],
        matter=headers.get("matter"),
        actor=headers["actor"],
        occurred_at=datetime.fromisoformat(headers["occurred_at"]).astimezone(UTC),
        recorded_at=datetime.fromisoformat(headers["recorded_at"]).astimezone(UTC),
        correlation=UUID(headers["correlation"]),
        causation=None if causation is None else UUID(causation),
        name=headers["name"],
        schema=int(headers["schema"]),
        json=(record.value or b"").decode(),
    )
    return fact, int(headers["pseq"])
