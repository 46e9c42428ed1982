"""PlannedLog: a log in memory whose clock stands where the plan says, and which finds a stream and a timer at once."""

import heapq
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count, islice

from eventlog.facts import Stored, StreamId
from eventlog.log import Append, Outcome, Timer
from eventlog.memory_log import MemoryLog


class Clock:
    """What time it is for everybody in a year: it goes forward only."""

    def __init__(self) -> None:
        self.now = datetime.min.replace(tzinfo=UTC)

    def go_to(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


class PlannedLog(MemoryLog):
    """The fake that keeps the log's contract, made for ten thousands of facts."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._by_stream: dict[tuple[str, StreamId], list[Stored]] = {}
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._tie = count()

    async def append(self, item: Append) -> Outcome:
        before = len(self._facts)
        outcome = await super().append(item)
        if len(self._facts) > before:
            key = item.tenant, item.stream
            self._by_stream.setdefault(key, []).extend(self._facts[before:])
            for timer in self._timers[key]:
                heapq.heappush(self._heap, (timer.due_at, next(self._tie), timer))
        return outcome

    async def stream(
        self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Stored]:
        return list(islice(self._by_stream.get((tenant, stream), ()), after_version, None))[:limit]

    async def now(self) -> datetime:
        return self._clock.now

    def falls_due(self, by: datetime) -> datetime | None:
        """When the next timer that stands falls due, if it does by then."""
        while self._heap and self._heap[0][0] <= by:
            due_at, _, timer = self._heap[0]
            if timer in self._timers[timer.tenant, timer.stream]:
                return due_at
            heapq.heappop(self._heap)
        return None

    async def due(self, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        """The earliest alone: whoever lives a year fires one after the other."""
        del limit, latest
        return [] if self.falls_due(self._clock.now) is None else [self._heap[0][2]]

    def facts(self) -> Sequence[Stored]:
        return self._facts
