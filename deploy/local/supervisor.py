"""Supervisor: keeps children running until it is told to stop them."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

from deploy.local.child import Child
from deploy.local.logs import Logs, in_brief

_LOOK = 0.1
_TRIM = 5.0
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 15.0
_STABLE = 30.0  # a child that ran this long starts again without delay


class Condition(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass
class Status:
    """How a child is doing; ``restarts`` counts since the first start, ``says`` is why it was last restarted."""

    name: str
    condition: Condition = Condition.STARTING
    restarts: int = 0
    says: str = ""


def _silence(_: str) -> None: ...


class Supervisor:
    """Starts children, starts those again that die, and stops all in reverse order.

    What happens is told, in brief and one line at a time, to ``told``, and in full to ``logs/supervisor.log``. A child
    that lives but hangs is not noticed. As a context manager it stops everything on the way out.
    """

    def __init__(self, logs: Logs, told: Callable[[str], None] = _silence) -> None:
        self._logs = logs
        self._told = told
        self._stages: list[tuple[Child, ...]] = []
        self._statuses: dict[str, Status] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, *children: Child) -> None:
        """Start ``children`` at once, return when all are ready, keep them running from then on.

        Call it again for what needs these. Raises the first LocalError; what was started is stopped by `stop`.
        """
        if not self._stages:
            self._tasks.append(asyncio.create_task(self._trim()))
        self._stages.append(children)
        self._statuses |= {child.name: Status(child.name) for child in children}
        starts = [asyncio.create_task(self._first_start(child)) for child in children]
        try:
            await asyncio.gather(*starts)
        finally:
            await _cancel(starts)
        self._tasks += [asyncio.create_task(self._keep(child)) for child in children]

    async def stop(self) -> None:
        """Stop all children, the last started first; nothing of them is left running."""
        await _cancel(self._tasks)
        self._tasks.clear()
        for children in reversed(self._stages):
            await asyncio.gather(*(self._stop(child) for child in children))
        self._stages.clear()

    def statuses(self) -> tuple[Status, ...]:
        """In order of start."""
        return tuple(self._statuses.values())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _first_start(self, child: Child) -> None:
        began = time.monotonic()
        await child.start()
        await child.ready()
        self._statuses[child.name].condition = Condition.READY
        self._say(f"{child.name} is ready after {time.monotonic() - began:.1f} s")

    async def _keep(self, child: Child) -> None:
        delay = 0.0
        since = time.monotonic()
        while True:
            if child.alive():
                await asyncio.sleep(_LOOK)
                continue
            if time.monotonic() - since > _STABLE:
                delay = 0.0
            try:
                await self._restart(child, delay)
            except Exception as error:  # the edge: nothing but our own end ends the keeping of a child
                self._say(f"{child.name} is not started again yet: {error}")
            since = time.monotonic()
            delay = min(max(_FIRST_DELAY, 2 * delay), _LONGEST_DELAY)

    async def _restart(self, child: Child, delay: float) -> None:
        status = self._statuses[child.name]
        status.condition, status.says = Condition.RESTARTING, child.why()
        status.restarts += 1
        self._say(status.says)
        self._say(f"{child.name} is started again" + (f" in {delay:.1f} s" if delay else ""))
        await asyncio.sleep(delay)
        try:
            await child.stop()  # what its death left behind
            await child.start()
            await child.ready()
        except Exception as error:  # the edge: whatever a start runs into, the other children go on
            self._say(f"{child.name} did not start: {error}")
            await child.stop()
        else:
            status.condition = Condition.READY
            self._say(f"{child.name} is ready again")

    async def _stop(self, child: Child) -> None:
        await child.stop()
        self._statuses[child.name].condition = Condition.STOPPED

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(_TRIM)
            self._logs.trim()

    def _say(self, sentence: str) -> None:
        self._logs.note("supervisor", sentence)
        with suppress(OSError):  # whoever listened may be gone, or their disk be full
            self._told(in_brief(sentence))


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
