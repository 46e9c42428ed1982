"""Servers: one embedded PostgreSQL with databases for the measurements, and what runs beside it for a while."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from deploy.local import leftovers, ports
from deploy.local.databases import Databases
from deploy.local.home import Home
from deploy.local.issuer import Issuer
from deploy.local.jars import Jars
from deploy.local.kafka import KafkaServer
from deploy.local.logs import Logs
from deploy.local.platform import APPLICATION, OWNER, Say
from deploy.local.postgres import PostgresServer
from deploy.local.service import PythonService
from deploy.local.settings import Settings
from deploy.local.supervisor import Supervisor
from eventlog import postgres_log
from eventlog.migrations import LOG_GRANTS, migrate
from eventlog.wrapping import Wrapping

PORTS = {"postgres": 5433, "kafka": 9092, "kafka-controller": 9093, "bench-1": 8105, "bench-2": 8106}
NO_KAFKA = "127.0.0.1:1"

Migrate = Callable[[str, str, str], Awaitable[int]]


@dataclass(frozen=True)
class Servers:
    """A running PostgreSQL without a database of ours. Whatever a part needs it makes, and starts while it measures."""

    home: Home
    issuer: Issuer
    given: Mapping[str, int]
    databases: Databases
    jars: Jars

    def dsn(self, database: str) -> str:
        """As a service sees it."""
        return self.databases.dsn(database, APPLICATION, self.home.secret("database-application"))

    def owner_dsn(self, database: str) -> str:
        """As a migration sees it."""
        return self.databases.dsn(database, OWNER, self.home.secret("database-owner"))

    async def make(self, database: str, owner: str = OWNER) -> None:
        """Make an empty database."""
        await self.databases.ensure_database(database, owner)

    async def make_log(self, database: str) -> None:
        """Make a database with an empty log."""
        await self.make(database)
        await migrate(self.owner_dsn(database), APPLICATION, LOG_GRANTS, postgres_log.SCHEMA)

    async def make_service(self, database: str, migrate_both: Migrate) -> None:
        """Make a service's two databases, facts and keys, as its migrations want them."""
        for name in (database, _keys(database)):
            await self.make(name)
        await migrate_both(self.owner_dsn(database), self.owner_dsn(_keys(database)), APPLICATION)

    async def execute(self, database: str, sql: str) -> None:
        """Do something as the owner of a database; what it makes the services may use."""
        connection = await asyncpg.connect(self.owner_dsn(database))
        try:
            await connection.execute(sql)
            await connection.execute(
                f"grant select, insert, update, delete, truncate on all tables in schema public to {APPLICATION}"
            )
        finally:
            await connection.close()

    async def administer(self, database: str, *statements: str) -> None:
        """Do something as the server's superuser, statement by statement."""
        connection = await asyncpg.connect(self.databases.admin_dsn(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def serving(self, port: str, app: str, environment: Mapping[str, str]) -> AsyncGenerator[str]:
        """Run an app in a process of its own, as all our services are, while the block does; give its address."""
        url = f"http://127.0.0.1:{self.given[port]}"
        argv = [sys.executable, "-m", "web.serve", app, "--port", str(self.given[port])]
        ready = f"{url}/health/ready" if app.startswith("services.") else f"{url}/ready"
        service = PythonService(port, self.home, argv, environment, ready)
        try:
            await service.start()
            await service.ready()
            yield url
        finally:
            await service.stop()

    @asynccontextmanager
    async def kafka(self) -> AsyncGenerator[str]:
        """Run Kafka while the block does; give its address."""
        server = KafkaServer(self.home, self.given["kafka"], self.given["kafka-controller"], self.jars)
        try:
            await server.start()
            await server.ready()
            yield server.bootstrap
        finally:
            await server.stop()

    def environment(self, database: str, kafka: str = NO_KAFKA) -> dict[str, str]:
        """What a service with the databases of ``make_service`` is told."""
        secrets = {name: self.home.keys / f"bench-{name}.key" for name in ("master", "sharing")}
        for file in secrets.values():
            if not file.exists():
                Wrapping.create(file)
        return {
            "SHANGYI_DSN": self.dsn(database),
            "SHANGYI_KEYS_DSN": self.dsn(_keys(database)),
            "SHANGYI_MASTER_KEY_FILE": str(secrets["master"]),
            "SHANGYI_SHARING_KEY_FILE": str(secrets["sharing"]),
            "SHANGYI_KAFKA_BOOTSTRAP": kafka,
            "SHANGYI_OIDC_ISSUER": self.issuer.issuer,
            "SHANGYI_OIDC_AUDIENCE": self.issuer.audience,
            "SHANGYI_OIDC_JWKS": str(self.issuer.jwks),
        }


@asynccontextmanager
async def database_servers(settings: Settings, say: Say) -> AsyncGenerator[Servers]:
    """Run PostgreSQL alone in ``settings.home`` while the block does."""
    home = Home(settings.home)
    with ExitStack() as held:
        held.enter_context(home.locked())
        leftovers.end(home)
        given = held.enter_context(ports.claimed(home, PORTS))
        async with Supervisor(Logs(home.logs), say) as supervisor:
            postgres = PostgresServer(home, given["postgres"], settings.postgres_bin)
            await supervisor.start(postgres)
            databases = postgres.databases
            await databases.ensure_role(OWNER, home.secret("database-owner"))
            await databases.ensure_role(APPLICATION, home.secret("database-application"))
            yield Servers(home, Issuer(home.keys), given, databases, Jars(settings.cache))


def _keys(database: str) -> str:
    return f"{database}_keys"
