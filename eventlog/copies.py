"""Copies: published facts by their dense number, and the first in which a topic differs from them.

A topic may hold a run again, where a relay began again from its checkpoint; every repetition must be the same again.
It is read once, in pieces, and so is the copy, but for the pieces that a repetition goes back to.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from eventlog.errors import CorruptHistory, Unavailable
from eventlog.facts import Stored
from eventlog.kafka import Reader, Received, Record, Topics
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
