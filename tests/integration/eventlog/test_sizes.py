"""Much at once: facts in one append, facts in one stream, letters in one fact, writers of one stream.

$SHANGYI_STREAM_FACTS makes the long stream longer; a million is what is promised.
"""

import asyncio
import os
from dataclasses import replace

import pytest

from eventlog.connections import Pool
from eventlog.errors import VersionConflict
from eventlog.facts import Fact, NewFact
from eventlog.handler import Handler
from eventlog.log import Appended, Expect
from eventlog.postgres_log import PostgresLog
from eventlog.records import from_record
from eventlog.relay import Relay
from tests.fakes.counting import OpenCounter, RaiseCounter, an_append, asking, counter
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until

FACTS = int(os.environ.get("SHANGYI_STREAM_FACTS", "100000"))
APPENDED_AT_ONCE = 10_000
WRITERS = 1_000

pytestmark = pytest.mark.timeout(300 + FACTS / 500)


class Novel(Fact, name="test-novel"):
    words: str


async def test_ten_thousand_and_one_facts_of_one_append_are_relayed_in_rounds(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka
) -> None:
    outcome = await log.append(an_append(expected=Expect.NEW, facts=10_001))
    assert isinstance(outcome, Appended)
    async with running(Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: len(kafka.topics[TOPIC]) >= 10_001, 30)
    sent = [from_record(record) for record in kafka.topics[TOPIC]]
    assert [(fact.version, pseq) for fact, pseq in sent] == [(n, n) for n in range(1, 10_002)]
    assert outcome.answer.position == sent[-1][0].position


async def test_a_fact_of_a_megabyte_comes_back_whole(log: PostgresLog) -> None:
    novel = Novel(words="调" * (1 << 20))  # three megabytes as UTF-8
    item = replace(an_append(), facts=[NewFact.of(an_append().command_id, novel)])
    await log.append(item)
    [found] = await log.stream(item.tenant, item.stream)
    assert found.read().data == novel


async def test_a_long_stream_is_folded_and_goes_on(pool: Pool, log: PostgresLog) -> None:
    handler = Handler(log)
    await handler.send(counter, "1", OpenCounter(), asking(opens=True))
    for before in range(0, FACTS, APPENDED_AT_ONCE):
        outcome = await log.append(an_append(facts=min(APPENDED_AT_ONCE, FACTS - before)))
        assert isinstance(outcome, Appended)
    began = asyncio.get_running_loop().time()
    head = await Handler(log).head(counter, "620723", "1")
    print(f"{FACTS} facts folded in {asyncio.get_running_loop().time() - began:.1f} s")  # noqa: T201  # the finding
    assert (head.version, head.state.total) == (FACTS + 1, FACTS)
    await Handler(log).send(counter, "1", RaiseCounter(by=5), asking())
    [last] = await log.stream("620723", counter.stream("1"), FACTS + 1)
    assert (last.version, last.json) == (FACTS + 2, '{"by": 5}')


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_thousand_writers_of_one_stream_all_get_through(pool: Pool, processes: int) -> None:
    """Those of one process queue up for the stream. Two processes race each other, and one that has lost too often is
    told so, and asks again as a client does, under the same command id.
    """
    handlers = [Handler(PostgresLog(pool)) for _ in range(processes)]
    await handlers[0].send(counter, "1", OpenCounter(), asking(opens=True))
    again = 0

    async def raise_until_answered(handler: Handler) -> None:
        nonlocal again
        request = asking()
        while True:
            try:
                await handler.send(counter, "1", RaiseCounter(), request)
            except VersionConflict:
                again += 1
                await asyncio.sleep(0.1)
            else:
                return

    async with asyncio.timeout(200):
        await asyncio.gather(*(raise_until_answered(handlers[n % processes]) for n in range(WRITERS)))
    print(f"{processes} processes: asked again {again} times")  # noqa: T201  # the finding
    head = await Handler(PostgresLog(pool)).head(counter, "620723", "1")
    assert (head.version, head.state.total) == (WRITERS + 1, WRITERS)
