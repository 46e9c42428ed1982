"""Background: the relay, consumers and timers of a service, run beside its API for as long as the app lives."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType

import structlog

Work = Callable[[], Awaitable[None]]
RETRY = 1.0


class Background:
    """Each work runs for ever; one that falls over is logged and begins anew, without disturbing the others."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = works
        self._tasks: list[asyncio.Task[None]] = []
        self._logger = structlog.get_logger("background")

    async def __aenter__(self) -> "Background":
        self._tasks = [asyncio.create_task(self._keep(work)) for work in self._works]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=5) if self._tasks else None

    async def _keep(self, work: Work) -> None:
        while True:
            try:
                await work()
            except Exception:  # the process's edge: nothing above could do better than to try again and say so
                self._logger.exception("background work fell over", work=getattr(work, "__qualname__", "?"))
            await asyncio.sleep(RETRY)
