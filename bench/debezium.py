"""Debezium: its embedded engine in place of the relay, from the write-ahead log to a topic, where Maven is at hand."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from urllib.parse import urlsplit

from bench.effort import Effort
from bench.figures import Figure, compared
from bench.filled import fill
from bench.java import program
from bench.relay import CONNECTIONS, Topics, relayed
from bench.rounds import in_turn
from bench.servers import Servers, database_servers
from deploy.local.platform import Say
from deploy.local.settings import Settings
from eventlog.connections import pool_of
from eventlog.kafka import AioKafka

DATABASE = "bench_captured"
PUBLICATION = "bench"
PRODUCER = {
    "key.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
    "value.serializer": "org.apache.kafka.common.serialization.ByteArraySerializer",
    "acks": "all",
    "compression.type": "lz4",
    "max.request.size": "4194304",
}


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Bring facts from the write-ahead log into a topic. The Java program's start and first third do not count."""
    rounds, facts = effort.choose((3, 60_000), (1, 8_000))
    async with database_servers(settings, say) as servers, servers.kafka() as bootstrap:
        peer = await program("Debezium", servers.home.path)
        if peer is None:
            say("Debezium is left out: it needs Maven and a JDK")
            return []
        engine = await _captured(servers, facts, rounds + 1)
        producer = peer.properties("producer", {**PRODUCER, "bootstrap.servers": bootstrap})
        slots = (f"bench_{n}" for n in count())
        async with pool_of(servers.dsn(DATABASE), CONNECTIONS) as pool:
            topics = Topics(AioKafka(bootstrap))

            async def captured() -> float:
                words = peer.properties("engine", {**engine, "slot.name": next(slots)})
                return await peer.run(words, producer, await topics.fresh(), str(facts))

            rates = await in_turn({"relay": partial(relayed, pool, topics, facts), "debezium": captured}, rounds)
    return [compared("relay / Debezium embedded", rates["relay"], rates["debezium"], "facts/s")]


async def _captured(servers: Servers, facts: int, slots: int) -> Mapping[str, str]:
    """Make a log whose facts all lie behind each of ``slots`` slots; return what the engine is told."""
    await servers.make_log(DATABASE)
    await servers.administer(
        DATABASE,
        f"create publication {PUBLICATION} for table eventlog.facts with (publish_via_partition_root = true)",
        *(f"select pg_create_logical_replication_slot('bench_{n}', 'pgoutput')" for n in range(slots)),
    )
    await fill(servers.owner_dsn(DATABASE), facts, a_stream=4)
    dsn = urlsplit(servers.databases.admin_dsn(DATABASE))
    return {
        "name": "bench",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "offset.storage": "org.apache.kafka.connect.storage.MemoryOffsetBackingStore",
        "topic.prefix": "bench",
        "database.hostname": str(dsn.hostname),
        "database.port": str(dsn.port),
        "database.user": str(dsn.username),
        "database.password": str(dsn.password),
        "database.dbname": DATABASE,
        "table.include.list": "eventlog.facts",
        "plugin.name": "pgoutput",
        "publication.name": PUBLICATION,
        "publication.autocreate.mode": "disabled",
        "snapshot.mode": "no_data",
        "key.converter.schemas.enable": "false",
        "value.converter.schemas.enable": "false",
    }
