"""What a client in trouble leaves behind: no batch that could arrive without what stands before it, and no tasks."""

import asyncio
from os import urandom
from typing import Any

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaConnectionError

from eventlog import kafka as client
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import FACTS_TOPIC, AioKafka, Producer, Record
from tests.integration.eventlog.faults.servers import Broker
from tests.integration.eventlog.faults.witness import records
from tests.integration.eventlog.running import until

TWO_TO_A_BATCH = {**client.PRODUCER, "request_timeout_ms": 1_500, "max_batch_size": 16_384}


def eight_records() -> list[Record]:
    return [Record(b"key", b"%d" % n + b"x" * 6_000) for n in range(8)]


class Leaderless:
    """What a producer meets when a partition's leader dies with its first batch, until one batch has been given up."""

    def __init__(self, producer: Producer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cut = 0
        self.given_up = 0
        inside: Any = producer
        aiokafka: Any = inside._client
        self._send: Any = aiokafka.client.send
        self._leader: Any = aiokafka._metadata.leader_for_partition
        self._pop: Any = aiokafka._message_accumulator._pop_batch
        monkeypatch.setattr(aiokafka.client, "send", self._cut_off_once)
        monkeypatch.setattr(aiokafka._metadata, "leader_for_partition", self._nobody)
        monkeypatch.setattr(aiokafka._message_accumulator, "_pop_batch", self._popped)

    async def _cut_off_once(self, *request: object, **more: object) -> object:
        self.cut += 1
        if self.cut == 1:
            raise KafkaConnectionError
        return await self._send(*request, **more)

    def _nobody(self, partition: object) -> object:
        return -1 if self.cut and not self.given_up else self._leader(partition)

    def _popped(self, partition: object) -> object:
        batch: Any = self._pop(partition)
        batch.future.add_done_callback(self._done)
        return batch

    def _done(self, future: "asyncio.Future[object]") -> None:
        self.given_up += future.exception() is not None


async def test_a_reader_that_is_closed_at_once_cancels_nobody(real_kafka: AioKafka, topic: str) -> None:
    await real_kafka.ensure_topic(topic, FACTS_TOPIC)
    for _ in range(5):
        await (await real_kafka.reader(topic, 0)).close()


async def test_no_batch_arrives_without_the_one_before_it(
    real_kafka: AioKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no leader is for long, the client gives up a batch, and then sends what waits behind it to the next leader;
    and that takes it, from a producer it does not know yet.
    """
    await real_kafka.ensure_topic(topic, FACTS_TOPIC)
    monkeypatch.setattr(client, "PRODUCER", TWO_TO_A_BATCH)
    producer = await real_kafka.producer()
    sent = eight_records()
    await until(lambda: knows(producer, topic))
    leaderless = Leaderless(producer, monkeypatch)
    with pytest.raises(Unavailable):
        await producer.send(topic, sent)
    await until(lambda: leaderless.given_up)
    await asyncio.sleep(0.5)  # in which what is left behind would arrive
    await producer.close()
    assert [record.value for record in await records(real_kafka, topic)] == []


async def knows(producer: Producer, topic: str) -> bool:
    inside: Any = producer
    return bool(await inside._client.partitions_for(topic))


async def test_several_batches_arrive_in_order(
    real_kafka: AioKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await real_kafka.ensure_topic(topic, FACTS_TOPIC)
    monkeypatch.setattr(client, "PRODUCER", TWO_TO_A_BATCH)
    producer = await real_kafka.producer()
    sent = eight_records()
    await producer.send(topic, sent)
    await producer.close()
    assert [record.value for record in await records(real_kafka, topic)] == [record.value for record in sent]


async def test_a_producer_in_doubt_leaves_no_task_behind(real_kafka: AioKafka, topic: str, broker: Broker) -> None:
    await real_kafka.ensure_topic(topic, FACTS_TOPIC)
    before = asyncio.all_tasks()
    producer = await real_kafka.producer()
    await producer.send(topic, eight_records())
    broker.freeze()
    try:
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable):
                await producer.send(topic, eight_records())
            await producer.close()
        await until(lambda: asyncio.all_tasks() <= before)
    finally:
        await broker.thaw()


async def test_a_record_of_three_megabytes_arrives_whole(real_kafka: AioKafka, topic: str) -> None:
    await real_kafka.ensure_topic(topic, FACTS_TOPIC)
    producer = await real_kafka.producer()
    sent = [Record(b"key", b"small"), Record(b"key", urandom(3 << 20)), Record(b"key", b"small")]
    await producer.send(topic, sent)
    await producer.close()
    assert [record.value for record in await records(real_kafka, topic)] == [record.value for record in sent]


async def test_a_record_that_no_topic_takes_is_not_taken_for_an_outage(real_kafka: AioKafka, topic: str) -> None:
    await real_kafka.ensure_topic(topic, FACTS_TOPIC)
    producer = await real_kafka.producer()
    with pytest.raises(CorruptHistory, match="takes no record of such a size"):
        await producer.send(topic, [Record(b"key", urandom(6 << 20))])
    await producer.close()


async def test_a_cluster_that_names_no_controller_is_an_outage(
    real_kafka: AioKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does a broker that comes back, for a moment."""
    cluster_metadata: Any = ClusterMetadata
    learn = cluster_metadata.update_metadata

    def learn_of_no_controller(cluster: Any, metadata: object) -> None:
        learn(cluster, metadata)
        cluster.controller = None

    monkeypatch.setattr(cluster_metadata, "update_metadata", learn_of_no_controller)
    with pytest.raises(Unavailable):
        await real_kafka.ensure_topic(topic, FACTS_TOPIC)
