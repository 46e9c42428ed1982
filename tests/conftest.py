"""What tests of all kinds share: a real PostgreSQL, and a fresh database for each test that asks for one."""

import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from deploy.local.home import Home
from deploy.local.postgres import PostgresServer
from eventlog import postgres_log
from eventlog.connections import Pool
from eventlog.migrations import LOG_GRANTS, migrate

APPLICATION = "shangyi_test"
"""A role without any right but what the migrations give it."""

_numbers = count(1)


@pytest.fixture(scope="session")
async def postgres() -> AsyncGenerator[str]:
    """The DSN of a server's superuser: $SHANGYI_TEST_POSTGRES, or a server that lives as long as these tests."""
    given = os.environ.get("SHANGYI_TEST_POSTGRES")
    if given:
        yield given
        return
    home = _new_home()
    server = PostgresServer(home, _free_port())
    try:
        await server.start()
        await server.ready()
        yield server.databases.admin_dsn("postgres")
    finally:
        await server.stop()
        shutil.rmtree(home.path.parent)


@pytest.fixture(scope="session")
async def template(postgres: str) -> AsyncGenerator[str]:
    """The name of a database that holds an empty log; no test connects to it."""
    name = _unique("template")
    async for _ in _new_database(postgres, name, "template0"):
        connection = await asyncpg.connect(postgres)
        with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # another worker was first
            await connection.execute(f"create role {APPLICATION} login password '{APPLICATION}'")
        await connection.close()
        await migrate(_dsn(postgres, name), APPLICATION, LOG_GRANTS, postgres_log.SCHEMA)
        yield name


@pytest.fixture
async def database(postgres: str, template: str) -> AsyncGenerator[str]:
    """The superuser's DSN of a fresh database with an empty log."""
    async for dsn in _new_database(postgres, _unique(str(next(_numbers))), template):
        yield dsn


@pytest.fixture
async def empty_database(postgres: str) -> AsyncGenerator[str]:
    """The superuser's DSN of a fresh database without a log."""
    async for dsn in _new_database(postgres, _unique(str(next(_numbers))), "template0"):
        yield dsn


@pytest.fixture
async def pool(database: str) -> AsyncGenerator[Pool]:
    """Connections of the application's role to a fresh database, as a service has them."""
    async with asyncpg.create_pool(as_application(database), min_size=1, max_size=16) as pool:
        yield pool


def as_application(dsn: str) -> str:
    """The same database for the application's role."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{APPLICATION}:{APPLICATION}@{host}"))


async def _new_database(postgres: str, name: str, template: str) -> AsyncGenerator[str]:
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f"create database {name} template {template}")
        yield _dsn(postgres, name)
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


def _unique(what: str) -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"test_log_{worker}_{os.getpid()}_{what}"


def _dsn(postgres: str, database: str) -> str:
    return urlunsplit(urlsplit(postgres)._replace(path=f"/{database}"))


def _new_home() -> Home:
    directory = Path(tempfile.mkdtemp(prefix="shangyi-tests-"))
    directory.chmod(0o711)  # as root the server runs as another user, who must get in
    home = Home(directory / "home")
    home.create()
    return home


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
