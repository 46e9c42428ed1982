"""A real broker that may be killed, frozen and stopped, and a client that notices within seconds."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import ports
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.kafka import KafkaServer
from deploy.local.settings import Settings
from eventlog import consumer, election, relay
from eventlog import kafka as client
from eventlog.kafka import AioKafka
from tests.integration.eventlog.faults.servers import Broker
from tests.integration.eventlog.faults.witness import TABLE

_topics = itertools.count(1)


@pytest.fixture(scope="session")
async def broker() -> AsyncIterator[Broker]:
    """One for all these tests; whoever takes it down brings it up again."""
    jars = Jars(Settings().cache)
    jars.ensure()
    directory = Path(tempfile.mkdtemp(prefix="shangyi-tests-"))
    home = Home(directory / "home")
    with home.locked(), ports.claimed(home) as given:
        broker = Broker(KafkaServer(home, given["kafka"], given["kafka-controller"], jars))
        try:
            await broker.start()
            yield broker
        finally:
            await broker.stop()
            shutil.rmtree(directory)


@pytest.fixture
def real_kafka(broker: Broker) -> AioKafka:
    return AioKafka(broker.bootstrap)


@pytest.fixture
def topic() -> str:
    return f"test.facts-{next(_topics)}"


@pytest.fixture
async def owner(database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The database's owner, with a table for what a witness sees."""
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a broker up after three seconds, not ten, and start over after a fifth of a second."""
    monkeypatch.setattr(client, "PATIENCE", 3.0)
    monkeypatch.setattr(client, "PRODUCER", {**client.PRODUCER, "request_timeout_ms": 1_500})
    monkeypatch.setattr(client, "READER", {**client.READER, "request_timeout_ms": 3_000})
    monkeypatch.setattr(election, "RETRY", 0.2)
    for module in (relay, consumer):
        monkeypatch.setattr(module, "POLL", 0.02)
