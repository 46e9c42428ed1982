"""A topic that lost records: its relay writes them again, and whoever needs what is only halfway gone says so."""

from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from eventlog.connections import Pool
from eventlog.kafka import AioKafka
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from tests.fakes.counting import an_append
from tests.integration.eventlog.faults.servers import Broker
from tests.integration.eventlog.faults.witness import a_witness, all_witnessed, published, records, repeats, witnessed
from tests.integration.eventlog.running import running, until

PATIENCE = 30.0

pytestmark = pytest.mark.usefixtures("owner")


class Operator:
    """Does to a topic what an operator might."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic

    async def delete_records(self, before_offset: int) -> None:
        await self._ask("delete_records", {TopicPartition(self._topic, 0): RecordsToDelete(before_offset)})

    async def delete_topic(self) -> None:
        await self._ask("delete_topics", [self._topic])

    async def _ask(self, what: str, *words: object) -> None:
        client: Any = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await client.start()
        try:
            await getattr(client, what)(*words)
        finally:
            await client.close()


async def relayed(pool: Pool, log: PostgresLog, kafka: AioKafka, topic: str, facts: int) -> None:
    """Append so many facts, and relay all there are."""
    await log.append(an_append(facts=facts))
    end = (await log.after(0, 1_000_000))[1]
    async with running(Relay(pool, log, kafka, topic).run()):
        await until(lambda: pool.fetchval("select position = $1 from eventlog.relays", end), PATIENCE)


async def test_truncated_ahead_of_a_reader(
    pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str
) -> None:
    await relayed(pool, log, real_kafka, topic, 4)
    async with running(a_witness(pool, real_kafka, topic).run()):
        await until(lambda: all_witnessed(pool), PATIENCE)
    await relayed(pool, log, real_kafka, topic, 6)
    await Operator(broker.bootstrap, topic).delete_records(before_offset=7)
    witness = a_witness(pool, real_kafka, topic)
    async with running(witness.run()):
        await until(lambda: witness.halted, PATIENCE)
        assert witness.halted == f"CorruptHistory: {topic} does not hold the position we stand at"
        assert len(await witnessed(pool)) == 4
        await republish(pool, log, real_kafka, topic, token=10)
        await until(lambda: all_witnessed(pool), PATIENCE)
    assert await witnessed(pool) == await published(pool)
    assert witness.halted is None


async def test_truncated_behind_a_reader_harms_nobody(
    pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str
) -> None:
    async with running(a_witness(pool, real_kafka, topic).run()):
        await relayed(pool, log, real_kafka, topic, 4)
        await until(lambda: all_witnessed(pool), PATIENCE)
        await Operator(broker.bootstrap, topic).delete_records(before_offset=4)
        await relayed(pool, log, real_kafka, topic, 4)
        await until(lambda: all_witnessed(pool), PATIENCE)
    assert await witnessed(pool) == await published(pool)


@pytest.mark.parametrize("appended_since", [2, 7], ids=["shorter than it was", "longer than it was"])
async def test_deleted_and_made_anew(
    pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str, appended_since: int
) -> None:
    """The relay makes it anew and writes it again; its reader, under way, takes in what follows, and nothing twice."""
    witness = a_witness(pool, real_kafka, topic)
    async with running(witness.run()):
        await relayed(pool, log, real_kafka, topic, 5)
        await until(lambda: all_witnessed(pool), PATIENCE)
        await Operator(broker.bootstrap, topic).delete_topic()
        await relayed(pool, log, real_kafka, topic, appended_since)
        await until(lambda: all_witnessed(pool), PATIENCE)
        await until(lambda: witness.halted is None, PATIENCE)
    expected = await published(pool)
    assert await witnessed(pool) == expected
    assert repeats(await records(real_kafka, topic), expected) == 0


async def test_a_newcomer_to_a_topic_without_its_beginning_halts(
    pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str
) -> None:
    await relayed(pool, log, real_kafka, topic, 5)
    await Operator(broker.bootstrap, topic).delete_records(before_offset=2)
    witness = a_witness(pool, real_kafka, topic)
    async with running(witness.run()):
        await until(lambda: witness.halted, PATIENCE)
    assert witness.halted == f"CorruptHistory: {topic} does not hold the position we stand at"
    assert await witnessed(pool) == []


async def republish(pool: Pool, log: PostgresLog, kafka: AioKafka, topic: str, token: int) -> None:
    """Have all facts sent again, and the reader go on from where they will stand; it knows what it has."""
    await pool.execute("update eventlog.relays set position = 0, pseq = 0, token = 0")
    await pool.execute("update eventlog.cursors set token = $1, epoch = epoch + 1", token)
    await relayed(pool, log, kafka, topic, 1)
