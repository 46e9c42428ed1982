"""What comes on the topics is kept once, numbered without holes, with the rows it makes; verify finds what is off."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import pytest

from eventlog.consumer import Consumer, Effect, Topic
from eventlog.facts import Stored
from eventlog.kafka import Record
from eventlog.postgres_log import Pool
from eventlog.progress import reached
from eventlog.records import to_record
from services.reporting import admin
from services.reporting.fact_store.store import StoreFacts, facts_of, positions
from services.reporting.read_models.by_service import READ_MODELS
from tests.fakes.kafka import MemoryKafka
from tests.integration.services.reporting.conftest import take_in
from tests.integration.services.reporting.sample import COUNTY, sample

TOPIC = "test.intake"


async def kept(store: Pool, service: str = "intake") -> Sequence[Stored]:
    async with store.acquire() as connection:
        return [fact async for facts in facts_of(service, connection) for fact in facts]


def send(kafka: MemoryKafka, records: Sequence[Record]) -> None:
    for record in records:
        kafka.write(TOPIC, [record])


async def consume(store: Pool, kafka: MemoryKafka, until: Stored) -> None:
    """Run a consumer of intake's topic until it has taken in ``until``."""
    effects: tuple[Effect, ...] = (StoreFacts("intake"), *READ_MODELS["intake"])
    consumer = Consumer("reporting", Topic(kafka, TOPIC), store, effects)
    running = asyncio.create_task(consumer.run())
    try:
        async with asyncio.timeout(20):
            while not await reached(store, TOPIC, until.position):  # noqa: ASYNC110  # a position is a row, no event
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class TestFactStore:
    async def test_keeps_every_fact_whole_and_numbers_it_as_its_topic_does(self, store: Pool) -> None:
        facts, kafka = sample().topics["intake"], MemoryKafka()
        await kafka.ensure_topic(TOPIC, {})
        send(kafka, [to_record(fact, n) for n, fact in enumerate(facts, start=1)])
        await consume(store, kafka, facts[-1])
        read = await kept(store)
        assert [fact.read() for fact in read] == [fact.read() for fact in facts]
        numbers = await store.fetch("select pseq, position from facts order by pseq")
        assert [tuple(row) for row in numbers] == [(n, fact.position) for n, fact in enumerate(facts, start=1)]
        assert (await positions(store)).intake == facts[-1].position
        assert await admin.verify(store) is None

    async def test_takes_in_once_what_is_told_twice(self, store: Pool) -> None:
        facts, kafka = sample().topics["intake"][:40], MemoryKafka()
        await kafka.ensure_topic(TOPIC, {})
        records = [to_record(fact, n) for n, fact in enumerate(facts, start=1)]
        send(kafka, records[:30])
        await consume(store, kafka, facts[29])
        send(kafka, records[20:])
        await consume(store, kafka, facts[39])
        assert [fact.fact_id for fact in await kept(store)] == [fact.fact_id for fact in facts]

    async def test_keeps_neither_facts_nor_rows_of_a_batch_that_fails(self, store: Pool) -> None:
        facts = sample().topics["intake"]
        broken = [facts[0], facts[0]]
        with pytest.raises(asyncpg.UniqueViolationError):
            await take_in(store, {"intake": facts, "deliberation": [], "mediation": broken})
        assert await kept(store) == []
        assert await store.fetchval("select count(*) from issues") == 0


class TestVerify:
    async def test_names_the_first_row_that_its_facts_do_not_say(self, store: Pool) -> None:
        await take_in(store, sample().topics)
        assert await admin.verify(store) is None
        await store.execute("update cases set settled = not settled where case_id = (select max(case_id) from cases)")
        case_id = await store.fetchval("select max(case_id) from cases")
        assert await admin.verify(store) == f"cases {case_id} of {COUNTY} is not what its facts say"

    async def test_finds_a_row_that_is_gone(self, store: Pool) -> None:
        await take_in(store, sample().topics)
        issue_id = await store.fetchval(
            "delete from issues where issue_id = (select min(issue_id) from issues) returning issue_id"
        )
        assert await admin.verify(store) == f"issues {issue_id} of {COUNTY} is not what its facts say"

    async def test_finds_a_row_that_no_fold_could_have_written(self, store: Pool) -> None:
        await take_in(store, sample().topics)
        case_id = await store.fetchval(
            "update cases set status = 'canary' where case_id = (select min(case_id) from cases) returning case_id"
        )
        assert await admin.verify(store) == f"cases {case_id} of {COUNTY} is no row that its facts could say"
