"""Sources: where a consumer's facts come from, in order: its service's own log, or another service's topic.

A topic is followed by its dense numbers: ``last + 1`` is applied, what is had is dropped, and a hole halts: a fact that
was skipped in silence would be lost.

An offset means something only in the topic it was taken from, and a broker may lose a topic, or its end, and have it
written again. So reading begins one record before the place to go on from: in the same topic that is one we have, which
is dropped. Where it is not there, or does not fit, the topic is read from its beginning.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import asyncpg

from eventlog.connections import Connection
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
LOOK = 30.0  # seconds of silence after which the place is looked at again
IN_TURN = 10.0  # seconds in which what is missing has to come, while others come
SEARCH = 300.0  # seconds until the whole topic is searched once more for the same fact


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

    A number that comes early is let pass: a relay that was set back writes it again in its turn, after those that are
    missing. Until these come nothing is taken in, and the place to go on from stays before the hole. If they do not
    come, they may lie before that place, and the whole topic is searched for them, once.
    """

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self.name = topic
        self.history: History = TopicHistory(kafka, topic)
        self._kafka = kafka
        self._reader: Reader | None = None
        self._reaches = False  # that the topic is as long as we have read
        self._heard = 0.0
        self._missing: str | None = None
        self._missing_since = 0.0
        self._searched = (0, -SEARCH)  # behind which number, and when
        self._lost: str | None = None  # why we search, until the last fact we have is found

    async def read(self, connection: "Connection[asyncpg.Record]", cursor: Cursor) -> Batch:
        del connection  # a topic needs the broker only
        reader = self._reader
        if reader is None:
            await self._kafka.ensure_topic(self.name, FACTS_TOPIC)  # whoever comes first makes it
        elif time.monotonic() - self._heard > LOOK:
            reader = None
        try:
            records = await (self._go_on(cursor) if reader is None else reader.read(BATCH, POLL))
            why = await self._astray(cursor, records)
        except CorruptHistory as error:
            records, why = (), str(error)
        if why is not None:
            records = await self._search(cursor, why)
            cursor = replace(cursor, token=0)
        if records:
            self._heard = time.monotonic()
        return await self._taken(cursor, records)

    async def _go_on(self, cursor: Cursor) -> Sequence[Received]:
        """Begin with the record before the place to go on from; where that one was deleted, at the place."""
        try:
            return await self._open(max(0, cursor.token - 1))
        except CorruptHistory:
            return await self._open(cursor.token)

    async def _open(self, offset: int) -> Sequence[Received]:
        await self.close()
        self._reader = await self._kafka.reader(self.name, offset)
        self._reaches, self._heard = False, time.monotonic()
        return await self._reader.read(BATCH, POLL)

    async def _astray(self, cursor: Cursor, records: Sequence[Received]) -> str | None:
        """Why what we wait for may lie before the place we read at."""
        if self._missing and (not records or time.monotonic() - self._missing_since > IN_TURN):
            return self._missing
        if not records and not self._reaches:
            end = (await self._kafka.ends([self.name]))[self.name]
            if end < cursor.token:
                return f"{self.name} ends at offset {end}, and was read up to {cursor.token}"
        self._reaches = True
        return None

    async def _search(self, cursor: Cursor, why: str) -> Sequence[Received]:
        """Read from the beginning. Raises CorruptHistory: there is none, or we did so for the same fact lately."""
        number, at = self._searched
        if number == cursor.pseq and time.monotonic() - at < SEARCH:
            raise CorruptHistory(why)
        records = await self._open(0)
        self._searched, self._lost = (cursor.pseq, time.monotonic()), why
        return records

    async def _taken(self, cursor: Cursor, records: Sequence[Received]) -> Batch:
        facts: list[Stored] = []
        for record in records:
            read = _read(record)
            if read is None:
                if facts:  # what lies before it is taken in; read again from here, it comes first
                    await self.close()
                    break
                raise CorruptHistory(f"{self.name} has no fact at offset {record.offset}")
            fact, pseq = read
            if pseq in {cursor.pseq, cursor.pseq + 1}:
                self._lost = None
            if pseq == cursor.pseq + 1:
                facts.append(fact)
                cursor = replace(cursor, pseq=pseq, position=fact.position, token=record.offset + 1)
                self._missing = None
            elif pseq > cursor.pseq:
                if self._missing is None:
                    self._missing = f"{self.name} jumps from {cursor.pseq} to {pseq} at offset {record.offset}"
                    self._missing_since = time.monotonic()
            elif self._missing is None:
                cursor = replace(cursor, token=record.offset + 1)
        missing = self._missing or self._lost
        if cursor.token < cursor.pseq:  # the n-th fact is never before offset n - 1
            missing = missing or f"{self.name} is read again from its beginning"
        return Batch(facts, cursor, missing)

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
