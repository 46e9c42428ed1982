"""Relay: the log into its topic, beside a producer that is given the very same records, ready made."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any, TypeAlias

from aiokafka import AIOKafkaProducer

from bench.effort import Effort
from bench.figures import Figure, compared
from bench.filled import filled, records_of
from bench.rounds import in_turn
from bench.servers import database_servers
from bench.working import until, working
from deploy.local.platform import Say
from deploy.local.settings import Settings
from eventlog.connections import Pool, pool_of
from eventlog.kafka import FACTS_TOPIC, PARTITION, PRODUCER, AioKafka, Record
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay

DATABASE = "bench_relayed"
CONNECTIONS = 4
GOAL_SEND, GOAL_SEND_BATCH = 1.0, 0.4

_Untyped: TypeAlias = Any  # aiokafka's producer: it ships no types
Send: TypeAlias = Callable[[_Untyped, str, Sequence[Record]], Awaitable[None]]


class Topics:
    """A fresh topic whenever one is asked for."""

    def __init__(self, kafka: AioKafka) -> None:
        self.kafka = kafka
        self._numbers = count(1)

    async def fresh(self) -> str:
        topic = f"bench.relay.{next(self._numbers)}"
        await self.kafka.ensure_topic(topic, FACTS_TOPIC)
        return topic


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Bring the same facts into a topic; the settings of the producer are the relay's own for all."""
    rounds, facts = effort.choose((5, 60_000), (2, 8_000))
    async with database_servers(settings, say) as servers, servers.kafka() as bootstrap:
        await filled(servers, DATABASE, facts)
        async with pool_of(servers.dsn(DATABASE), CONNECTIONS) as pool, _producer(bootstrap) as producer:
            topics, records = Topics(AioKafka(bootstrap)), await records_of(pool)
            rates = await in_turn(
                {
                    "relay": partial(relayed, pool, topics, len(records)),
                    "send": partial(_raw, _send, producer, topics, records),
                    "send_batch": partial(_raw, _send_batch, producer, topics, records),
                },
                rounds,
            )
    return [
        compared("relay / raw send", rates["relay"], rates["send"], "facts/s", GOAL_SEND),
        compared("relay / raw send_batch", rates["relay"], rates["send_batch"], "facts/s", GOAL_SEND_BATCH),
    ]


async def relayed(pool: Pool, topics: Topics, facts: int) -> float:
    """From the start of a term, whose producer has yet to be made, to the checkpoint behind the last fact."""
    topic = await topics.fresh()
    relay = Relay(pool, PostgresLog(pool), topics.kafka, topic)

    async def done() -> bool:
        pseq: int | None = await pool.fetchval("select pseq from eventlog.relays where topic = $1", topic)
        return pseq == facts

    began = time.perf_counter()
    async with working(relay):
        await until(done, relay)
        return facts / (time.perf_counter() - began)


async def _raw(send: Send, producer: _Untyped, topics: Topics, records: Sequence[Record]) -> float:
    topic = await topics.fresh()
    await producer.partitions_for(topic)  # what it knows of a topic it asks for once
    began = time.perf_counter()
    await send(producer, topic, records)
    return len(records) / (time.perf_counter() - began)


async def _send(producer: _Untyped, topic: str, records: Sequence[Record]) -> None:
    sent = [
        await producer.send(topic, record.value, record.key, PARTITION, headers=record.headers) for record in records
    ]
    await asyncio.gather(*sent)


async def _send_batch(producer: _Untyped, topic: str, records: Sequence[Record]) -> None:
    sent = [await producer.send_batch(batch, topic, partition=PARTITION) for batch in _batches(producer, records)]
    await asyncio.gather(*sent)


def _batches(producer: _Untyped, records: Sequence[Record]) -> Iterator[_Untyped]:
    batch = producer.create_batch()
    for record in records:
        words = {"key": record.key, "value": record.value, "headers": record.headers, "timestamp": None}
        if batch.append(**words) is None:
            batch.close()
            yield batch
            batch = producer.create_batch()
            batch.append(**words)
    batch.close()
    yield batch


@asynccontextmanager
async def _producer(bootstrap: str) -> AsyncGenerator[_Untyped]:
    producer: _Untyped = AIOKafkaProducer(bootstrap_servers=bootstrap, **PRODUCER)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
