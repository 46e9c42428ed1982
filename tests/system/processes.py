"""The processes of a platform: found by their records, killed without a warning, waited for."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

from deploy.local.home import Home
from deploy.local.leftovers import Record
from deploy.local.platform import Platform
from deploy.local.supervisor import Condition

CHILDREN = ("postgres", "kafka", "intake", "deliberation", "mediation", "reporting")
LOOK = 0.02


def pid_of(home: Home, child: str) -> int | None:
    """Process id of a child, by the record that the platform keeps of it; None while it has none."""
    try:
        return Record.model_validate_json((home.run / f"{child}.child").read_bytes()).pid
    except FileNotFoundError:
        return None


def kill(home: Home, child: str) -> int:
    """End a child as the kernel does when memory runs out; return the process id it had."""
    pid = pid_of(home, child)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


async def until(holds: Callable[[], Awaitable[bool]], patience: float) -> None:
    """Return once a condition holds. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        while not await holds():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(LOOK)


async def all_ready(platform: Platform) -> None:
    """Return once every child serves. Raises TimeoutError."""

    async def ready() -> bool:
        return all(status.condition is Condition.READY for status in platform.supervisor.statuses())

    await until(ready, 60)


async def restarted(platform: Platform, child: str, killed: int) -> None:
    """Return once ``child`` serves in another process than the ``killed`` one. Raises TimeoutError."""

    async def again() -> bool:
        ready = {s.name for s in platform.supervisor.statuses() if s.condition is Condition.READY}
        return child in ready and pid_of(platform.home, child) not in {None, killed}

    await until(again, 60)
