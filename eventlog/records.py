"""A fact as a Kafka record and back: the JSON is the value, the envelope travels in headers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from eventlog.facts import Stored, StreamId
from eventlog.kafka import Received, Record


def to_record(fact: Stored, pseq: int) -> Record:
    """``pseq`` is the fact's dense number among the published facts of its log: 1, 2, 3 …, without holes."""
    headers = [
        ("pseq", b"%d" % pseq),
        ("position", b"%d" % fact.position),
        ("fact_id", str(fact.fact_id).encode()),
        ("tenant", fact.tenant.encode()),
        ("stream", str(fact.stream).encode()),
        ("version", b"%d" % fact.version),
        ("name", fact.name.encode()),
        ("schema", b"%d" % fact.schema),
        ("organ", fact.organ.encode()),
        ("actor", fact.actor.encode()),
        ("occurred_at", fact.occurred_at.isoformat().encode()),
        ("recorded_at", fact.recorded_at.isoformat().encode()),
        ("correlation", str(fact.correlation).encode()),
    ]
    if fact.matter is not None:
        headers.append(("matter", fact.matter.encode()))
    if fact.causation is not None:
        headers.append(("causation", str(fact.causation).encode()))
    return Record(key=f"{fact.tenant}/{fact.stream}".encode(), value=fact.json.encode(), headers=headers)


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
