"""Year: many stories lived side by side, each on its own days, on one clock that moves for all of them.

A story is a coroutine that waits for its days. The clock stands still while anybody acts. Once every story waits, what
follows from their doings is done first, then the clock moves to the next day that somebody waits for; what falls due
between two such days happens on its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from deploy.local.clock import move
from deploy.local.rest import at_rest
from vocabulary.calendar import SHANGHAI

OPENING = time(9)
"""When a day's work begins, in Shanghai."""


class Clock(Protocol):
    """All clocks of a platform."""

    async def move(self, to: datetime) -> None:
        """Bring them to an instant; everything that falls due on the way has been done then."""

    async def rest(self) -> None:
        """Return once everything that follows from what was done has been done."""


class PlatformClock:
    """The clocks of running services, in development."""

    def __init__(self, services: Mapping[str, str]) -> None:
        self._services = services

    async def move(self, to: datetime) -> None:
        await move(self._services, to)

    async def rest(self) -> None:
        await at_rest(self._services)


class Year:
    """A Pace. ``told`` hears of every day that comes."""

    def __init__(self, clock: Clock, told: Callable[[date], None] = lambda _: None) -> None:
        self._clock = clock
        self._told = told
        self._ahead = timedelta()
        self._acting = 0
        self._all_wait = asyncio.Event()
        self._resting: list[asyncio.Future[None]] = []
        self._days: dict[date, list[asyncio.Future[None]]] = {}

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    @property
    def today(self) -> date:
        return self.now().astimezone(SHANGHAI).date()

    async def on(self, day: date) -> None:
        """Wait for a day; one that has come does not wait."""
        if day > self.today:
            await self._wait(self._days.setdefault(day, []))

    async def rest(self) -> None:
        """Wait until everything that follows from what was done so far, by all stories, has been done."""
        await self._wait(self._resting)

    async def live(self, stories: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Live all stories to their ends. The first that fails ends the others; raises what it raised."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._lived(story)) for story in stories]
                self._acting = len(tasks)
                while not all(task.done() for task in tasks):
                    await self._all_wait.wait()
                    self._all_wait.clear()
                    await self._turn()
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _lived(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await story
        finally:
            self._leave()

    async def _wait(self, queue: list[asyncio.Future[None]]) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        self._leave()
        await turn

    def _leave(self) -> None:
        self._acting -= 1
        if self._acting == 0:
            self._all_wait.set()

    async def _turn(self) -> None:
        if self._resting:
            await self._clock.rest()
            resting, self._resting = self._resting, []
            self._go_on(resting)
        elif self._days:
            day = min(self._days)
            opening = datetime.combine(day, OPENING, SHANGHAI)
            await self._clock.move(opening)
            self._ahead = opening - datetime.now(UTC)
            self._told(day)
            self._go_on(self._days.pop(day))

    def _go_on(self, waiting: Iterable[asyncio.Future[None]]) -> None:
        for turn in waiting:
            self._acting += 1
            turn.set_result(None)
