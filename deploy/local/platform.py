"""Platform: the servers and the four services of one home, from nothing to ready."""

import base64
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local import leftovers, ports
from deploy.local.child import Child
from deploy.local.databases import Databases
from deploy.local.endpoints import Endpoints
from deploy.local.files import write_whole
from deploy.local.home import Home
from deploy.local.issuer import Issuer
from deploy.local.jars import Jars
from deploy.local.kafka import KafkaServer
from deploy.local.logs import Logs
from deploy.local.postgres import PostgresServer
from deploy.local.service import PythonService
from deploy.local.settings import Settings
from deploy.local.supervisor import Supervisor
from services.deliberation import admin as deliberation
from services.intake import admin as intake
from services.mediation import admin as mediation
from services.reporting import admin as reporting

Say = Callable[[str], None]

MIGRATIONS = {
    "intake": intake.migrate,
    "deliberation": deliberation.migrate,
    "mediation": mediation.migrate,
    "reporting": reporting.migrate,
}
SERVICES = tuple(MIGRATIONS)
OWNER = "shangyi_owner"
APPLICATION = "shangyi_app"


@dataclass(frozen=True)
class Platform:
    """A running platform."""

    home: Home
    endpoints: Endpoints
    issuer: Issuer
    supervisor: Supervisor


@asynccontextmanager
async def running(settings: Settings, say: Say) -> AsyncGenerator[Platform]:
    """Run the platform of ``settings.home`` while the block does. Raises LocalError with a remedy.

    Everything that was started is stopped on the way out, however the block ends.
    """
    home = Home(settings.home)
    with ExitStack() as held:
        held.enter_context(home.locked())
        for ended in leftovers.end(home):
            say(f"ended what an earlier run left behind: {ended}")
        given = held.enter_context(ports.claimed(home))
        async with Supervisor(Logs(home.logs), say) as supervisor:
            servers, databases, bootstrap = _servers(settings, home, given, say)
            await supervisor.start(*servers)
            dsns = await prepare(home, databases, say)
            issuer = Issuer(home.keys)
            await supervisor.start(
                *[
                    service(name, home, given[name], environment(name, home, issuer, dsns, bootstrap))
                    for name in SERVICES
                ]
            )
            endpoints = Endpoints(
                pid=os.getpid(),
                ports=given,
                postgres_dsns=dsns,
                kafka_bootstrap=bootstrap,
                services={name: f"http://127.0.0.1:{given[name]}" for name in SERVICES},
                issuer=issuer.issuer,
                audience=issuer.audience,
                jwks=str(issuer.jwks),
            )
            home.publish(endpoints)
            yield Platform(home, endpoints, issuer, supervisor)


def _servers(settings: Settings, home: Home, given: dict[str, int], say: Say) -> tuple[list[Child], Databases, str]:
    """The embedded servers, less those an operator's settings replace."""
    servers: list[Child] = []
    if settings.postgres_dsn is not None:
        databases = Databases(settings.postgres_dsn)
    else:
        postgres = PostgresServer(home, given["postgres"], settings.postgres_bin)
        databases = postgres.databases
        servers.append(postgres)
    if settings.kafka_bootstrap is not None:
        return servers, databases, settings.kafka_bootstrap
    jars = Jars(settings.cache)
    if jars.missing():
        say("fetching Kafka (45 MB, once for this user)")
        jars.ensure(lambda done, total: say(f"  {done} of {total} jars") if done % 10 == 0 or done == total else None)
    kafka = KafkaServer(home, given["kafka"], given["kafka-controller"], jars)
    return [*servers, kafka], databases, kafka.bootstrap


async def prepare(home: Home, databases: Databases, say: Say) -> dict[str, str]:
    """Make roles and databases, migrate, and return the services' DSNs."""
    owner, application = home.secret("database-owner"), home.secret("database-application")
    await databases.ensure_role(OWNER, owner)
    await databases.ensure_role(APPLICATION, application)
    dsns: dict[str, str] = {}
    for name, migrate in MIGRATIONS.items():
        facts, keys = f"shangyi_{name}", f"shangyi_{name}_keys"
        await databases.ensure_database(facts, OWNER)
        await databases.ensure_database(keys, OWNER)
        applied = await migrate(databases.dsn(facts, OWNER, owner), databases.dsn(keys, OWNER, owner), APPLICATION)
        if applied:
            say(f"{name}: {applied} migrations applied")
        dsns[name] = databases.dsn(facts, APPLICATION, application)
        dsns[f"{name}-keys"] = databases.dsn(keys, APPLICATION, application)
    return dsns


def environment(name: str, home: Home, issuer: Issuer, dsns: Mapping[str, str], bootstrap: str) -> dict[str, str]:
    """What a service is told: where its databases and the broker are, and whom to trust."""
    return {
        "SHANGYI_DSN": dsns[name],
        "SHANGYI_KEYS_DSN": dsns[f"{name}-keys"],
        "SHANGYI_KAFKA_BOOTSTRAP": bootstrap,
        "SHANGYI_OIDC_ISSUER": issuer.issuer,
        "SHANGYI_OIDC_AUDIENCE": issuer.audience,
        "SHANGYI_OIDC_JWKS": str(issuer.jwks),
        "SHANGYI_MASTER_KEY_FILE": str(_secret_key(home, "master")),
        "SHANGYI_SHARING_KEY_FILE": str(_secret_key(home, "sharing")),
        "SHANGYI_DEVELOPMENT": "1",
    }


def service(
    name: str, home: Home, port: int, env: Mapping[str, str], server: Sequence[str] = ("web.serve",)
) -> PythonService:
    """One of our services on ``port``. ``server``: the module that serves it, and what that is told first."""
    argv = [sys.executable, "-m", *server, f"services.{name}.app:create", "--port", str(port)]
    return PythonService(name, home, argv, env, f"http://127.0.0.1:{port}/health/ready")


def _secret_key(home: Home, name: str) -> Path:
    """A 256-bit key of this home, made on first use: production keeps it outside, in a vault of its own."""
    file = home.keys / f"{name}.key"
    if not file.exists():
        write_whole(file, base64.b64encode(secrets.token_bytes(32)).decode())
    return file
