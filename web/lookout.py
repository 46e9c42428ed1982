"""Lookout: whether the work behind the API goes on, told from the work itself and not from tasks being alive.

Three questions are kept apart, because different people act on them:

- *live*: does the process answer at all? If not, restart it.
- *ready*: can it answer commands and queries? That takes the database and nothing else: with Kafka away, or the relay
  at a standstill, commands are kept as before, and taking the API out of service would only add to the harm.
- *working*: does what follows from commands happen? A relay, a consumer or a timer with something waiting that stays
  where it is longer than STUCK_AFTER, work that nobody leads, a worker that halted, a Kafka that does not answer: each
  is for a person to look into. Work that waits for nothing and is led is idle, not dead.

What waits is measured against the log's own sequence and the broker's own end of a topic, never against what the worker
last saw of them: a dead worker's mark stands still, and would look even.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import asyncpg
import structlog
from pydantic import BaseModel

from eventlog.connections import LOST, Pool
from eventlog.errors import Unavailable
from eventlog.kafka import Topics
from eventlog.key_relay import Sharing
from eventlog.vitals import OWN, PATIENCE, Behind, Duty, Vitals, vitals
from eventlog.watch import Watch

T = TypeVar("T")

STUCK_AFTER = 30.0  # seconds; a broker's restart and an election take less
BEAT = 10.0  # seconds between two looks of our own, so that a standstill is seen when nobody asks


class PoolUse(BaseModel):
    """Connections to the database that this process may have, has, and does not use."""

    limit: int
    open: int
    idle: int


class Working(BaseModel):
    """What one look saw. ``vitals`` None: the database does not answer. ``keys_waiting`` None: nor do the keys.

    ``stuck``: sentences, each something for a person to look into; none when all goes on. ``halted``: why, by work, of
    what this process does.
    """

    working: bool
    stuck: tuple[str, ...]
    halted: Mapping[str, str]
    kafka: bool
    keys_waiting: int | None
    pool: PoolUse
    vitals: Vitals | None


class Halting(Protocol):
    """Work that says why it does not go on."""

    @property
    def work(self) -> str: ...

    @property
    def halted(self) -> str | None: ...


class Lookout:
    """Looks when asked, and every BEAT while it runs; remembers since when things stand still."""

    def __init__(
        self,
        pool: Pool,
        kafka: Topics,
        *,
        duties: Sequence[Duty],
        workers: Sequence[Halting],
        keys: Callable[[], Coroutine[Any, Any, Sharing]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``duties`` are the service's, whoever does them; ``workers`` are those of this process.

        ``keys`` tells how far the service's shared keys have come, where it shares any.
        """
        self._pool = pool
        self._kafka = kafka
        self._duties = duties
        self._workers = workers
        self._keys = keys
        self._watch = Watch(clock)
        self._stuck: Mapping[str, str] = {}
        self._logger = structlog.get_logger("lookout")

    async def run(self) -> None:
        """Look, for ever, so that whoever has nothing but the log's lines hears of it, too."""
        told: Mapping[str, str] = {}
        while True:
            await self.look()
            for what in sorted(self._stuck.keys() - told.keys()):
                self._logger.error("stuck", reason=self._stuck[what])
            for what in sorted(told.keys() - self._stuck.keys()):
                self._logger.info("goes on", work=what)
            told = self._stuck
            await asyncio.sleep(BEAT)

    async def ready(self) -> Sequence[str]:
        """Why requests could not be answered now; a pool that has no connection to give in time counts."""
        try:
            await _within(PATIENCE, self._pool.fetchval("select 1"))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return ["the database does not answer"]
        return []

    def degraded(self) -> Sequence[str]:
        """What was stuck when somebody last looked, and what halted since; asks nobody."""
        halted = {f"{name} is halted: {why}" for name, why in self._halted().items()}
        return sorted({*self._stuck.values(), *halted})

    async def look(self) -> Working:
        """Look now; takes a few seconds at most."""
        seen, ends, keys = await asyncio.gather(self._vitals(), self._ends(), self._sharing())
        if seen is not None:
            seen = self._judged(seen, ends or {})
        self._stuck = dict(self._reasons(seen, ends, keys))
        return Working(
            working=not self._stuck,
            stuck=tuple(self._stuck.values()),
            halted=self._halted(),
            kafka=ends is not None,
            keys_waiting=None if keys is None else keys.waiting,
            pool=PoolUse(limit=self._pool.get_max_size(), open=self._pool.get_size(), idle=self._pool.get_idle_size()),
            vitals=seen,
        )

    def _halted(self) -> dict[str, str]:
        return {worker.work: worker.halted for worker in self._workers if worker.halted}

    async def _vitals(self) -> Vitals | None:
        try:
            return await _within(PATIENCE, vitals(self._pool, self._duties))
        except (Unavailable, TimeoutError):
            return None

    async def _ends(self) -> Mapping[str, int] | None:
        topics = sorted({duty.source for duty in self._duties if duty.source != OWN})
        try:
            return await _within(PATIENCE, self._kafka.ends(topics))
        except (Unavailable, TimeoutError):
            return None

    async def _sharing(self) -> Sharing | None:
        if self._keys is None:
            return Sharing(0, 0)
        try:
            return await _within(PATIENCE, self._keys())
        except LOST:
            return None

    def _judged(self, seen: Vitals, ends: Mapping[str, int]) -> Vitals:
        """Add what one question to one database cannot know: ends of topics, and since when things stand still."""
        works = tuple(self._timed(_measured(work, ends)) for work in seen.works)
        late = seen.timers_late
        if seen.ahead:  # the clock was moved: what fell due by that is late since then
            late = min(late, self._watch.still("clock", seen.ahead))
        return seen.model_copy(update={"works": works, "timers_late": late})

    def _timed(self, work: Behind) -> Behind:
        stalled = self._watch.stuck(work.name, (work.position, work.token), waits=bool(work.facts))
        return work.model_copy(update={"stalled": stalled})

    def _reasons(
        self, seen: Vitals | None, ends: Mapping[str, int] | None, keys: Sharing | None
    ) -> Iterator[tuple[str, str]]:
        kafka = ends is not None
        for name, why in self._halted().items():
            yield name, f"{name} is halted: {why}"
        if seen is None:
            yield "database", "the database does not answer"
        else:
            yield from self._standing_still(seen)
            yield from self._cut_short(seen, ends or {})
            yield from self._not_led(seen, kafka)
        if keys is None:
            yield "keys", "the keys' database does not answer"
        elif (for_ := self._watch.stuck("keys", keys, waits=keys.waiting > 0)) > STUCK_AFTER:
            yield "keys", f"no key was shared for {for_:.0f} s, keys waiting: {keys.waiting}"
        if (for_ := self._watch.stuck("kafka", "away", waits=not kafka)) > STUCK_AFTER:
            yield "kafka", f"Kafka has not answered for {for_:.0f} s"

    def _standing_still(self, seen: Vitals) -> Iterator[tuple[str, str]]:
        for work in seen.works:
            if work.stalled > STUCK_AFTER:
                yield work.name, f"{work.name} has stood still for {work.stalled:.0f} s, facts waiting: {work.facts}"
        if (
            for_ := self._watch.stuck("timers", (seen.timers_due, seen.first_due), waits=seen.timers_due > 0)
        ) > STUCK_AFTER:
            yield "timers", f"no timer has fired for {for_:.0f} s, timers due: {seen.timers_due}"
        if seen.fence is not None and seen.fence.seconds > STUCK_AFTER:
            pid, for_ = seen.fence.pid, seen.fence.seconds
            yield "fence", f"an append (server process {pid}) has been open for {for_:.0f} s, and holds up all readers"

    def _cut_short(self, seen: Vitals, ends: Mapping[str, int]) -> Iterator[tuple[str, str]]:
        """A topic that ends before the place where somebody goes on has lost records."""
        for work in seen.works:
            end = ends.get(work.source, work.token)
            what = f"topic of {work.name}"
            if (for_ := self._watch.stuck(what, "short", waits=end < work.token)) > STUCK_AFTER:
                yield (
                    what,
                    f"{work.source} has ended at offset {end} for {for_:.0f} s, before {work.token}, where {work.name} "
                    "goes on: it lost records",
                )

    def _not_led(self, seen: Vitals, kafka: bool) -> Iterator[tuple[str, str]]:
        """Without Kafka nobody can keep the lead in what needs it, and that is not what is wrong."""
        for work in seen.works:
            free = not work.led and (kafka or work.source == OWN)
            if (for_ := self._watch.stuck(f"lead of {work.name}", "free", waits=free)) > STUCK_AFTER:
                yield f"lead of {work.name}", f"nobody has done {work.name} for {for_:.0f} s"


async def _within(seconds: float, asking: Coroutine[Any, Any, T]) -> T:
    """Return what comes of asking. Raises TimeoutError, and then waits for nothing any more.

    A plain timeout would: a pool takes a connection back only once its server has heard that nobody waits.
    """
    task = asyncio.create_task(asking)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(lambda late: late.cancelled() or late.exception())
    if not done:
        raise TimeoutError
    return task.result()


def _measured(work: Behind, ends: Mapping[str, int]) -> Behind:
    """A consumer of a topic is as far behind as the broker's end says: records, of which a few may be repetitions."""
    if work.consumer is None or work.source not in ends:
        return work
    return work.model_copy(update={"facts": max(0, ends[work.source] - work.token)})
