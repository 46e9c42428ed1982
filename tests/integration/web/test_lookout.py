"""The lookout: a standstill rings, idleness does not, and neither takes the API out of service."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest
from structlog.testing import capture_logs

from eventlog import election, relay, sources
from eventlog.connections import Pool, pool_of
from eventlog.consumer import Consumer
from eventlog.election import Worker, elected
from eventlog.errors import Unavailable
from eventlog.kafka import Producer
from eventlog.key_relay import Sharing
from eventlog.log import NewTimer
from eventlog.postgres_log import PostgresLog
from eventlog.records import to_record
from eventlog.relay import Relay
from eventlog.sources import Topic
from eventlog.vitals import OWN, Duty
from tests.conftest import as_application
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.running import running, until
from web import lookout as module
from web.lookout import Lookout

OURS, OTHERS = "test.ours", "test.others"
RELAY = Duty(f"relay/{OURS}", OURS)
OURSELVES = Duty("consumer/reactions/log", OWN, "reactions")
THEM = Duty(f"consumer/reactions/{OTHERS}", OTHERS, "reactions")
LONG = module.STUCK_AFTER + 1


class Clock:
    """Goes forward when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Broker(MemoryKafka):
    """Can be away altogether."""

    away = False

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        if self.away:
            raise Unavailable("away")
        return await super().ends(topics)

    async def producer(self) -> Producer:
        if self.away:
            raise Unavailable("away")
        return await super().producer()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start over at once, not after a second."""
    monkeypatch.setattr(election, "RETRY", 0.01)
    for each in (relay, sources):
        monkeypatch.setattr(each, "POLL", 0.01)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kafka() -> Broker:
    return Broker({OURS: [], OTHERS: []})


@pytest.fixture
def log(pool: Pool) -> PostgresLog:
    return PostgresLog(pool)


def over(pool: Pool, kafka: Broker, clock: Clock, *duties: Duty, workers: Sequence[Worker] = ()) -> Lookout:
    return Lookout(pool, kafka, duties=duties, workers=workers, clock=clock)


async def stuck(lookout: Lookout) -> Sequence[str]:
    return (await lookout.look()).stuck


@pytest.fixture
async def led(pool: Pool) -> AsyncGenerator[None]:
    """Somebody has the lead in everything, and does nothing with it."""
    async with elected(pool, RELAY.name), elected(pool, OURSELVES.name), elected(pool, THEM.name):
        yield


@pytest.mark.usefixtures("led")
class TestAStandstill:
    async def test_of_the_relay_rings_after_a_while_and_ready_stays_ready(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        lookout = over(pool, kafka, clock, RELAY)
        await log.append(an_append(facts=3))
        assert await stuck(lookout) == ()
        clock.now += LONG
        rings = (f"relay/{OURS} has stood still for 31 s, facts waiting: 3",)
        assert await stuck(lookout) == rings
        assert (await lookout.ready(), lookout.degraded()) == ([], list(rings))

    @pytest.mark.parametrize("duty", [RELAY, THEM], ids=["relay", "consumer"])
    async def test_before_a_topic_that_lost_records_rings(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock, duty: Duty
    ) -> None:
        await log.append(an_append(facts=3))
        facts, _ = await log.after(0, 10)
        kafka.write(duty.source, [to_record(fact, n) for n, fact in enumerate(facts, start=1)])
        await pool.execute("insert into eventlog.relays (topic, position, token) values ($1, 3, 3)", OURS)
        await pool.execute(
            "insert into eventlog.cursors (consumer, source, position, token) values ('reactions', $1, 3, 3)", OTHERS
        )
        lookout = over(pool, kafka, clock, duty)
        for _ in range(2):
            assert await stuck(lookout) == ()
            clock.now += LONG
        del kafka.topics[duty.source][1:]
        assert await stuck(lookout) == ()
        clock.now += LONG
        assert await stuck(lookout) == (
            f"{duty.source} has ended at offset 1 for 31 s, before 3, where {duty.name} goes on: it lost records",
        )

    async def test_of_nothing_to_do_is_idleness_for_ever(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        await log.append(an_append(published=False))  # nothing for the relay
        lookout = over(pool, kafka, clock, RELAY, THEM)
        for _ in range(3):
            assert await stuck(lookout) == ()
            clock.now += 1_000 * LONG

    async def test_begins_when_something_waits_not_when_the_last_was_done(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        lookout = over(pool, kafka, clock, RELAY)
        await stuck(lookout)
        clock.now += 1_000 * LONG
        await log.append(an_append())
        assert await stuck(lookout) == ()

    async def test_is_none_while_it_moves_however_long_the_queue(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        lookout = over(pool, kafka, clock, OURSELVES)
        await log.append(an_append(facts=9))
        for position in range(1, 6):
            await pool.execute(
                """insert into eventlog.cursors (consumer, source, position) values ('reactions', 'log', $1)
                   on conflict (consumer, source) do update set position = $1""",
                position,
            )
            assert await stuck(lookout) == ()
            clock.now += LONG
        assert await stuck(lookout) == ("consumer/reactions/log has stood still for 31 s, facts waiting: 4",)

    async def test_of_a_topics_consumer_is_measured_at_the_brokers_end(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        await log.append(an_append(facts=2))
        facts, _ = await log.after(0, 10)
        lookout = over(pool, kafka, clock, THEM)
        assert await stuck(lookout) == ()
        kafka.write(OTHERS, [to_record(fact, n) for n, fact in enumerate(facts, start=1)])
        await stuck(lookout)
        clock.now += LONG
        assert await stuck(lookout) == (f"consumer/reactions/{OTHERS} has stood still for 31 s, facts waiting: 2",)

    async def test_of_due_timers_rings(self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock) -> None:
        lookout = over(pool, kafka, clock)
        due = NewTimer(await log.now() - timedelta(hours=1), '{"name": "CloseCounter", "data": {}}')
        await log.append(an_append("1", timers=[due, due]))
        await stuck(lookout)
        clock.now += LONG
        assert await stuck(lookout) == ("no timer has fired for 31 s, timers due: 2",)
        await log.append(an_append("1"))  # calls them off
        assert await stuck(lookout) == ()

    async def test_of_shared_keys_rings(self, pool: Pool, kafka: Broker, clock: Clock) -> None:
        said = [Sharing(7, 2), Sharing(9, 2), Sharing(9, 2)]

        async def keys() -> Sharing:
            return said.pop(0)

        lookout = Lookout(pool, kafka, duties=(), workers=(), keys=keys, clock=clock)
        for expected in ((), (), ("no key was shared for 31 s, keys waiting: 2",)):
            assert await stuck(lookout) == expected
            clock.now += LONG


class TestTheLead:
    async def test_that_nobody_takes_rings(self, pool: Pool, kafka: Broker, clock: Clock) -> None:
        lookout = over(pool, kafka, clock, RELAY)
        async with elected(pool, RELAY.name):
            assert await stuck(lookout) == ()
            clock.now += LONG
        assert await stuck(lookout) == ()
        clock.now += LONG
        assert await stuck(lookout) == (f"nobody has done relay/{OURS} for 31 s",)


class TestKafka:
    async def test_that_is_away_rings_and_leaves_the_service_ready(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        works = Relay(pool, log, kafka, OURS)
        lookout = over(pool, kafka, clock, RELAY, workers=[works])
        kafka.away = True
        async with running(works.run()):
            await log.append(an_append())
            assert await stuck(lookout) == ()
            clock.now += LONG
            seen = await lookout.look()
            assert seen.stuck == (
                f"relay/{OURS} has stood still for 31 s, facts waiting: 1",
                "Kafka has not answered for 31 s",
            )
            assert (seen.kafka, await lookout.ready()) == (False, [])
            kafka.away = False
            await until(lambda: goes_on(lookout))


async def goes_on(lookout: Lookout) -> bool:
    seen = await lookout.look()
    return seen.working and seen.vitals is not None and seen.vitals.works[0].facts == 0


class TestAWorkerThatHalted:
    async def test_is_named_with_its_reason(self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock) -> None:
        await log.append(an_append(facts=3))
        facts, _ = await log.after(0, 10)
        kafka.write(OTHERS, [to_record(facts[0], 1), to_record(facts[2], 3)])  # a hole
        works = Consumer("reactions", Topic(kafka, OTHERS), pool, [])
        lookout = over(pool, kafka, clock, THEM, workers=[works])
        async with running(works.run()):
            await until(lambda: works.halted)
            why = f"{THEM.name} is halted: CorruptHistory: {OTHERS} jumps from 1 to 3 at offset 1"
            assert await stuck(lookout) == (why,)
            assert await lookout.ready() == []


class TestTheDatabase:
    async def test_that_is_away_makes_it_neither_ready_nor_working(self, kafka: Broker, clock: Clock) -> None:
        async with pool_of("postgresql://nobody@127.0.0.1:1/nothing", 2) as pool:
            lookout = over(pool, kafka, clock, RELAY)
            assert await stuck(lookout) == ("the database does not answer",)
            assert await lookout.ready() == ["the database does not answer"]

    async def test_is_away_when_no_connection_can_be_had_in_time(
        self, database: str, kafka: Broker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PATIENCE", 0.1)
        async with pool_of(as_application(database), 1) as pool, pool.acquire():
            assert await over(pool, kafka, clock).ready() == ["the database does not answer"]

    async def test_that_is_frozen_is_told_in_time_and_forgiven_when_it_thaws(
        self, database: str, kafka: Broker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "PATIENCE", 0.2)
        async with frozen_at_will(as_application(database)) as (dsn, flows), pool_of(dsn, 4) as pool:
            lookout = over(pool, kafka, clock, RELAY)
            await asyncio.gather(*(pool.fetchval("select pg_sleep(0.1)") for _ in range(4)))  # all are connected
            flows.clear()
            async with asyncio.timeout(5):
                assert await stuck(lookout) == ("the database does not answer",)
                assert await lookout.ready() == ["the database does not answer"]
            flows.set()
            await until(lambda: ready_again(lookout))


async def ready_again(lookout: Lookout) -> bool:
    return not await lookout.ready()


@asynccontextmanager
async def frozen_at_will(dsn: str) -> AsyncGenerator[tuple[str, asyncio.Event]]:
    """A way to the same server, on which everything stands still while the event is not set."""
    parts, flows = urlsplit(dsn), asyncio.Event()
    flows.set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            await flows.wait()
            writer.write(data)
        writer.close()
        await writer.wait_closed()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl(), flows
    finally:
        server.close()
        await server.wait_closed()


class TestTheClock:
    async def test_that_was_moved_makes_no_timer_late_for_longer_than_that(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        lookout = over(pool, kafka, clock)
        in_a_month = NewTimer(await log.now() + timedelta(days=30), '{"name": "CloseCounter", "data": {}}')
        await log.append(an_append("1", timers=[in_a_month]))
        await lookout.look()
        await log.move_clock(datetime.now(UTC) + timedelta(days=365))
        assert await lateness(lookout) == 0
        clock.now += 7
        assert await lateness(lookout) == 7

    async def test_that_was_not_moved_says_how_late_a_timer_really_is(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock
    ) -> None:
        due = NewTimer(await log.now() - timedelta(hours=1), '{"name": "CloseCounter", "data": {}}')
        await log.append(an_append("1", timers=[due]))
        assert await lateness(over(pool, kafka, clock)) == pytest.approx(3_600, abs=300)


async def lateness(lookout: Lookout) -> float:
    seen = (await lookout.look()).vitals
    assert seen is not None
    return seen.timers_late


class TestTheHeartbeat:
    async def test_tells_the_log_once_of_what_stands_still_and_once_that_it_goes_on(
        self, pool: Pool, log: PostgresLog, kafka: Broker, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BEAT", 0.01)
        await log.append(an_append(facts=3))
        with capture_logs() as lines:
            lookout = over(pool, kafka, clock, RELAY)
            async with elected(pool, RELAY.name), running(lookout.run()):
                await until(lambda: ticking(clock, lookout))
                await stuck(lookout)  # somebody asks in between
                await pool.execute("insert into eventlog.relays (topic, position) values ($1, 3)", OURS)
                await until(lambda: len(lines) == 2)
        told = [(line["log_level"], line["event"]) for line in lines]
        assert told == [("error", "stuck"), ("info", "goes on")]


def ticking(clock: Clock, lookout: Lookout) -> bool:
    clock.now += LONG
    return bool(lookout.degraded())


async def test_an_append_that_stays_open_rings(
    pool: Pool, database: str, kafka: Broker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STUCK_AFTER", 0.0)
    holder = await asyncpg.connect(as_application(database))
    try:
        async with holder.transaction():
            await holder.fetch("select eventlog.take_fence()")
            (rings,) = await stuck(over(pool, kafka, clock))
        pid = holder.get_server_pid()
        assert rings == f"an append (server process {pid}) has been open for 0 s, and holds up all readers"
    finally:
        await holder.close()
