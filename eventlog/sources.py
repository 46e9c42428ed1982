"""Sources: where a consumer's facts come from, in order: its service's own log, or another service's topic.

A topic is followed by its dense numbers: ``last + 1`` is applied, what is had is dropped, and a hole halts: a fact that
was skipped in silence would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import asyncpg

from eventlog.election import Connection
from eventlog.errors import CorruptHistory
from eventlog.facts import Stored
from eventlog.history import History, LogHistory, TopicHistory
from eventlog.kafka import FACTS_TOPIC, Kafka, Reader, Received
from eventlog.log import EventLog
from eventlog.postgres_log import read_after
from eventlog.records import from_record
from eventlog.term import Cursor

BATCH = 500
POLL = 0.1


@dataclass(frozen=True)
class Batch:
    """Facts in order, and where the cursor stands once they are taken in. May be empty and still move the cursor.

    ``missing`` says what has to come before anything else can be taken in.
    """

    facts: Sequence[Stored]
    cursor: Cursor
    missing: str | None = None

    def pseq(self, n: int) -> int:
        """The dense number of the ``n``-th fact; 0 where the source numbers none."""
        return self.cursor.pseq and self.cursor.pseq - len(self.facts) + 1 + n

    def halves(self, before: Cursor) -> "tuple[Batch, Batch]":
        """Cut a batch of two facts or more. ``before``: where the cursor stands now; the source goes on from there."""
        middle = len(self.facts) // 2
        reached = replace(before, position=self.facts[middle - 1].position, pseq=self.pseq(middle - 1))
        return Batch(self.facts[:middle], reached), Batch(self.facts[middle:], self.cursor)


class Source(Protocol):
    """Where facts come from, in order."""

    @property
    def name(self) -> str: ...

    @property
    def history(self) -> History:
        """Where they can be read again."""
        ...

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        """Return what follows ``cursor``; the same cursor when nothing does, after a short wait.

        Raises CorruptHistory where there will be no going on without an operator.
        """
        ...

    async def close(self) -> None: ...


class OwnLog:
    """The service's own log, private facts included."""

    name = "log"
    history: History = LogHistory()

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
    """Another service's published facts.

    A number that comes early is let pass: a relay that was set back to the beginning writes it again in its turn, after
    those that are missing. Until these come nothing is taken in, and the place to go on from stays before the hole.
    """

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self.name = topic
        self.history: History = TopicHistory(kafka, topic)
        self._kafka = kafka
        self._reader: Reader | None = None
        self._missing: str | None = None

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        del connection  # a topic needs the broker only
        if self._reader is None:
            await self._kafka.ensure_topic(self.name, FACTS_TOPIC)  # whoever comes first makes it
            self._reader = await self._kafka.reader(self.name, cursor.token)
        facts: list[Stored] = []
        records = await self._reader.read(BATCH, POLL)
        if self._missing and not records:
            raise CorruptHistory(self._missing)
        for record in records:
            read = _read(record)
            if read is None:
                if facts:  # what lies before it is taken in; read again from here, it comes first
                    await self.close()
                    break
                raise CorruptHistory(f"{self.name} has no fact at offset {record.offset}")
            fact, pseq = read
            if pseq == cursor.pseq + 1:
                facts.append(fact)
                cursor = replace(cursor, pseq=pseq, position=fact.position, token=record.offset + 1)
                self._missing = None
            elif pseq > cursor.pseq:
                self._missing = (
                    self._missing or f"{self.name} jumps from {cursor.pseq} to {pseq} at offset {record.offset}"
                )
            elif self._missing is None:
                cursor = replace(cursor, token=record.offset + 1)
        return Batch(facts, cursor, self._missing)

    async def close(self) -> None:
        self._missing = None
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await reader.close()


def _read(record: Received) -> tuple[Stored, int] | None:
    """The fact and its number; None where the record is none of ours, and nothing can be known of what it was."""
    try:
        return from_record(record)
    except (LookupError, ValueError):
        return None
