"""Dump: what every store holds once all is at rest, read past the services, so that a run can be judged again."""

import gzip
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import TypeAdapter

from eventlog.facts import Stored, StreamId
from eventlog.kafka import Received
from eventlog.postgres_log import COLUMNS, stored
from eventlog.records import from_record
from services.reporting import admin
from tests.chaos.plan import WRITERS
from tests.chaos.platform import Rig

TOPIC = "shangyi.{}"
QUIET = 15_000  # milliseconds for a topic that should have more


@dataclass(frozen=True)
class Entry:
    """A published fact as a copy of the log has it: ``digest`` covers envelope and body."""

    pseq: int
    fact_id: str
    stream: str
    version: int
    digest: str


@dataclass(frozen=True)
class Accepted:
    """A row of commands: what an accepted command was told."""

    tenant: str
    command_id: str
    version: int


@dataclass(frozen=True)
class Timer:
    tenant: str
    stream: str
    due_at: str
    command: str


@dataclass(frozen=True)
class Stream:
    tenant: str
    stream: str
    version: int


@dataclass(frozen=True)
class Service:
    """One write service. ``refused``: ids of commands that a reaction or a timer sent and a rule refused."""

    facts: Sequence[Stored]
    streams: Sequence[Stream]
    commands: Sequence[Accepted]
    refused: frozenset[str]
    timers: Sequence[Timer]
    now: datetime
    topic: Sequence[Entry]


@dataclass(frozen=True)
class Dump:
    """``fact_store``: service → what reporting kept of it. ``difference``: of a read model from its fold, or None."""

    services: Mapping[str, Service]
    fact_store: Mapping[str, Sequence[Entry]]
    difference: str | None

    def write(self, file: Path) -> None:
        with gzip.open(file, "wb", compresslevel=1) as out:
            out.write(_DUMP.dump_json(self))

    @classmethod
    def read(cls, file: Path) -> "Dump":
        with gzip.open(file) as text:
            return _DUMP.validate_json(text.read())


_DUMP = TypeAdapter(Dump)


async def taken(rig: Rig) -> Dump:
    """Read everything."""
    services = {name: await _service(rig, name) for name in WRITERS}
    async with asyncpg.create_pool(rig.dsns["reporting"], min_size=1, max_size=2) as pool:
        store = {name: [entry async for entry in _kept(pool, name)] for name in WRITERS}
        return Dump(services, store, await admin.verify(pool))


async def _service(rig: Rig, name: str) -> Service:
    connection = await asyncpg.connect(rig.dsns[name])
    try:
        facts = await connection.fetch(f"select {COLUMNS} from eventlog.facts order by position")  # noqa: S608  # a constant
        streams = await connection.fetch("select tenant, stream, version from eventlog.streams")
        commands = await connection.fetch("select tenant, command_id, version from eventlog.commands")
        refused = await connection.fetch("select command_id from eventlog.refusals")
        timers = await connection.fetch(
            "select tenant, stream, due_at, command->>'name' as command from eventlog.timers"
        )
        now: datetime = await connection.fetchval("select eventlog.now()")
    finally:
        await connection.close()
    return Service(
        facts=[stored(row) for row in facts],
        streams=[Stream(**dict(row)) for row in streams],
        commands=[Accepted(r["tenant"], str(r["command_id"]), r["version"]) for r in commands],
        refused=frozenset(str(row["command_id"]) for row in refused),
        timers=[Timer(r["tenant"], r["stream"], r["due_at"].isoformat(), r["command"]) for r in timers],
        now=now,
        topic=await _topic(rig.bootstrap, TOPIC.format(name)),
    )


async def _topic(bootstrap: str, topic: str) -> list[Entry]:
    """Read a topic from its first record to its last, with a client of our own."""
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        [end] = (await consumer.end_offsets([partition])).values()
        found: list[Entry] = []
        while await consumer.position(partition) < end:
            records = (await consumer.getmany(partition, timeout_ms=QUIET, max_records=5_000)).get(partition, [])
            if not records:
                raise TimeoutError(f"{topic} ends at {end}, but shows nothing more")
            for record in records:
                received = Received(record.key, record.value, tuple(record.headers), record.offset)
                fact, pseq = from_record(received)
                found.append(entry_of(fact, pseq))
        return found
    finally:
        await consumer.stop()


async def _kept(pool: "asyncpg.Pool[asyncpg.Record]", service: str) -> AsyncIterator[Entry]:
    rows = await pool.fetch(
        f"select pseq, {COLUMNS.replace('published', 'true as published')} from facts where service = $1 order by pseq",  # noqa: S608  # a constant
        service,
    )
    for row in rows:
        values = {name: value for name, value in row.items() if name != "pseq"}
        values["stream"] = StreamId.parse(values["stream"])
        yield entry_of(Stored(**values), row["pseq"])


def entry_of(fact: Stored, pseq: int) -> Entry:
    return Entry(pseq, str(fact.fact_id), f"{fact.tenant}/{fact.stream}", fact.version, digest_of(fact))


def digest_of(fact: Stored) -> str:
    """Tell a fact from any other, envelope and body, however its JSON is spaced."""
    told = asdict(fact) | {"stream": str(fact.stream), "json": json.loads(fact.json)}
    return sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


def _plain(value: object) -> str:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return repr(value.timestamp())
        case _:
            raise TypeError(type(value).__name__)
