"""Watch: since when something has stood still, as this process has seen it.

Real time, by the monotonic clock: neither a wall clock that is set nor the log's own, which development moves, can make
a standstill of nothing or hide one. What was never looked at was never seen to stand still, so look every few seconds.
"""

import time
from collections.abc import Callable, Hashable


class Watch:
    """Remembers where each thing was last seen."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[Hashable, float]] = {}

    def still(self, what: str, place: Hashable) -> float:
        """Seconds since ``what`` was first seen at ``place``, not having been seen elsewhere since."""
        now = self._clock()
        before = self._seen.get(what)
        if before is None or before[0] != place:
            self._seen[what] = (place, now)
            return 0.0
        return now - before[1]

    def stuck(self, what: str, place: Hashable, *, waits: bool = True) -> float:
        """As ``still``, but only while something waits: 0 when nothing does, counted anew from when something did."""
        still = self.still(what, (place,) if waits else ())
        return still if waits else 0.0
