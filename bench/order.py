"""Order: whether a reader that follows while others write is shown everything, and in the order it came about."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from bench.rival import Rival

PAUSE = 0.005  # seconds before a reader that was shown nothing asks again


@dataclass(frozen=True)
class Order:
    """``lost``: acknowledged, but never shown. ``inverted``: shown behind what came later, or once more."""

    lost: int
    inverted: int

    def __str__(self) -> str:
        return f"{self.lost:,}/{self.inverted:,}"


def order(acknowledged: Sequence[Sequence[UUID]], shown: Sequence[UUID]) -> Order:
    """Compare what each writer was told, in order, with what the reader was shown.

    A writer sends nothing before its last was acknowledged, so whoever shows two of its facts the other way round
    shows an order in which nothing happened.
    """
    places = {fact: (writer, n) for writer, facts in enumerate(acknowledged) for n, fact in enumerate(facts)}
    last = [-1] * len(acknowledged)
    inverted = 0
    for fact in shown:
        if fact in places:
            writer, n = places[fact]
            inverted += n <= last[writer]
            last[writer] = max(last[writer], n)
    return Order(len(places.keys() - set(shown)), inverted)


async def watched(rival: Rival, at_once: int, seconds: float) -> Order:
    """Follow a rival while ``at_once`` writers write for about ``seconds``, and then to its end."""
    shown: list[UUID] = []
    position = await rival.end()
    writing = asyncio.create_task(rival.write(at_once, seconds))
    try:
        while True:
            all_written = writing.done()  # asked first: what is shown next is then all there is
            facts, position = await rival.read(position)
            shown += facts
            if not facts:
                if all_written:
                    return order(writing.result(), shown)
                await asyncio.sleep(PAUSE)
    finally:
        writing.cancel()
