"""Term: one leader's time at one source: where it stands, what is parked, and the proof that it still leads."""

from dataclasses import dataclass

import asyncpg

from eventlog import parked
from eventlog.connections import Connection
from eventlog.errors import Fenced, Unavailable
from eventlog.parked import StreamKey


@dataclass(frozen=True)
class Cursor:
    """How far a source has been taken in: log position, dense number, and the offset to go on from (topics only)."""

    epoch: int
    position: int
    pseq: int
    token: int


@dataclass
class Term:
    """``cursor`` is where the last committed batch ended; ``parked`` where each stream's parked facts begin, by effect.

    Both are this term's memory of rows that nobody else changes without beginning a term of their own.
    """

    consumer: str
    source: str
    connection: "Connection[asyncpg.Record]"
    cursor: Cursor
    parked: dict[str, dict[StreamKey, int]]

    @classmethod
    async def begin(cls, connection: "Connection[asyncpg.Record]", consumer: str, source: str) -> "Term":
        """Draw an epoch: whoever led before can no longer move the position."""
        row = await connection.fetchrow(
            """insert into eventlog.cursors (consumer, source, epoch) values ($1, $2, 1)
               on conflict (consumer, source) do update set epoch = cursors.epoch + 1
               returning epoch, position, pseq, token""",
            consumer,
            source,
        )
        if row is None:
            raise Unavailable("no position row")
        waiting = await parked.first_of_each(connection, consumer, source)  # after the epoch: now nobody adds to it
        return cls(consumer, source, connection, Cursor(**dict(row)), waiting)

    def parked_for(self, effect: str) -> dict[StreamKey, int]:
        """The streams parked for an effect, each with the position of its first parked fact."""
        return self.parked.setdefault(effect, {})

    async def move(self, to: Cursor) -> None:
        """Move the position, first thing in the transaction that writes what it stands for.

        Holds whoever would begin another term until that transaction ends. Raises Fenced: one has begun.
        """
        moved = await self.connection.fetchval(
            """update eventlog.cursors set position = $5, pseq = $6, token = $7
               where consumer = $1 and source = $2 and epoch = $3 and position = $4 returning 1""",
            self.consumer,
            self.source,
            self.cursor.epoch,
            self.cursor.position,
            to.position,
            to.pseq,
            to.token,
        )
        if moved is None:
            raise Fenced(f"another {self.consumer} reads {self.source}")
