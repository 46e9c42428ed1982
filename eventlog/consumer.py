"""Consumer: a topic, or one's own log, taken in once.

Rows and position go into one transaction, so what a batch writes and how far it got are both there or both not. What a
batch sends (commands) goes before it under ids made from the facts, so that sending again after a crash changes
nothing. The position row carries the epoch of this consumer's term: a straggler's transaction finds it changed and
rolls back. A topic is followed by its dense numbers: ``last + 1`` is applied, what is had is dropped, and a hole halts:
a fact that was skipped in silence would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import asyncpg

from eventlog.election import Connection, Worker
from eventlog.errors import CorruptHistory, Fenced, Unavailable
from eventlog.facts import Stored
from eventlog.kafka import FACTS_TOPIC, Kafka, Reader
from eventlog.log import EventLog
from eventlog.postgres_log import Pool, read_after
from eventlog.records import from_record

BATCH = 500
POLL = 0.1


@dataclass(frozen=True)
class Cursor:
    """How far a source has been taken in: log position, dense number, and the offset to go on from (topics only)."""

    epoch: int
    position: int
    pseq: int
    token: int


@dataclass(frozen=True)
class Batch:
    """Facts in order, and where the cursor stands once they are taken in. May be empty and still move the cursor."""

    facts: Sequence[Stored]
    cursor: Cursor


class Source(Protocol):
    """Where facts come from, in order."""

    @property
    def name(self) -> str: ...

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        """Return what follows ``cursor``; the same cursor when nothing does, after a short wait."""
        ...

    async def close(self) -> None: ...


class Effect(Protocol):
    """What comes of facts."""

    async def act(self, facts: Sequence[Stored]) -> None:
        """Send what follows from the facts; must be harmless when done again."""
        ...

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        """Write rows, in the transaction that moves the position."""
        ...


class OwnLog:
    """The service's own log, private facts included."""

    name = "log"

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        facts, reached = await read_after(connection, cursor.position, BATCH)
        if reached == cursor.position:
            await self._log.appended(POLL)
        return Batch(facts, replace(cursor, position=reached))

    async def close(self) -> None:
        return


class Topic:
    """Another service's published facts."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self.name = topic
        self._kafka = kafka
        self._reader: Reader | None = None

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        del connection  # a topic needs the broker only
        if self._reader is None:
            await self._kafka.ensure_topic(self.name, FACTS_TOPIC)  # whoever comes first makes it
            self._reader = await self._kafka.reader(self.name, cursor.token)
        facts: list[Stored] = []
        for record in await self._reader.read(BATCH, POLL):
            fact, pseq = from_record(record)
            if pseq > cursor.pseq + 1:
                if facts:  # what lies before the hole is taken in; read again from here, the hole comes first
                    await self.close()
                    break
                raise CorruptHistory(f"{self.name} jumps from {cursor.pseq} to {pseq} at offset {record.offset}")
            if pseq == cursor.pseq + 1:
                facts.append(fact)
                cursor = replace(cursor, pseq=pseq, position=fact.position)
            cursor = replace(cursor, token=record.offset + 1)
        return Batch(facts, cursor)

    async def close(self) -> None:
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await reader.close()


class Consumer(Worker):
    """Takes one source in, under ``name``, for as long as it leads."""

    def __init__(self, name: str, source: Source, pool: Pool, effects: Sequence[Effect]) -> None:
        self.name = name
        self.source = source
        self._effects = effects
        super().__init__(pool, f"consumer/{name}/{source.name}")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        try:
            cursor = await self._begin_term(connection)
            while True:
                batch = await self.source.read(connection, cursor)
                if batch.cursor != cursor:
                    await self._take_in(connection, cursor, batch)
                    cursor = batch.cursor
                self.halted = None
        finally:
            await self.source.close()

    async def _begin_term(self, connection: "Connection[asyncpg.Record]") -> Cursor:
        row = await connection.fetchrow(
            """insert into eventlog.cursors (consumer, source, epoch) values ($1, $2, 1)
               on conflict (consumer, source) do update set epoch = cursors.epoch + 1
               returning epoch, position, pseq, token""",
            self.name,
            self.source.name,
        )
        if row is None:
            raise Unavailable("no position row")
        return Cursor(row["epoch"], row["position"], row["pseq"], row["token"])

    async def _take_in(self, connection: "Connection[asyncpg.Record]", before: Cursor, batch: Batch) -> None:
        for effect in self._effects:
            await effect.act(batch.facts)
        async with connection.transaction():
            moved = await connection.fetchval(
                """update eventlog.cursors set position = $5, pseq = $6, token = $7
                   where consumer = $1 and source = $2 and epoch = $3 and position = $4 returning 1""",
                self.name,
                self.source.name,
                before.epoch,
                before.position,
                batch.cursor.position,
                batch.cursor.pseq,
                batch.cursor.token,
            )
            if moved is None:
                raise Fenced(f"another {self.name} reads {self.source.name}")
            for effect in self._effects:
                await effect.write(batch.facts, connection)
