"""The Kafka client behind one small port, and its aiokafka adapter.

aiokafka's defaults are the opposite of what a log needs, so every setting that matters is stated in PRODUCER and READER
and read back by a test. Nothing here waits without a bound: with idempotence on, a batch of aiokafka never expires and
even ``stop()`` can hang while the broker is away, so a producer in doubt is dropped, not waited for.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import aiokafka.client
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    ProducerClosed,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from eventlog.errors import CorruptHistory, Unavailable

PARTITION = 0
PATIENCE = 10.0  # seconds for one exchange with the broker before the client object is dropped

PRODUCER: Mapping[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "lz4",
    "linger_ms": 0,
    "max_batch_size": 1 << 19,  # what goes to the broker in one piece; a larger record goes alone
    "max_request_size": 4 << 20,
    "request_timeout_ms": 5_000,
}
READER: Mapping[str, Any] = {
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "auto_offset_reset": "none",
    "group_id": None,
    "max_partition_fetch_bytes": 4 << 20,
    "fetch_max_wait_ms": 200,
    "request_timeout_ms": 10_000,
}
FACTS_TOPIC = {
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "cleanup.policy": "delete",
    "max.message.bytes": "4194304",
}
KEYS_TOPIC = {
    "cleanup.policy": "compact",
    "max.compaction.lag.ms": "30000",
    "delete.retention.ms": "315360000000",  # ten years: a reader away for longer than a tombstone would keep the key
    "segment.ms": "30000",
    "file.delete.delay.ms": "1000",  # a minute by default, in which a compacted segment still lies on the disk
}

SEVERAL_REPLICAS = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
SET_ON_THE_TOPIC = 1  # a source of settings: not the broker's default


_Untyped: TypeAlias = Any  # aiokafka's clients: it ships no types, and its signatures say too little to use them


@dataclass(frozen=True)
class Record:
    """What is written to a topic. ``value`` None is a tombstone on a compacted topic."""

    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True)
class Received(Record):
    """A record with its place in the topic."""

    offset: int = 0


class Producer(Protocol):
    """Writes records in order."""

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        """Return when every record is acknowledged by all in-sync replicas: the offset behind the last.

        Raises Unavailable when that is unknown, and CorruptHistory for a record that the topic will never take; the
        producer must then be closed and not used again.
        """
        ...

    async def close(self) -> None: ...


class Reader(Protocol):
    """Reads one topic from an offset on, never beyond what is committed."""

    async def read(self, limit: int, patience: float) -> Sequence[Received]:
        """Return the next records, at most ``limit``; none when ``patience`` seconds bring none.

        Raises Unavailable; and CorruptHistory when the topic no longer has, or never had, what is asked for.
        """
        ...

    async def close(self) -> None: ...


class Kafka(Protocol):
    """A broker, or a cluster of them."""

    async def ensure_topic(self, topic: str, settings: Mapping[str, str]) -> None: ...
    async def producer(self) -> Producer: ...
    async def reader(self, topic: str, offset: int) -> Reader: ...
    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]: ...


class Topics(Protocol):
    """What lies at a broker, for those who only look."""

    async def reader(self, topic: str, offset: int) -> Reader: ...

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Return for each topic the offset behind its last committed record. Raises Unavailable."""
        ...


class AioKafka:
    """The port over aiokafka."""

    def __init__(self, bootstrap: str, replication: int = 1) -> None:
        self._bootstrap = bootstrap
        self._replication = replication

    async def ensure_topic(self, topic: str, settings: Mapping[str, str]) -> None:
        """Create the topic, one partition, or make its settings these, whoever made it.

        Raises Unavailable, and CorruptHistory for one of several partitions.
        """
        async with self._operator(topic) as client:
            wanted = NewTopic(topic, 1, self._replication, topic_configs=kept_by(settings, self._replication))
            [(_, code, *_)] = (await client.create_topics([wanted])).topic_errors
            if code and for_code(code) is TopicAlreadyExistsError:
                await _fit(client, topic, settings)
            elif code:
                raise Unavailable(f"topic {topic}: {for_code(code).__name__}")

    async def delete_topic(self, topic: str) -> None:
        """Take a topic away with all that is in it, if it is there. Raises Unavailable."""
        async with self._operator(topic) as client:
            for _, code in (await client.delete_topics([topic])).topic_error_codes:
                if code and for_code(code) is not UnknownTopicOrPartitionError:
                    raise Unavailable(f"topic {topic}: {for_code(code).__name__}")

    @asynccontextmanager
    async def _operator(self, topic: str) -> AsyncGenerator[_Untyped]:
        """A client that may ask the controller for something about ``topic``."""
        client: _Untyped = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=5_000)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.start()
                yield client
        except (KafkaError, TimeoutError, OSError, AttributeError) as error:
            # AttributeError: it asks the controller also where a broker that has just come back names none yet.
            raise Unavailable(f"topic {topic}: {type(error).__name__}") from error
        finally:
            await _drop(client.close())

    async def producer(self) -> Producer:
        client: _Untyped = AIOKafkaProducer(bootstrap_servers=self._bootstrap, **PRODUCER)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.start()
        except (KafkaError, TimeoutError, OSError) as error:
            await _stop(client)
            raise Unavailable(f"producer: {type(error).__name__}") from error
        return _AioProducer(client)

    async def reader(self, topic: str, offset: int) -> Reader:
        client: _Untyped = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, **READER)
        partition = TopicPartition(topic, PARTITION)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.start()
                client.assign([partition])
                client.seek(partition, offset)
                await asyncio.sleep(0)  # its own tasks begin: a client stopped before that cancels whoever stops it
        except (KafkaError, TimeoutError, OSError) as error:
            await _drop(client.stop())
            raise Unavailable(f"reader: {type(error).__name__}") from error
        return _AioReader(client, partition)

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        client: _Untyped = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, **READER)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.start()
                found = await client.end_offsets([TopicPartition(topic, PARTITION) for topic in topics])
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable(f"ends of topics: {type(error).__name__}") from error
        finally:
            await _drop(client.stop())
        return {partition.topic: offset for partition, offset in found.items()}


def _asking(topics: list[str] | None = None) -> _Untyped:
    """A question that makes no topic by being asked: such a one would have a broker's settings, not ours."""
    return MetadataRequest(topics, allow_auto_topic_creation=False)


aiokafka.client.MetadataRequest = _asking  # there is no setting for this


def kept_by(settings: Mapping[str, str], replicas: int) -> dict[str, str]:
    """Settings with which what was acknowledged outlives a broker, where there is another."""
    return {**settings, **(SEVERAL_REPLICAS if replicas > 1 else {})}


async def _fit(client: _Untyped, topic: str, settings: Mapping[str, str]) -> None:
    """Make the settings of a topic that is there ours; leave those alone of which we say nothing."""
    [described] = await client.describe_topics([topic])
    partitions = described["partitions"]
    if len(partitions) > 1:
        raise CorruptHistory(
            f"topic {topic} has {len(partitions)} partitions, and order needs that it has one: delete it first"
        )
    [answer] = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [(code, _, _, _, entries)] = answer.resources
    if code or not partitions:
        raise Unavailable(f"topic {topic}: {for_code(code or described['error_code']).__name__}")
    wanted = kept_by(settings, len(partitions[0]["replicas"]))
    found = {name: value for name, value, *_ in entries}
    if all(found.get(name) == value for name, value in wanted.items()):
        return
    its_own = {name: value for name, value, _, source, *_ in entries if source == SET_ON_THE_TOPIC}
    [answer] = await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {**its_own, **wanted})])
    [(code, *_)] = answer.resources
    if code:
        raise Unavailable(f"settings of topic {topic}: {for_code(code).__name__}")


class _AioProducer:
    def __init__(self, client: _Untyped) -> None:
        self._client = client

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        behind = 0
        try:
            batches = self._pack(records)
            batch = next(batches, None)
            while batch is not None:
                # One at a time: what waits behind a batch that fails may still be sent, and would stand behind a hole.
                async with asyncio.timeout(PATIENCE):
                    size = batch.record_count()
                    acknowledged = await self._client.send_batch(batch, topic, partition=PARTITION)
                    await asyncio.sleep(0)  # let it go out; the next is packed meanwhile
                    batch = next(batches, None)
                    behind = (await acknowledged).offset + size
        except MessageSizeTooLargeError as error:
            raise CorruptHistory(f"{topic} takes no record of such a size") from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable(f"send to {topic}: {type(error).__name__}") from error
        return behind

    def _pack(self, records: Sequence[Record]) -> Iterator[_Untyped]:
        """Put the records, in order, into as few batches as hold them: made here, they cost a tenth of one by one."""
        batch: _Untyped = self._client.create_batch()
        for record in records:
            words = {"key": record.key, "value": record.value, "headers": list(record.headers), "timestamp": None}
            if batch.append(**words) is None:
                batch.close()
                yield batch
                batch = self._client.create_batch()
                batch.append(**words)  # the first of a batch always fits
        batch.close()
        yield batch

    async def close(self) -> None:
        await _stop(self._client)


class _AioReader:
    def __init__(self, client: _Untyped, partition: TopicPartition) -> None:
        self._client = client
        self._partition = partition

    async def read(self, limit: int, patience: float) -> Sequence[Received]:
        try:
            async with asyncio.timeout(patience + PATIENCE):
                found = await self._client.getmany(self._partition, timeout_ms=int(patience * 1000), max_records=limit)
        except OffsetOutOfRangeError as error:
            raise CorruptHistory(f"{self._partition.topic} does not hold the position we stand at") from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise Unavailable(f"read {self._partition.topic}: {type(error).__name__}") from error
        return [Received(r.key, r.value, tuple(r.headers), r.offset) for r in found.get(self._partition, ())]

    async def close(self) -> None:
        await _drop(self._client.stop())


async def _stop(producer: _Untyped) -> None:
    """Stop a producer, in peace or else by force: left alone, it would try to send what it holds for ever."""
    await _drop(producer.stop())
    sender: asyncio.Task[None] | None = producer._sender.sender_task
    if sender is not None and not sender.done():
        producer._message_accumulator.fail_all(ProducerClosed())
        for _ in range(2):  # the first makes it wait for its exchange with the broker
            sender.cancel()
            await asyncio.sleep(0)
        await _drop(producer.client.close())


async def _drop(closing: Awaitable[object]) -> None:
    """Close a client as far as two seconds carry it; what it still holds is settled by position, not by politeness.

    A client whose broker is away may not heed a cancellation, so nobody waits for it to do so.
    """
    task = asyncio.ensure_future(closing)
    try:
        await asyncio.wait({task}, timeout=2)
    finally:
        task.cancel()
        task.add_done_callback(lambda dropped: dropped.cancelled() or dropped.exception())
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        with suppress(KafkaError, TimeoutError, OSError):
            raise error
