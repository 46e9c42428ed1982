"""The three copies of what a service published: its log, its topic, and reporting's fact store."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.endpoints import Endpoints

Copy: TypeAlias = Mapping[str, object]
"""A fact with its whole envelope; ``data`` as parsed JSON."""

COLUMNS = (
    "position",
    "tenant",
    "stream",
    "version",
    "fact_id",
    "name",
    "schema",
    "data",
    "organ",
    "matter",
    "actor",
    "occurred_at",
    "recorded_at",
    "correlation",
    "causation",
)
_NUMBERS = {"position", "version", "schema"}
_MOMENTS = {"occurred_at", "recorded_at"}
_Untyped: TypeAlias = Any  # aiokafka ships no types


async def in_the_log(endpoints: Endpoints, service: str) -> Sequence[Copy]:
    """Every published fact of a service's log, in order."""
    query = f"select {', '.join(COLUMNS)} from eventlog.facts where published order by position"  # noqa: S608
    return [_copy(dict(row)) for row in await fetch(endpoints.postgres_dsns[service], query)]


async def in_the_fact_store(endpoints: Endpoints, service: str) -> Sequence[Copy]:
    """Every fact that reporting has of a service, in the order of their numbers, which have no hole."""
    query = f"select pseq, {', '.join(COLUMNS)} from facts where service = $1 order by pseq"  # noqa: S608
    rows = await fetch(endpoints.postgres_dsns["reporting"], query, service)
    assert [row["pseq"] for row in rows] == list(range(1, len(rows) + 1)), "a hole"
    return [_copy(dict(row)) for row in rows]


async def in_the_topic(endpoints: Endpoints, service: str) -> Sequence[Copy]:
    """Every record of a service's topic, once, read by a plain consumer from the first to the last.

    A relay that starts over may write a run again, never leave one out: a pseq is the next one, or one already here
    with the same body.
    """
    found: list[Copy] = []
    for record in await records(endpoints, f"shangyi.{service}"):
        headers = {name: value.decode() for name, value in record.headers}
        copy = _copy({**headers, "data": record.value.decode()})
        pseq = int(headers["pseq"])
        if pseq <= len(found):
            assert copy == found[pseq - 1], "one number, two bodies"
        else:
            assert pseq == len(found) + 1, "a hole"
            found.append(copy)
    return found


async def records(endpoints: Endpoints, topic: str) -> Sequence[_Untyped]:
    """All records of a topic, from offset 0 to its end."""
    consumer: _Untyped = AIOKafkaConsumer(bootstrap_servers=endpoints.kafka_bootstrap, enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, 0)
        found: list[_Untyped] = []
        while await consumer.position(partition) < end:
            found += (await consumer.getmany(partition, timeout_ms=1_000)).get(partition, [])
        return found
    finally:
        await consumer.stop()


async def agree(endpoints: Endpoints, service: str) -> Sequence[Copy]:
    """Say that log, topic and fact store hold the same facts, with the same envelopes, in the same order; return them.

    Ask a platform at rest.
    """
    log = await in_the_log(endpoints, service)
    assert len({copy["fact_id"] for copy in log}) == len(log)
    assert await in_the_topic(endpoints, service) == log
    assert await in_the_fact_store(endpoints, service) == log
    return log


async def fetch(dsn: str, query: str, *arguments: object) -> Sequence[asyncpg.Record]:
    """Ask a database, over a connection of our own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetch(query, *arguments)
    finally:
        await connection.close()


def _copy(found: Mapping[str, Any]) -> Copy:
    """Bring what SQL or Kafka gave to one shape."""
    return {name: _value(name, found.get(name)) for name in COLUMNS}


def _value(name: str, value: Any) -> object:
    match value:
        case None:
            return None
        case str() if name == "data":
            return json.loads(value)
        case str() if name in _NUMBERS:
            return int(value)
        case str() if name in _MOMENTS:
            return datetime.fromisoformat(value).astimezone(UTC)
        case datetime():
            return value.astimezone(UTC)
        case int():
            return value
        case _:
            return str(value)
