"""What the tests of the log's edges share."""

import pytest

from eventlog import consumer, election, relay
from eventlog.postgres_log import Pool, PostgresLog
from tests.fakes.kafka import MemoryKafka

TOPIC = "test.counters"


@pytest.fixture
def log(pool: Pool) -> PostgresLog:
    return PostgresLog(pool)


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka({TOPIC: []})


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start over at once, not after a second."""
    monkeypatch.setattr(election, "RETRY", 0.01)
    for module in (relay, consumer):
        monkeypatch.setattr(module, "POLL", 0.01)
