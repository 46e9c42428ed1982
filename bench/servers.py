"""Servers: one embedded PostgreSQL with databases for the measurements, and single services beside it."""

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from deploy.local import leftovers, ports
from deploy.local.databases import Databases
from deploy.local.home import Home
from deploy.local.issuer import Issuer
from deploy.local.logs import Logs
from deploy.local.platform import APPLICATION, OWNER, Say
from deploy.local.postgres import PostgresServer
from deploy.local.service import PythonService
from deploy.local.settings import Settings
from deploy.local.supervisor import Supervisor
from eventlog.wrapping import Wrapping
from services.intake import admin as intake

PORTS = {"postgres": 5433, "bench-intake": 8105, "bench-bare": 8106}
LOG, KEYS, PLAIN = "bench", "bench_keys", "bench_plain"


@dataclass(frozen=True)
class Servers:
    """A running PostgreSQL: ``LOG`` and ``KEYS`` are intake's databases, ``PLAIN`` is an empty one."""

    home: Home
    issuer: Issuer
    given: Mapping[str, int]
    supervisor: Supervisor
    databases: Databases

    def dsn(self, database: str) -> str:
        """As a service sees it."""
        return self.databases.dsn(database, APPLICATION, self.home.secret("database-application"))

    async def execute(self, database: str, sql: str) -> None:
        """Do something as the owner of a database; what it makes the services may use."""
        connection = await asyncpg.connect(self.databases.dsn(database, OWNER, self.home.secret("database-owner")))
        try:
            await connection.execute(sql)
            await connection.execute(
                f"grant select, insert, update, delete on all tables in schema public to {APPLICATION}"
            )
        finally:
            await connection.close()

    async def serve(self, name: str, app: str, environment: Mapping[str, str]) -> str:
        """Start an app in a process of its own, as all our services are; return its address."""
        port = self.given[name]
        argv = [sys.executable, "-m", "web.serve", app, "--port", str(port)]
        url = f"http://127.0.0.1:{port}"
        ready = f"{url}/health/ready" if app.startswith("services.") else f"{url}/ready"
        await self.supervisor.start(PythonService(name, self.home, argv, environment, ready))
        return url

    def of_intake(self) -> dict[str, str]:
        """What an intake without work behind its API is told; it speaks to no Kafka."""
        secrets = {name: self.home.keys / f"bench-{name}.key" for name in ("master", "sharing")}
        for file in secrets.values():
            if not file.exists():
                Wrapping.create(file)
        return {
            "SHANGYI_DSN": self.dsn(LOG),
            "SHANGYI_KEYS_DSN": self.dsn(KEYS),
            "SHANGYI_MASTER_KEY_FILE": str(secrets["master"]),
            "SHANGYI_SHARING_KEY_FILE": str(secrets["sharing"]),
            "SHANGYI_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "SHANGYI_OIDC_ISSUER": self.issuer.issuer,
            "SHANGYI_OIDC_AUDIENCE": self.issuer.audience,
            "SHANGYI_OIDC_JWKS": str(self.issuer.jwks),
            "SHANGYI_ROLE": "api",
        }


@asynccontextmanager
async def database_servers(settings: Settings, say: Say) -> AsyncGenerator[Servers]:
    """Run PostgreSQL alone in ``settings.home`` while the block does, with the databases above made and migrated."""
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
            for name in (LOG, KEYS, PLAIN):
                await databases.ensure_database(name, OWNER)
            owner = home.secret("database-owner")
            await intake.migrate(databases.dsn(LOG, OWNER, owner), databases.dsn(KEYS, OWNER, owner), APPLICATION)
            yield Servers(home, Issuer(home.keys), given, supervisor, databases)
