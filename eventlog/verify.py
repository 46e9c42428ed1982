"""Verify: what is kept twice is the same twice. Names the first difference, and repeats nobody's words.

It may run while facts arrive, because of the order in which it looks: at the relay's checkpoint, then at the topic's
end, then at one snapshot of the log. What the checkpoint covers lies in front of that end; and a record in front of it
was relayed when all facts up to its own were settled, so the snapshot shows them, and counts them as the relay did. It
reads in pieces; what it keeps grows with the number of streams, and by a number every PIECE facts.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import asyncpg

from eventlog.connections import Pool
from eventlog.election import Connection
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.facts import Stored
from eventlog.kafka import Reader, Received, Record, Topics
from eventlog.postgres_log import COLUMNS, stored
from eventlog.records import to_record

PIECE = 1_000
PATIENCE = 10.0  # seconds until the broker has to give what it says it has

Told = Callable[[str, int, int], None]
"""Told how far it is: what is looked at, how much of it is done, of how much."""


class Copy(ABC):
    """Published facts, from first to last, by their dense number."""

    def __init__(self, name: str, *, to_the_byte: bool = True) -> None:
        """``name``: what a sentence calls it. Not ``to_the_byte``: it keeps what JSON means, not how it was written."""
        self.name = name
        self.to_the_byte = to_the_byte
        self._pieces: dict[int, Sequence[Stored]] = {}

    async def fact(self, pseq: int) -> Stored | None:
        """Return the fact with a number, None behind the last; ask for no number before all smaller ones."""
        number, n = divmod(pseq - 1, PIECE)
        if number not in self._pieces:
            if len(self._pieces) > 2:
                del self._pieces[next(iter(self._pieces))]
            self._pieces[number] = await self.piece(number, PIECE)
        facts = self._pieces[number]
        return facts[n] if n < len(facts) else None

    @abstractmethod
    async def piece(self, number: int, size: int) -> Sequence[Stored]:
        """Return the facts from ``number * size + 1`` on, at most ``size``; ``size`` is always the same."""


class Log(Copy):
    """The published facts of a log, as one snapshot shows them."""

    def __init__(self, connection: "Connection[asyncpg.Record]") -> None:
        super().__init__("the log")
        self._connection = connection
        self._begins = [0]  # behind which position each piece begins

    async def piece(self, number: int, size: int) -> Sequence[Stored]:
        rows = await self._connection.fetch(
            f"select {COLUMNS} from eventlog.facts where published and position > $1 order by position limit $2",  # noqa: S608  # COLUMNS is a constant
            self._begins[number],
            size,
        )
        if len(rows) == size and number + 1 == len(self._begins):
            self._begins.append(rows[-1]["position"])
        return [stored(row) for row in rows]


async def verify_service(dsn: str, kafka: Topics, told: Told) -> str | None:
    """Compare a service's log with itself, and its topic with it; return the first difference. Raises Unavailable."""
    async with looking(dsn) as pool:
        return await verify_log(pool, kafka, told)


def looking(dsn: str) -> Pool:
    """A pool of one connection, on which a statement may take its time."""
    return asyncpg.create_pool(dsn, min_size=0, max_size=1)


async def verify_log(pool: Pool, kafka: Topics, told: Told) -> str | None:
    """As ``verify_service``, over a pool."""
    async with pool.acquire() as connection:
        relayed = await connection.fetch("select topic, pseq from eventlog.relays order by topic")
        ends = await kafka.ends([row["topic"] for row in relayed])
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            difference = await log_differs(connection, told)
            for topic, pseq in relayed:
                log = Log(connection)
                difference = difference or await topic_differs(log, kafka, topic, ends[topic], told, reaches=pseq)
            return difference


async def log_differs(connection: "Connection[asyncpg.Record]", told: Told) -> str | None:
    """Compare a log with itself, in the open snapshot: its streams' versions and its answers with its facts."""
    versions: dict[str, int] = {}
    last: int = await connection.fetchval("select coalesce(max(position), 0) from eventlog.facts")
    facts = "select position, tenant || ': ' || stream as stream, version from eventlog.facts order by position"
    seen = 0
    async for row in connection.cursor(facts, prefetch=PIECE):
        stream, version = row["stream"], row["version"]
        before = versions.get(stream, 0)
        if version != before + 1:
            return f"the log: {stream} goes from version {before} to {version} at position {row['position']}"
        versions[stream] = version
        seen += 1
        if seen % PIECE == 0:
            told("log", row["position"], last)
    told("log", last, last)
    return await _streams_differ(connection, versions) or await _answers_differ(connection)


async def _streams_differ(connection: "Connection[asyncpg.Record]", versions: dict[str, int]) -> str | None:
    streams = "select tenant || ': ' || stream as stream, version from eventlog.streams order by tenant, stream"
    async for row in connection.cursor(streams, prefetch=PIECE):
        facts = versions.pop(row["stream"], 0)
        if row["version"] != facts:
            return f"the log: {row['stream']} should be at version {row['version']}, its facts end at {facts}"
    if versions:
        return f"the log: {min(versions)} has facts, and is not among the streams"
    lost = await connection.fetchrow(
        """select s.tenant || ': ' || s.stream as stream, f.version, f.position from eventlog.facts f
           join eventlog.streams s on s.tenant = f.tenant and s.stream = f.stream
           where f.stream_no <> s.no or f.position <= s.since
           order by f.position limit 1"""
    )
    if lost is None:
        return None
    which = f"version {lost['version']} of {lost['stream']} at position {lost['position']}"
    return f"the log: {which} is not where the stream looks for it"


async def _answers_differ(connection: "Connection[asyncpg.Record]") -> str | None:
    row = await connection.fetchrow(
        """select c.tenant, c.command_id, c.version from eventlog.commands c
           left join eventlog.facts f on f.stream_no = c.stream_no and f.version = c.version
           where c.added > 0 and (f.position is null or f.tenant <> c.tenant)
           order by c.at, c.command_id limit 1"""
    )
    if row is None:
        return None
    return (
        f"the log: command {row['command_id']} of {row['tenant']} was told that its stream is at version "
        f"{row['version']}, and no such fact is there"
    )


async def topic_differs(
    copy: Copy, kafka: Topics, topic: str, end: int, told: Told, *, reaches: int, further: bool = False
) -> str | None:
    """Compare a topic, up to the offset ``end``, with a copy of the facts; the copy's ``reaches`` facts must be there.

    A run that a relay wrote again must be the same again. ``further``: the topic may go on where the copy ends.
    """
    if not end:
        return f"{topic}: it is empty, {copy.name} has {reaches} facts" if reaches else None
    if further and not reaches:
        return None
    reader = await kafka.reader(topic, 0)
    try:
        return await _Comparison(copy, topic, further).run(reader, end, told, reaches)
    except CorruptHistory:
        return f"{topic}: it does not hold its beginning any more"
    finally:
        await reader.close()


class _Comparison:
    def __init__(self, copy: Copy, topic: str, further: bool) -> None:
        self._copy = copy
        self._topic = topic
        self._further = further
        self._last = 0

    async def run(self, reader: Reader, end: int, told: Told, reaches: int) -> str | None:
        offset = 0
        while offset < end:
            records = await reader.read(PIECE, PATIENCE)
            if not records:
                raise Unavailable(f"{self._topic} did not give what follows offset {offset}")
            for record in records:
                if record.offset >= end or (self._further and self._last == reaches):
                    break
                difference = await self._differs(record)
                if difference is not None:
                    return f"{self._topic}: {difference}"
            offset = records[-1].offset + 1
            told(self._topic, min(offset, end), end)
            if self._further and self._last == reaches:
                break
        told(self._topic, end, end)
        if self._last < reaches:
            return f"{self._topic}: it ends at fact {self._last}, {self._copy.name} has {reaches}"
        return None

    async def _differs(self, record: Received) -> str | None:
        at = f"at offset {record.offset}"
        pseq = _number(record)
        if pseq is None:
            return f"the record {at} is no fact"
        if pseq > self._last + 1:
            missing = await self._copy.fact(self._last + 1)
            which = "" if missing is None else f": {_which(missing)} is missing"
            return f"it goes from fact {self._last} to {pseq} {at}{which}"
        fact = await self._copy.fact(pseq)
        if fact is None:
            return f"it has a fact {pseq} {at} that {self._copy.name} has not"
        difference = _first_difference(record, to_record(fact, pseq), to_the_byte=self._copy.to_the_byte)
        if difference is not None:
            again = "repeated " if pseq <= self._last else ""
            return f"{again}fact {pseq} {at} has another {difference} than {_which(fact)} in {self._copy.name}"
        self._last = max(self._last, pseq)
        return None


def _number(record: Received) -> int | None:
    text = dict(record.headers).get("pseq", b"")
    return int(text) if text.isdigit() and int(text) > 0 else None


def _which(fact: Stored) -> str:
    return f"{fact.name} at position {fact.position} (version {fact.version} of {fact.stream})"


def _first_difference(found: Record, expected: Record, *, to_the_byte: bool) -> str | None:
    """Name the part in which two records differ."""
    there, here = dict(found.headers), dict(expected.headers)
    for name in (*here, *there):
        if there.get(name) != here.get(name):
            return name
    if len(found.headers) != len(expected.headers):
        return "number of headers"
    if found.key != expected.key:
        return "key"
    if found.value == expected.value or (not to_the_byte and _means(found) == _means(expected)):
        return None
    return "content"


def _means(record: Record) -> object:
    """What a record's JSON says, or the bytes themselves where they are none."""
    try:
        said: object = json.loads(record.value or b"")
    except ValueError:
        return record.value
    return said
