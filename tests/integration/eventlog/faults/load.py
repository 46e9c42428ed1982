"""Load: commands that keep coming, each of which must be answered, whatever else falls."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from eventlog.log import Appended, EventLog
from tests.fakes.counting import an_append

BOUND = 20.0  # seconds that no answer may take, not even on a machine that is busy with other things


@dataclass
class Load:
    """What came of them; ``seconds`` is how long each answer took, in order."""

    seconds: list[float] = field(default_factory=list[float])


@asynccontextmanager
async def under_load(log: EventLog, pause: float = 0.01) -> AsyncGenerator[Load]:
    """Append one after the other while the block runs. Fails where one is not answered as it should be."""
    load, done = Load(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def append_on() -> None:
        n = 0
        while not done.is_set():
            began = loop.time()
            async with asyncio.timeout(BOUND):
                outcome = await log.append(an_append(str(n % 7), published=n % 5 != 0))
            assert isinstance(outcome, Appended)
            load.seconds.append(loop.time() - began)
            n += 1
            await asyncio.sleep(pause)

    appending = asyncio.create_task(append_on())
    try:
        yield load
    finally:
        done.set()
        await appending
