"""Running what runs for ever, until something is so."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def running(*forever: Coroutine[object, object, None]) -> AsyncGenerator[None]:
    """Run while the block runs; whatever ends by itself fails the test."""
    tasks = [asyncio.create_task(each) for each in forever]
    try:
        yield
        for task in tasks:
            assert not task.done(), task
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(so: Callable[[], Awaitable[object] | object], patience: float = 30) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(patience):
        while True:
            found = so()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.01)
