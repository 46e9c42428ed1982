"""A real broker that may be killed, frozen and stopped, and a client that notices within seconds."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import ports
from deploy.local.home import Home
from deploy.local.jars import Jars
from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from deploy.local.settings import Settings
from eventlog import election, postgres_log, relay, sources
from eventlog import kafka as client
from eventlog.kafka import AioKafka
from eventlog.migrations import LOG_GRANTS, migrate
from tests.conftest import APPLICATION
from tests.integration.eventlog.faults.servers import Broker, Postgres
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
def open_home() -> Iterator[Home]:
    """A home that every user may pass: as root the server runs as another."""
    directory = Path(tempfile.mkdtemp(prefix="shangyi-tests-"))
    directory.chmod(0o711)
    yield Home(directory / "home")
    shutil.rmtree(directory)


@pytest.fixture
async def own_postgres(open_home: Home) -> AsyncIterator[Postgres]:
    """A server of this test's own, whose database ``postgres`` holds an empty log."""
    with open_home.locked(), ports.claimed(open_home) as given:
        server = Postgres(PostgresServer(open_home, given["postgres"]))
        try:
            await server.start()
            owner = await asyncpg.connect(server.dsn)
            await owner.execute(f"create role {APPLICATION} login password '{APPLICATION}'")
            await owner.execute(TABLE)
            await owner.close()
            await migrate(server.dsn, APPLICATION, LOG_GRANTS, postgres_log.SCHEMA)
            yield server
        finally:
            await server.stop()


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
    for module in (relay, sources):
        monkeypatch.setattr(module, "POLL", 0.02)
