"""FactStore: a real one, emptied for each year, and the figures that the real indicators make of what is copied in."""

import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from deploy.local.home import Home
from deploy.local.postgres import PostgresServer
from eventlog.connections import Connection
from eventlog.facts import Stored
from services.reporting import admin
from services.reporting.api.shown import report
from services.reporting.fact_store.question import Positions, Question
from services.reporting.reports.figures import compute
from tests.rehearsal.figures import Asked, Figures, read

COLUMNS = """service pseq position tenant stream version fact_id name schema data organ matter actor occurred_at
recorded_at correlation causation"""
DATABASE, APPLICATION = "rehearsal", "shangyi_rehearsal"


class FactStore:
    """Everything that was published in one county."""

    def __init__(self, connection: "Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def fill(self, topics: Mapping[str, Sequence[Stored]]) -> None:
        """Put these facts in the place of whatever was here."""
        await self._connection.execute("truncate facts")
        for service, facts in topics.items():
            rows = [
                (
                    service,
                    pseq,
                    fact.position,
                    fact.tenant,
                    str(fact.stream),
                    fact.version,
                    fact.fact_id,
                    fact.name,
                    fact.schema,
                    fact.json,
                    fact.organ,
                    fact.matter,
                    fact.actor,
                    fact.occurred_at,
                    fact.recorded_at,
                    fact.correlation,
                    fact.causation,
                )
                for pseq, fact in enumerate(facts, start=1)
            ]
            await self._connection.copy_records_to_table("facts", records=rows, columns=COLUMNS.split())
        await self._connection.execute("analyze facts")

    async def figures(self, county: str, asked: Asked) -> Figures:
        """What reporting tells, as it tells it."""
        everything = Positions(intake=2**60, deliberation=2**60, mediation=2**60)
        question = Question(tenant=county, division=asked.division, first=asked.first, last=asked.last, at=everything)
        found = await compute(self._connection, question)
        return read(report(question, None, found).model_dump(mode="json"))


@asynccontextmanager
async def connected(postgres: str) -> AsyncGenerator[FactStore]:
    """A fact store in a database of its own on a server, whose superuser's DSN is given."""
    server = await asyncpg.connect(postgres)
    try:
        await server.execute(f"drop database if exists {DATABASE} with (force)")
        await server.execute(f"create database {DATABASE} template template0")
        if not await server.fetchval("select true from pg_roles where rolname = $1", APPLICATION):
            await server.execute(f"create role {APPLICATION} login")
        dsn = postgres.rpartition("/")[0] + f"/{DATABASE}"
        await admin.migrate(dsn, dsn, APPLICATION)
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool, pool.acquire() as connection:
            yield FactStore(connection)
        await server.execute(f"drop database {DATABASE} with (force)")
    finally:
        await server.close()


@asynccontextmanager
async def embedded() -> AsyncGenerator[FactStore]:
    """A fact store on a server of its own, gone afterwards."""
    with new_home() as path:
        home = Home(path)
        home.create()
        server = PostgresServer(home, free_port())
        try:
            await server.start()
            await server.ready()
            async with connected(server.databases.admin_dsn("postgres")) as store:
                yield store
        finally:
            await server.stop()


@contextmanager
def new_home() -> Generator[Path]:
    """A place for servers, gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="shangyi-rehearsal-"))
    directory.chmod(0o755)  # PostgreSQL does not run as root, and must pass
    try:
        yield directory / "home"
    finally:
        shutil.rmtree(directory)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
