"""What comes on the topics is kept once, numbered without holes, with the rows it makes; verify finds what is off."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import asyncpg
import pytest

from eventlog import retries
from eventlog.connections import Pool
from eventlog.consumer import Consumer
from eventlog.effect import Effect
from eventlog.facts import Stored
from eventlog.kafka import Record
from eventlog.parked import ask_again, count, parked_streams
from eventlog.progress import reached
from eventlog.records import to_record
from eventlog.sources import Topic
from facts.intake.issue import IssueClassified
from services.reporting import admin
from services.reporting.fact_store.store import StoredHistory, StoreFacts, facts_of, positions
from services.reporting.read_models.by_service import READ_MODELS
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.running import running, until
from tests.integration.services.reporting.conftest import take_in
from tests.integration.services.reporting.sample import COUNTY, sample

TOPIC = "test.intake"


async def kept(store: Pool, service: str = "intake") -> Sequence[Stored]:
    async with store.acquire() as connection:
        return [fact async for facts in facts_of(service, connection) for fact in facts]


def send(kafka: MemoryKafka, records: Sequence[Record]) -> None:
    for record in records:
        kafka.write(TOPIC, [record])


async def consume(store: Pool, kafka: MemoryKafka, last: Stored) -> None:
    """Run a consumer of intake's topic until it has taken in ``last``."""
    async with running(reporting_of_intake(store, kafka).run()):
        await until(partial(reached, store, TOPIC, last.position), patience=20)


def reporting_of_intake(store: Pool, kafka: MemoryKafka) -> Consumer:
    effects: tuple[Effect, ...] = (StoreFacts("intake"), *READ_MODELS["intake"])
    return Consumer("reporting", Topic(kafka, TOPIC), store, effects, StoredHistory("intake"))


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


class TestParked:
    async def test_a_fact_of_a_newer_program_waits_for_it_in_one_read_model_alone(
        self, store: Pool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The fact store has it, other issues and other lists go on; the newer program takes it in from the store."""
        monkeypatch.setattr(retries, "LOOK", 0.01)
        facts = sample().topics["intake"]
        newer = next(n for n, fact in enumerate(facts) if fact.name == IssueClassified.fact_name)
        told = [replace(fact, schema=2) if n == newer else fact for n, fact in enumerate(facts)]
        kafka = MemoryKafka({TOPIC: []})
        send(kafka, [to_record(fact, n) for n, fact in enumerate(told, start=1)])
        await consume(store, kafka, told[-1])
        assert [fact.fact_id for fact in await kept(store)] == [fact.fact_id for fact in facts]
        [stream] = await parked_streams(store)
        assert (stream.effect, stream.stream, stream.error) == ("issues", str(facts[newer].stream), "CorruptHistory")
        behind = [fact for fact in facts[newer:] if fact.stream == facts[newer].stream]
        assert stream.facts == await count(store) == len(behind)
        assert await admin.verify(store) is None

        monkeypatch.setattr(IssueClassified, "fact_schema", 2)
        assert await ask_again(store) == 1
        async with running(reporting_of_intake(store, kafka).run()):
            await until(partial(none_is_parked, store))
        assert await admin.verify(store) is None


async def none_is_parked(store: Pool) -> bool:
    return await count(store) == 0


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
