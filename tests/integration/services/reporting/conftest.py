"""Reporting's database, and the sample in it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from eventlog.connections import Pool
from eventlog.effect import Effect
from eventlog.facts import Stored
from services.reporting import admin
from services.reporting.fact_store.store import StoreFacts
from services.reporting.read_models.by_service import READ_MODELS
from services.reporting.read_models.search import KeepTexts
from tests.conftest import APPLICATION, as_application
from tests.integration.services.reporting.sample import OTHER_COUNTY, sample


@pytest.fixture
async def store(database: str) -> AsyncGenerator[Pool]:
    """An empty fact store, as the service's own role sees it."""
    async with prepared(database) as pool:
        yield pool


@pytest.fixture(scope="module")
async def shared_database(postgres: str, template: str) -> AsyncGenerator[str]:
    """A database for all tests of a module: they only read what the module's first fixture put there."""
    name = f"test_reporting_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f"create database {name} template {template}")
        yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def filled(shared_database: str) -> AsyncGenerator[Pool]:
    """A fact store and its read models with the sample of one county, and another county's among it."""
    async with prepared(shared_database) as pool:
        await take_in(pool, topics())
        yield pool


@asynccontextmanager
async def prepared(database: str) -> AsyncGenerator[Pool]:
    """Migrate a database for facts and keys alike, and connect to it as the service's own role."""
    await admin.migrate(database, database, APPLICATION)
    async with connected(as_application(database)) as pool:
        yield pool


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[Pool]:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4) as pool:
        yield pool


def topics() -> Mapping[str, Sequence[Stored]]:
    """Two counties' facts, one after the other, as one topic a service brings them."""
    first, second = sample(), sample(8, OTHER_COUNTY)
    joined: dict[str, Sequence[Stored]] = {}
    for service, facts in first.topics.items():
        reached = facts[-1].position
        joined[service] = [
            *facts,
            *(replace(fact, position=fact.position + reached) for fact in second.topics[service]),
        ]
    return joined


async def take_in(pool: Pool, facts: Mapping[str, Sequence[Stored]]) -> None:
    """Write facts as the consumers of the topics do."""
    async with pool.acquire() as connection, connection.transaction():
        for service, models in READ_MODELS.items():
            effects: tuple[Effect, ...] = (StoreFacts(service), *models, KeepTexts())
            for effect in effects:
                await effect.write(facts[service], connection)
