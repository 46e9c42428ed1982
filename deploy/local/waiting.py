"""Waiting: until a freshly started process serves."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from deploy.local.errors import ChildFailed
from deploy.local.process import Process

_LOOK = 0.05


async def until_ready(process: Process, serves: Callable[[], Awaitable[bool]], patience: float, log: str) -> None:
    """Ask ``serves`` until it says yes. Raises ChildFailed when the process ended or ``patience`` seconds passed."""
    until = time.monotonic() + patience
    remedy = f"The whole story is in {log}."
    while not await serves():
        if not process.alive():
            raise ChildFailed(f"{process.why()}.", remedy)
        if time.monotonic() >= until:
            raise ChildFailed(f"{process.name} was not ready after {patience:.0f} seconds.", remedy)
        await asyncio.sleep(_LOOK)
