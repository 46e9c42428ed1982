"""A fact survives its way through a topic, envelope and all."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from eventlog.facts import Stored, StreamId
from eventlog.kafka import Received
from eventlog.records import from_record, to_record


@pytest.mark.parametrize(("matter", "causation"), [("matter-1", UUID(int=3)), (None, None)])
def test_there_and_back(matter: str | None, causation: UUID | None) -> None:
    fact = Stored(
        fact_id=UUID(int=1),
        tenant="620723",
        stream=StreamId("issue", "村/1"),
        version=7,
        position=42,
        published=True,
        organ="王家庄",
        matter=matter,
        actor="某人",
        occurred_at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
        recorded_at=datetime(2026, 3, 2, 9, 0, 1, tzinfo=UTC),
        correlation=UUID(int=2),
        causation=causation,
        name="issue-routed",
        schema=2,
        json='{"话": "……"}',
    )
    record = to_record(fact, 40)
    assert record.key == "620723/issue/村/1".encode()
    assert from_record(Received(record.key, record.value, record.headers, 9)) == (fact, 40)
