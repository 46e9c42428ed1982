"""History: the facts of a source, read once more: what was parked is never kept a second time, only where it lies."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Protocol

import asyncpg

from eventlog.connections import Connection
from eventlog.errors import CorruptHistory
from eventlog.facts import Stored
from eventlog.kafka import Kafka
from eventlog.parked import Reference
from eventlog.postgres_log import COLUMNS, stored
from eventlog.records import from_record
from eventlog.term import Cursor

PIECE = 1_000
PATIENCE = 1.0  # seconds without a record after which a topic is taken to end


class History(Protocol):
    """Where what a consumer has taken in can be read again, in order."""

    def between(
        self, connection: "Connection[asyncpg.Record]", after: Cursor, until: Cursor, names: Collection[str]
    ) -> AsyncGenerator[Sequence[Stored]]:
        """Give the facts of these names behind ``after`` up to ``until``, piece by piece."""
        ...

    async def referred(
        self, connection: "Connection[asyncpg.Record]", references: Sequence[Reference]
    ) -> Sequence[Stored]:
        """Return the facts referred to; both are in order. Raises CorruptHistory where one is gone."""
        ...


class LogHistory:
    """A service's own log."""

    async def between(
        self, connection: "Connection[asyncpg.Record]", after: Cursor, until: Cursor, names: Collection[str]
    ) -> AsyncGenerator[Sequence[Stored]]:
        position = after.position
        while rows := await connection.fetch(
            f"""select {COLUMNS} from eventlog.facts
                where position > $1 and position <= $2 and name = any($3) order by position limit $4""",  # noqa: S608  # a constant
            position,
            until.position,
            list(names),
            PIECE,
        ):
            position = rows[-1]["position"]
            yield [stored(row) for row in rows]

    async def referred(
        self, connection: "Connection[asyncpg.Record]", references: Sequence[Reference]
    ) -> Sequence[Stored]:
        rows = await connection.fetch(
            f"select {COLUMNS} from eventlog.facts where position = any($1) order by position",  # noqa: S608  # a constant
            [reference.position for reference in references],
        )
        return matching(references, [stored(row) for row in rows])


class TopicHistory:
    """Another service's published facts, which its topic keeps for ever.

    The n-th of them is never before offset n - 1, whatever the relay repeated, so that is where looking for it begins.
    """

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    async def between(
        self, connection: "Connection[asyncpg.Record]", after: Cursor, until: Cursor, names: Collection[str]
    ) -> AsyncGenerator[Sequence[Stored]]:
        del connection
        wanted = frozenset(names)
        async for facts in self._numbered(after.pseq, until.pseq):
            yield [fact for fact in facts if fact.name in wanted]

    async def referred(
        self, connection: "Connection[asyncpg.Record]", references: Sequence[Reference]
    ) -> Sequence[Stored]:
        del connection
        positions = {reference.position for reference in references}
        found: list[Stored] = []
        async for facts in self._numbered(references[0].pseq - 1, references[-1].pseq):
            found += [fact for fact in facts if fact.position in positions]
        return matching(references, found)

    async def _numbered(self, pseq: int, until: int) -> AsyncGenerator[Sequence[Stored]]:
        if pseq == until:
            return
        reader = await self._kafka.reader(self._topic, pseq)
        try:
            while pseq < until:
                records = await reader.read(PIECE, PATIENCE)
                if not records:
                    raise CorruptHistory(f"{self._topic} no longer has number {pseq + 1}")
                facts: list[Stored] = []
                for fact, number in map(from_record, records):
                    if number == pseq + 1 and number <= until:
                        facts.append(fact)
                        pseq = number
                yield facts
        finally:
            await reader.close()


def matching(references: Sequence[Reference], facts: Sequence[Stored]) -> Sequence[Stored]:
    """Return ``facts`` where they are the ones referred to. Raises CorruptHistory where they are not."""
    found = {fact.fact_id for fact in facts}
    for reference in references:
        if reference.fact_id not in found:
            raise CorruptHistory(f"the parked fact at position {reference.position} is gone")
    return facts
