"""ClockWatch: whether the database's clock goes on as time does, or leapt.

Timers fall due by the database's clock, which a person or a time server can set. When it steps forward by an hour, what
is due in half an hour looks due now, and what a timer does cannot be taken back. So before anything is fired, the way
that clock went since the last look is compared with our own clock, which nobody sets. They may differ by LEAP: a slow
answer, a standby that took over. By more, the clock has leapt, forward or back, and which of the two times is right
nobody here can know. It stays so until the clock is back where it should be, or until this process is started anew:
whoever starts it says that the clock is right now. How far the log's clock was moved in development plays no part.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

LEAP = 30.0  # seconds


def own_clock() -> float:
    """Seconds that nobody sets, and that go on while the machine sleeps, where it can tell them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class ClockWatch:
    """Remembers the last moment at which both clocks agreed."""

    def __init__(self, database_clock: Callable[[], Awaitable[datetime]], own: Callable[[], float] = own_clock) -> None:
        self._database_clock = database_clock
        self._own = own
        self._agreed: tuple[datetime, float] | None = None

    async def leapt(self) -> float:
        """Seconds by which the database's clock is off; 0 while it goes on as ours does. Raises Unavailable."""
        told = await self._database_clock()
        now = self._own()
        if self._agreed is not None:
            then, at = self._agreed
            off = (told - then).total_seconds() - (now - at)
            if abs(off) > LEAP:
                return off
        self._agreed = (told, now)
        return 0.0
