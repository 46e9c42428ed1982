"""Seen: how long it takes from a command to its row in a read model, at a steady rate, without HTTP in between.

Commands and their relay share one process, as in a service; reporting is a process of its own, the real one, whole.
"""

import asyncio
import time
from collections.abc import Sequence

from uuid_utils.compat import uuid7

from bench.effort import Effort
from bench.figures import Figure, percentile
from bench.our_log import CONNECTIONS, keep
from bench.servers import database_servers
from bench.submissions import opening
from bench.working import until, working
from deploy.local.platform import Say
from deploy.local.settings import Settings
from eventlog.connections import Pool, pool_of
from eventlog.kafka import AioKafka
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from services.reporting import admin

LOG, REPORTING = "bench_seen_log", "bench_seen"
PREFIX = "bench-seen"
TOPIC = f"{PREFIX}.intake"
RATES = (500, 1_000)  # facts a second
WARMING = 100  # facts a second, for a moment
GOAL = 250.0  # ms, p99


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Counting from when a command was due, so that a stall is seen in every command that had to wait for it."""
    seconds = effort.choose(10.0, 3.0)
    figures: list[Figure] = []
    async with database_servers(settings, say) as servers, servers.kafka() as bootstrap:
        await servers.make_log(LOG)
        await servers.make_service(REPORTING, admin.migrate)
        environment = servers.environment(REPORTING, bootstrap) | {"SHANGYI_TOPIC_PREFIX": PREFIX}
        async with (
            servers.serving("bench-1", "services.reporting.app:create", environment),
            pool_of(servers.dsn(LOG), CONNECTIONS) as log_pool,
            pool_of(servers.dsn(REPORTING), 1) as reporting_pool,
        ):
            log = PostgresLog(log_pool)
            async with working(Relay(log_pool, log, AioKafka(bootstrap), TOPIC)):
                watch = Watch(reporting_pool)
                await _steadily(log, watch, WARMING, 1.0)
                for a_second in RATES:
                    took = await _steadily(log, watch, a_second, seconds)
                    name = f"command seen in a read model at {a_second:,} facts a second"
                    figures.append(Figure(f"{name}, p50", percentile(took, 0.5), "ms"))
                    figures.append(Figure(f"{name}, p99", percentile(took, 0.99), "ms", goal=GOAL))
    return figures


class Watch:
    """Sees rows appear: they and reporting's position, which is all it looks at, come in one transaction."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._due: dict[int, float] = {}
        self.took: list[float] = []

    def expect(self, position: int, due: float) -> None:
        self._due[position] = due

    async def all_seen(self) -> bool:
        """Look once. ``took`` gains the milliseconds of each that is seen now."""
        reached: int | None = await self._pool.fetchval(
            "select min(position) from eventlog.cursors where source = $1", TOPIC
        )
        now = time.perf_counter()
        for position in [each for each in self._due if each <= (reached or 0)]:
            self.took.append((now - self._due.pop(position)) * 1_000)
        return not self._due


async def _steadily(log: PostgresLog, watch: Watch, a_second: int, seconds: float) -> Sequence[float]:
    """Milliseconds of each command; none waits for another's turn to be sent."""
    watch.took = []
    began = time.perf_counter() + 0.05

    async def once(due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        position = await keep(log, opening(uuid7()))
        if position is None:
            raise TypeError("a published fact has a position")
        watch.expect(position, due)

    sent = asyncio.gather(*(once(began + n / a_second) for n in range(int(a_second * seconds))))

    async def done() -> bool:
        all_sent = sent.done()
        return await watch.all_seen() and all_sent

    await until(done)
    await sent
    return watch.took
