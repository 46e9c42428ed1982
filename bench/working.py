"""Working: a worker of the platform at work while something is measured."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from eventlog.election import Worker

LOOK = 0.005  # seconds between two looks
PATIENCE = 120.0  # seconds, far more than any measurement takes


class NotDone(Exception):
    """A worker halted, or takes for ever: then nothing measured counts."""


@asynccontextmanager
async def working(worker: Worker) -> AsyncGenerator[None]:
    """Let it run while the block does."""
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def until(done: Callable[[], Awaitable[bool]], *workers: Worker) -> None:
    """Return as soon as it is done. Raises NotDone."""
    latest = time.perf_counter() + PATIENCE
    while not await done():
        for worker in workers:
            if worker.halted:
                raise NotDone(f"{worker.work} is halted: {worker.halted}")
        if time.perf_counter() > latest:
            raise NotDone(f"it was not done in {PATIENCE:.0f} seconds")
        await asyncio.sleep(LOOK)
