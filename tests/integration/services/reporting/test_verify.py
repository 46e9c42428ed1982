"""Reporting's copies: what differs from the topics is named, and what is only on its way is no difference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import asyncpg
import pytest

from eventlog import copies
from eventlog.connections import Pool
from eventlog.consumer import Consumer
from eventlog.facts import Stored
from eventlog.kafka import Received
from eventlog.progress import reached
from eventlog.records import to_record
from eventlog.sources import Topic
from services.reporting import admin
from services.reporting.admin import verify_facts
from services.reporting.fact_store.store import StoreFacts
from services.reporting.read_models.by_service import READ_MODELS
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.running import running, until
from tests.integration.services.reporting.sample import sample

FACTS = {service: facts[:30] for service, facts in sample().topics.items()}
INTAKE = FACTS["intake"]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "PIECE", 7)
    monkeypatch.setattr(copies, "PATIENCE", 0.2)


@pytest.fixture
def kafka() -> MemoryKafka:
    return MemoryKafka({topic(service): [] for service in FACTS})


@pytest.fixture
async def taken_in(store: Pool, kafka: MemoryKafka) -> Pool:
    """Reporting's database, with what the topics held when it last looked."""
    for service, facts in FACTS.items():
        kafka.write(topic(service), [to_record(fact, n) for n, fact in enumerate(facts, start=1)])
    await take_in(store, kafka, FACTS)
    return store


def topic(service: str) -> str:
    return f"test.{service}"


async def take_in(store: Pool, kafka: MemoryKafka, until_: Mapping[str, Sequence[Stored]]) -> None:
    consumers = [
        Consumer("reporting", Topic(kafka, topic(service)), store, [StoreFacts(service), *READ_MODELS[service]])
        for service in FACTS
    ]
    async with running(*(consumer.run() for consumer in consumers)):
        for service, facts in until_.items():
            await until(partial(reached, store, topic(service), facts[-1].position))


def quiet(what: str, done: int, of: int) -> None:
    del what, done, of


async def verified(store: Pool, kafka: MemoryKafka) -> str | None:
    return await verify_facts(store, kafka, quiet)


def which(number: int, service: str = "intake") -> str:
    fact = FACTS[service][number - 1]
    return f"{fact.name} at position {fact.position} (version {fact.version} of {fact.stream})"


class TestUndamaged:
    async def test_has_no_difference(self, taken_in: Pool, kafka: MemoryKafka) -> None:
        assert await verified(taken_in, kafka) is None
        assert await admin.verify(taken_in) is None

    async def test_and_empty_has_none_either(self, store: Pool, kafka: MemoryKafka) -> None:
        assert await verified(store, kafka) is None

    async def test_may_lie_behind_its_topics(self, taken_in: Pool, kafka: MemoryKafka) -> None:
        kafka.write(topic("intake"), [to_record(sample().topics["intake"][30], 31)])
        assert await verified(taken_in, kafka) is None

    async def test_does_not_mind_a_run_written_again(self, taken_in: Pool, kafka: MemoryKafka) -> None:
        kafka.write(topic("intake"), kafka.topics[topic("intake")][20:])
        await take_in(taken_in, kafka, {})
        assert await verified(taken_in, kafka) is None


IN_THE_STORE = {
    "a fact is gone": (
        "delete from facts where service = 'intake' and pseq = 5",
        "the fact store: fact 5 of intake is missing",
    ),
    "the last fact is gone": (
        "delete from facts where service = 'intake' and pseq = 30",
        "the fact store: intake is taken in up to 30, and kept up to 29",
    ),
    "a fact's words were changed": (
        """update facts set data = '{"canary": "canary"}' where service = 'intake' and pseq = 9""",
        f"test.intake: fact 9 at offset 8 has another content than {which(9)} in the fact store",
    ),
    "a fact was dated back": (
        "update facts set occurred_at = occurred_at - interval '1 day' where service = 'intake' and pseq = 30",
        f"test.intake: fact 30 at offset 29 has another occurred_at than {which(30)} in the fact store",
    ),
    "two facts have changed places": (
        """update facts set pseq = case pseq when 1 then -2 else -1 end where service = 'mediation' and pseq < 3;
           update facts set pseq = -pseq where service = 'mediation' and pseq < 0""",
        f"test.mediation: fact 1 at offset 0 has another position than {which(2, 'mediation')} in the fact store",
    ),
}


@pytest.mark.parametrize(("statement", "named"), IN_THE_STORE.values(), ids=IN_THE_STORE.keys())
async def test_damage_in_the_fact_store_is_named(
    taken_in: Pool, kafka: MemoryKafka, database: str, statement: str, named: str
) -> None:
    superuser = await asyncpg.connect(database)
    await superuser.execute(statement)
    await superuser.close()
    assert await verified(taken_in, kafka) == named


async def test_a_topic_that_was_changed_behind_it_is_named(taken_in: Pool, kafka: MemoryKafka) -> None:
    records: list[Received] = kafka.topics[topic("intake")]
    records[3] = replace(records[3], value=b"{}")
    named = f"test.intake: fact 4 at offset 3 has another content than {which(4)} in the fact store"
    assert await verified(taken_in, kafka) == named


async def test_a_topic_that_was_lost_is_named(taken_in: Pool, kafka: MemoryKafka) -> None:
    kafka.topics[topic("intake")] = []
    assert await verified(taken_in, kafka) == "test.intake: it is empty, the fact store has 30 facts"
