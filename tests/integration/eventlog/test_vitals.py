"""Vitals: what one question to the database tells of the log, of the work behind it, and of what holds it up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from eventlog import vitals as module
from eventlog.connections import Pool
from eventlog.consumer import Consumer
from eventlog.errors import Unavailable
from eventlog.log import Append, NewTimer
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from eventlog.sources import OwnLog
from eventlog.vitals import Behind, Duty, Vitals, vitals
from tests.conftest import APPLICATION, as_application
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until

RELAY = Duty(f"relay/{TOPIC}", TOPIC)
OURSELVES = Duty("consumer/reactions/log", "log", "reactions")
OTHERS = Duty("consumer/reactions/test.others", "test.others", "reactions")
DUTIES = (RELAY, OURSELVES, OTHERS)


def by_name(seen: Vitals) -> dict[str, Behind]:
    return {work.name: work for work in seen.works}


async def lags(pool: Pool, duties: Sequence[Duty] = DUTIES) -> dict[str, int | None]:
    return {work.name: work.facts for work in (await vitals(pool, duties)).works}


class TestLag:
    async def test_of_an_empty_log_is_none(self, pool: Pool) -> None:
        assert await vitals(pool, DUTIES) == Vitals(
            drawn=0,
            settled=0,
            fence=None,
            ahead=0,
            timers_due=0,
            timers_late=0,
            first_due=None,
            refusals=0,
            works=(
                Behind(
                    name=RELAY.name,
                    consumer=None,
                    source=TOPIC,
                    position=0,
                    token=0,
                    led=False,
                    facts=0,
                    seconds=None,
                ),
                Behind(
                    name=OURSELVES.name,
                    consumer="reactions",
                    source="log",
                    position=0,
                    token=0,
                    led=False,
                    facts=0,
                    seconds=None,
                ),
                Behind(
                    name=OTHERS.name,
                    consumer="reactions",
                    source="test.others",
                    position=0,
                    token=0,
                    led=False,
                    facts=None,
                    seconds=None,
                ),
            ),
        )

    async def test_counts_published_facts_for_the_relay_and_all_for_a_process(
        self, pool: Pool, log: PostgresLog
    ) -> None:
        await log.append(an_append("1", facts=3))
        await log.append(an_append("2", facts=4, published=False))
        assert await lags(pool) == {RELAY.name: 3, OURSELVES.name: 7, OTHERS.name: None}

    async def test_goes_down_as_work_is_done(self, pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> None:
        await log.append(an_append("1", facts=3))
        consumer = Consumer("reactions", OwnLog(log), pool, [])
        async with running(Relay(pool, log, kafka, TOPIC).run(), consumer.run()):
            await until(lambda: done(pool))
            seen = await vitals(pool, DUTIES)
            assert {work.name for work in seen.works if work.led} == {RELAY.name, OURSELVES.name}
            assert seen.fence is None  # a lead is another kind of lock
        assert not any(work.led for work in (await vitals(pool, DUTIES)).works)

    async def test_of_a_long_queue_is_told_by_positions(
        self, pool: Pool, log: PostgresLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "COUNTED", 5)
        await log.append(an_append("1", facts=10))
        await log.append(an_append("2", facts=20, published=False))
        assert await lags(pool) == {RELAY.name: 30, OURSELVES.name: 30, OTHERS.name: None}


async def done(pool: Pool) -> bool:
    return await lags(pool) == {RELAY.name: 0, OURSELVES.name: 0, OTHERS.name: None}


class TestAge:
    async def test_of_what_waits_is_that_of_the_oldest(self, pool: Pool, log: PostgresLog) -> None:
        await log.append(an_append("1", published=False))
        await asyncio.sleep(0.3)
        await log.append(an_append("2"))
        works = by_name(await vitals(pool, DUTIES))
        relay, ourselves = works[RELAY.name].seconds, works[OURSELVES.name].seconds
        assert relay is not None
        assert ourselves is not None
        assert relay >= 0
        assert ourselves - relay >= 0.3

    async def test_is_real_time_though_the_logs_clock_was_moved(self, pool: Pool, log: PostgresLog) -> None:
        await log.append(made_now(an_append("1")))
        await log.move_clock(datetime.now(UTC) + timedelta(days=365))
        seen = await vitals(pool, [RELAY])
        assert seen.ahead == pytest.approx(365 * 86_400, rel=0.01)
        assert seen.works[0].seconds is not None
        assert 0 <= seen.works[0].seconds < 3_600


def made_now(item: Append) -> Append:
    """With ids as the handler makes them."""
    return replace(item, facts=[replace(fact, fact_id=uuid7()) for fact in item.facts])


class TestFence:
    async def test_names_who_holds_the_horizon_back(self, pool: Pool, log: PostgresLog, database: str) -> None:
        await log.append(an_append("1"))
        holder = await asyncpg.connect(as_application(database))
        try:
            async with holder.transaction():
                await holder.fetch("select eventlog.take_fence()")
                await log.append(an_append("2"))
                await asyncio.sleep(0.2)
                seen = await vitals(pool, DUTIES)
                assert seen.fence is not None
                assert (seen.fence.pid, seen.drawn, seen.settled) == (holder.get_server_pid(), 2, 1)
                assert seen.fence.seconds >= 0.2
            seen = await vitals(pool, DUTIES)
            assert (seen.fence, seen.drawn, seen.settled) == (None, 2, 2)
        finally:
            await holder.close()


class TestTimers:
    async def test_tells_how_many_are_due_and_how_late(self, pool: Pool, log: PostgresLog) -> None:
        now = await log.now()
        due = [NewTimer(now + timedelta(hours=hours), '{"name": "CloseCounter", "data": {}}') for hours in (-2, -1, 5)]
        await log.append(an_append("1", timers=due))
        seen = await vitals(pool, DUTIES)
        assert (seen.timers_due, seen.first_due) == (2, due[0].due_at)
        assert seen.timers_late == pytest.approx(7_200, abs=600)


class TestParked:
    async def test_counts_streams_for_each_effect_that_failed(self, pool: Pool, database: str) -> None:
        superuser = await asyncpg.connect(database)
        await superuser.execute(
            f"""create table if not exists eventlog.parked (
                    consumer text, source text, effect text, tenant text, stream text, position bigint, pseq bigint,
                    fact_id uuid, name text, error text, attempts int);
                grant select on eventlog.parked to {APPLICATION}"""
        )
        for effect, stream, position in (("a", "x/1", 1), ("a", "x/1", 2), ("b", "x/1", 1), ("a", "x/2", 3)):
            await superuser.execute(
                """insert into eventlog.parked
                       (consumer, source, effect, tenant, stream, position, pseq, fact_id, name, error, attempts)
                   values ('reactions', 'log', $1, '620723', $2, $3, 0, gen_random_uuid(), 'x', 'ValueError', 1)""",
                effect,
                stream,
                position,
            )
        await superuser.close()
        assert (await vitals(pool, DUTIES)).parked == 3


class TestAsking:
    async def test_does_not_wait_for_a_pool_without_a_free_connection(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PATIENCE", 0.1)
        async with asyncpg.create_pool(as_application(database), min_size=0, max_size=1) as pool, pool.acquire():
            with pytest.raises(Unavailable):
                await vitals(pool, DUTIES)
