"""What the tests of the log's edges share."""

from collections.abc import AsyncGenerator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from eventlog import election, keys, relay, retries, sources
from eventlog.connections import Pool
from eventlog.postgres_log import PostgresLog
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
    for module in (relay, sources):
        monkeypatch.setattr(module, "POLL", 0.01)
    monkeypatch.setattr(retries, "LOOK", 0.01)


@pytest.fixture(scope="module")
async def keys_database(postgres: str) -> AsyncGenerator[str]:
    """The superuser's DSN of a database for keys, one for all tests of a module."""
    name = f"test_keys_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"create database {name}")
    try:
        dsn = urlsplit(postgres)._replace(path=f"/{name}").geturl()
        made = await asyncpg.connect(dsn)
        await made.execute(keys.SCHEMA.read_text(encoding="utf-8"))
        await made.close()
        yield dsn
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


@pytest.fixture
async def keys_pool(keys_database: str) -> AsyncGenerator[Pool]:
    """That database without keys."""
    async with asyncpg.create_pool(keys_database, min_size=1, max_size=16) as pool:
        await pool.execute("truncate keys.masters, keys.keys, keys.relays, keys.received, keys.read_up_to")
        yield pool
