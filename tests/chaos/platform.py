"""The platform behind proxies: real servers and services, and between any two that speak a proxy of their own."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from deploy.local import leftovers, ports
from deploy.local.home import Home
from deploy.local.issuer import Issuer
from deploy.local.jars import Jars
from deploy.local.kafka import Door, KafkaServer
from deploy.local.logs import Logs
from deploy.local.platform import OWNER, environment, prepare, service
from deploy.local.postgres import PostgresServer
from deploy.local.service import PythonService
from deploy.local.settings import default_cache
from deploy.local.supervisor import Supervisor
from tests.chaos.plan import SERVERS, SERVICES
from tests.chaos.planting import OWNER_DSN, POISON
from tests.chaos.proxy import Proxy

PORTS = {
    "postgres": 17000,
    "kafka": 17001,
    "kafka-controller": 17002,
    **{name: 17010 + n for n, name in enumerate(SERVICES)},
    **{f"{name}-door": 17020 + n for n, name in enumerate(SERVICES)},
    **{f"{name}-{server}": 17030 + 10 * m + n for n, name in enumerate(SERVICES) for m, server in enumerate(SERVERS)},
}

Server = Callable[[str], tuple[str, ...]]
"""Service → the module that serves it, and what that is told first: where a bug is planted."""


def as_it_is(_: str) -> tuple[str, ...]:
    return ("web.serve",)


@dataclass(frozen=True)
class Rig:
    """A running platform. ``urls`` lead through the proxies, ``direct`` past them, as ``dsns`` and ``bootstrap`` do."""

    home: Home
    issuer: Issuer
    supervisor: Supervisor
    proxies: Mapping[str, Proxy]
    urls: Mapping[str, str]
    direct: Mapping[str, str]
    dsns: Mapping[str, str]
    bootstrap: str


@asynccontextmanager
async def running(path: Path, say: Callable[[str], None], server: Server = as_it_is) -> AsyncGenerator[Rig]:
    """Run everything in the home ``path`` while the block does."""
    home = Home(path)
    async with AsyncExitStack() as held:
        held.enter_context(home.locked())
        leftovers.end(home)
        given = held.enter_context(ports.claimed(home, PORTS))
        proxies = {proxy.name: proxy for proxy in _proxies(given)}
        for proxy in proxies.values():
            await proxy.listen()
            held.push_async_callback(proxy.close)
        supervisor = await held.enter_async_context(Supervisor(Logs(home.logs), say))
        postgres = PostgresServer(home, given["postgres"])
        jars = Jars(default_cache())
        jars.ensure(lambda _done, _total: None)
        doors = {name.upper(): Door(given[f"{name}-door"], given[f"{name}-kafka"]) for name in SERVICES}
        kafka = KafkaServer(home, given["kafka"], given["kafka-controller"], jars, doors)
        await supervisor.start(postgres, kafka)
        seen = await prepare(home, postgres.databases, say)
        issuer = Issuer(home.keys)
        owner = home.secret("database-owner")
        dsns = {name: postgres.databases.dsn(f"shangyi_{name}", OWNER, owner) for name in SERVICES}
        services: list[PythonService] = []
        for name in SERVICES:
            through = {key: _at(dsn, given[f"{name}-postgres"]) for key, dsn in seen.items()}
            env = environment(name, home, issuer, through, f"127.0.0.1:{given[f'{name}-kafka']}")
            env |= {OWNER_DSN: dsns[name], POISON: str(home.run / "poison")}  # for planted services
            services.append(service(name, home, given[name], env, server(name)))
        await supervisor.start(*services)
        yield Rig(
            home=home,
            issuer=issuer,
            supervisor=supervisor,
            proxies=proxies,
            urls={name: f"http://127.0.0.1:{given[f'{name}-http']}" for name in SERVICES},
            direct={name: f"http://127.0.0.1:{given[name]}" for name in SERVICES},
            dsns=dsns,
            bootstrap=kafka.bootstrap,
        )


def _proxies(given: Mapping[str, int]) -> list[Proxy]:
    found: list[Proxy] = []
    for name in SERVICES:
        targets = {"postgres": given["postgres"], "kafka": given[f"{name}-door"], "http": given[name]}
        found += [Proxy(f"{name}-{server}", given[f"{name}-{server}"], target) for server, target in targets.items()]
    return found


def _at(dsn: str, port: int) -> str:
    """The same database, by another port."""
    parts = urlsplit(dsn)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))
