"""PyEventsourcing: the library eventsourcing over PostgreSQL, in threads, as a synchronous application uses it."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from eventsourcing.persistence import ApplicationRecorder, InfrastructureFactory, StoredEvent, TrackingRecorder

from bench.servers import Servers
from bench.submissions import NAME, json_of
from deploy.local.platform import APPLICATION

DATABASE = "bench_eventsourcing"
CONNECTIONS = 16  # a few more than the 15 it has by default
PIECE = 1_000


class PyEventsourcing:
    """A Rival over its application recorder: one stored event a call, which is one transaction."""

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self._recorder = recorder
        self._version = version("eventsourcing")

    def called(self, at_once: int) -> str:
        return f"eventsourcing {self._version}, {at_once} thread{'s' if at_once > 1 else ''}"

    async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
        return await asyncio.to_thread(self._in_threads, at_once, time.perf_counter() + seconds)

    async def end(self) -> int:
        return await asyncio.to_thread(self._recorder.max_notification_id) or 0

    async def read(self, after: int) -> tuple[Sequence[UUID], int]:
        found = await asyncio.to_thread(self._recorder.select_notifications, after, PIECE, inclusive_of_start=False)
        return [UUID(str(each.originator_id)) for each in found], found[-1].id if found else after

    def _in_threads(self, at_once: int, until: float) -> Sequence[Sequence[UUID]]:
        with ThreadPoolExecutor(at_once) as threads:
            return list(threads.map(self._keep, [until] * at_once))

    def _keep(self, until: float) -> Sequence[UUID]:
        kept: list[UUID] = []
        while time.perf_counter() < until:
            aggregate = uuid4()
            self._recorder.insert_events([StoredEvent(aggregate, 0, NAME, json_of(aggregate).encode())])
            kept.append(aggregate)
        return kept


@asynccontextmanager
async def pyeventsourcing(servers: Servers) -> AsyncGenerator[PyEventsourcing]:
    """Let it make its table in a database of its own, and connect."""
    await servers.make(DATABASE, APPLICATION)
    dsn = urlsplit(servers.dsn(DATABASE))
    factory = InfrastructureFactory[TrackingRecorder].construct(
        {
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": DATABASE,
            "POSTGRES_HOST": dsn.hostname or "",
            "POSTGRES_PORT": str(dsn.port),
            "POSTGRES_USER": dsn.username or "",
            "POSTGRES_PASSWORD": dsn.password or "",
            "POSTGRES_POOL_SIZE": str(CONNECTIONS),
            "POSTGRES_MAX_OVERFLOW": "0",
        }
    )
    try:
        yield PyEventsourcing(await asyncio.to_thread(factory.application_recorder))
    finally:
        await asyncio.to_thread(factory.close)
