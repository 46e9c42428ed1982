"""Rival: whatever keeps facts, one a transaction, so that all can be asked for the same in turn."""

import time
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class Rival(Protocol):
    """Keeps facts, each the only one of its transaction and of its stream, as durably as the server does.

    A reader follows them by position, as the users of this rival would.
    """

    def called(self, at_once: int) -> str:
        """What it is, and with what it is used when ``at_once`` commands come at once."""
        ...

    async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
        """Keep fact after fact, ``at_once`` of them under way at any time, for about ``seconds``.

        Return, writer by writer, what was acknowledged, in order: each was before the writer's next one was sent.
        """
        ...

    async def end(self) -> int:
        """The position from which on a reader sees nothing of what is there now."""
        ...

    async def read(self, after: int) -> tuple[Sequence[UUID], int]:
        """What a reader that has come to ``after`` is shown next, in its order, and how far that brings it."""
        ...


async def write_rate(rival: Rival, at_once: int, seconds: float) -> float:
    """Facts acknowledged a second."""
    began = time.perf_counter()
    written = await rival.write(at_once, seconds)
    return sum(map(len, written)) / (time.perf_counter() - began)
