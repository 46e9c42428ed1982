"""ReadModel: one read model live, draining a backlog and rebuilt, beside COPY of the very rows into such a table."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

from bench import taking_in_app
from bench.effort import Effort
from bench.figures import Figure, compared
from bench.filled import filled, records_of
from bench.our_log import CONNECTIONS, open_a_stream
from bench.rounds import in_turn, repeated
from bench.servers import Servers, database_servers
from bench.working import until, working
from deploy.local.platform import Say
from deploy.local.settings import Settings
from eventlog.connections import Pool, pool_of
from eventlog.consumer import Consumer
from eventlog.effect import Effect
from eventlog.kafka import FACTS_TOPIC, AioKafka
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from eventlog.sources import Topic
from services.reporting import admin
from services.reporting.fact_store.store import StoreFacts
from services.reporting.read_models.by_service import CONSUMER
from services.reporting.read_models.submissions import submissions

HISTORY, REPORTING = "bench_history", "bench_reporting"
LIVE_LOG, LIVE = "bench_live_log", "bench_live"
SERVICE = "intake"
HISTORY_TOPIC = f"shangyi.{SERVICE}"  # as in life: a rebuild looks for where it has come to by that name
LIVE_TOPIC = "bench.live"
AT_ONCE = 16
PIECE = 5_000  # records given to a producer at once
GOAL_REBUILT = 0.4
COPIED = "create table submissions_copied (like submissions including all)"


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Each fact makes a row. The copied table has the same key and index as the read model's, in place all the time."""
    rounds, facts, seconds = effort.choose((4, 40_000, 2.0), (2, 5_000, 1.0))
    async with database_servers(settings, say) as servers, servers.kafka() as bootstrap:
        kafka = AioKafka(bootstrap)
        async with history(servers, kafka, facts) as backlog, _live(servers, bootstrap) as live:
            rates = await in_turn(
                {
                    "live": partial(live.rate, seconds),
                    "backlog": backlog.drained,
                    "rebuilt": backlog.rebuilt,
                    "copied": backlog.copied,
                },
                rounds,
            )
    return [
        compared("read model, live: appended, relayed, taken in / COPY", rates["live"], rates["copied"], "facts/s"),
        compared("read model, draining a backlog / COPY", rates["backlog"], rates["copied"], "facts/s"),
        compared("read model, rebuilt / COPY", rates["rebuilt"], rates["copied"], "facts/s", GOAL_REBUILT),
    ]


class History:
    """A topic of many facts, taken in again and again."""

    def __init__(self, pool: Pool, owner_dsn: str, kafka: AioKafka, facts: int) -> None:
        self._pool = pool
        self._owner_dsn = owner_dsn
        self._kafka = kafka
        self._facts = facts
        self._rows: Sequence[tuple[object, ...]] = ()
        self._columns: Sequence[str] = ()
        self._names = (f"bench-{n}" for n in count(1))

    async def take_in(self, name: str, *effects: Effect) -> float:
        """Let a consumer that was never here before take everything in; return its facts a second."""
        consumer = Consumer(name, Topic(self._kafka, HISTORY_TOPIC), self._pool, effects)

        async def taken_in() -> bool:
            pseq: int | None = await self._pool.fetchval("select pseq from eventlog.cursors where consumer = $1", name)
            return pseq == self._facts

        began = time.perf_counter()
        async with working(consumer):
            await until(taken_in, consumer)
            return self._facts / (time.perf_counter() - began)

    async def drained(self) -> float:
        await self._pool.execute("truncate submissions")
        return await self.take_in(next(self._names), submissions)

    async def rebuilt(self) -> float:
        """Beside the live rows, as an operator does it: filled, indexed, compared and exchanged."""
        began = time.perf_counter()
        await admin.rebuild(self._owner_dsn, submissions.table, lambda _phase, _done, _of: None)
        took = time.perf_counter() - began
        await admin.forget(self._owner_dsn, submissions.table)
        await self._check("submissions")
        return self._facts / took

    async def keep_rows(self) -> None:
        """Remember the rows as they are now, for COPY."""
        rows = await self._pool.fetch("select * from submissions")
        self._rows, self._columns = [tuple(row) for row in rows], list(rows[0].keys())

    async def copied(self) -> float:
        await self._pool.execute("truncate submissions_copied")
        began = time.perf_counter()
        async with self._pool.acquire() as connection:
            await connection.copy_records_to_table("submissions_copied", records=self._rows, columns=self._columns)
        took = time.perf_counter() - began
        await self._check("submissions_copied")
        return len(self._rows) / took

    async def _check(self, table: str) -> None:
        """Raises ValueError where rows are missing."""
        found = await self._pool.fetchval(f"select count(*) from {table}")  # noqa: S608  # of constants only
        if found != self._facts:
            raise ValueError(f"{table} has {found} rows of {self._facts}")


@asynccontextmanager
async def history(servers: Servers, kafka: AioKafka, facts: int) -> AsyncGenerator[History]:
    """Make a topic, and a reporting whose fact store has taken it in."""
    await filled(servers, HISTORY, facts, a_stream=1)
    await servers.make_service(REPORTING, admin.migrate)
    await servers.execute(REPORTING, COPIED)
    await kafka.ensure_topic(HISTORY_TOPIC, FACTS_TOPIC)
    async with pool_of(servers.dsn(HISTORY), 1) as pool:
        producer = await kafka.producer()
        records = await records_of(pool)
        for first in range(0, facts, PIECE):
            await producer.send(HISTORY_TOPIC, records[first : first + PIECE])
        await producer.close()
    async with pool_of(servers.dsn(REPORTING), CONNECTIONS) as pool:
        backlog = History(pool, servers.owner_dsn(REPORTING), kafka, facts)
        await backlog.take_in(CONSUMER, StoreFacts(SERVICE), submissions)
        await backlog.keep_rows()
        yield backlog


@dataclass(frozen=True)
class Live:
    """A log and its relay here, the consumer of its topic in another process."""

    log: PostgresLog
    log_pool: Pool
    reporting_pool: Pool

    async def rate(self, seconds: float) -> float:
        """Facts a second, from the first append until the last row is there, as many coming as the log takes."""
        began = time.perf_counter()
        facts = await repeated(partial(open_a_stream, self.log), AT_ONCE, seconds)
        end: int = await self.log_pool.fetchval("select eventlog.last_position()")

        async def taken_in() -> bool:
            position: int | None = await self.reporting_pool.fetchval("select max(position) from eventlog.cursors")
            return position == end

        await until(taken_in)
        return sum(map(len, facts)) / (time.perf_counter() - began)


@asynccontextmanager
async def _live(servers: Servers, bootstrap: str) -> AsyncGenerator[Live]:
    await servers.make_log(LIVE_LOG)
    await servers.make_service(LIVE, admin.migrate)
    environment = {
        taking_in_app.DSN: servers.dsn(LIVE),
        taking_in_app.KAFKA: bootstrap,
        taking_in_app.TOPIC: LIVE_TOPIC,
    }
    async with (
        servers.serving("bench-1", "bench.taking_in_app:create", environment),
        pool_of(servers.dsn(LIVE_LOG), CONNECTIONS) as log_pool,
        pool_of(servers.dsn(LIVE), 1) as reporting_pool,
    ):
        log = PostgresLog(log_pool)
        async with working(Relay(log_pool, log, AioKafka(bootstrap), LIVE_TOPIC)):
            yield Live(log, log_pool, reporting_pool)
