"""Copies: published facts by their dense number, and the first in which a topic differs from them.

A topic may hold a run again, where a relay began again from its checkpoint; every repetition must be the same again. In
a topic made anew a fact may also come early, where a relay that slept wrote what it had in hand; it must come again in
its turn. Topic and copy are read once, in pieces, but for the pieces that a repetition goes back to.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from eventlog.errors import CorruptHistory, Unavailable
from eventlog.facts import Stored
from eventlog.kafka import Reader, Received, Record, Topics
from eventlog.records import number_of, to_record

PIECE = 1_000
EARLY = 10_000  # facts that came early and are kept until their turn, which is far more than a relay has in hand
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
        self._early: dict[int, Received] = {}
        self._hole: Received | None = None

    async def run(self, reader: Reader, end: int, told: Told, reaches: int) -> str | None:
        offset = 0
        while offset < end and not (self._further and self._last == reaches):
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
        told(self._topic, end, end)
        difference = await self._falls_short(reaches)
        return None if difference is None else f"{self._topic}: {difference}"

    async def _differs(self, record: Received) -> str | None:
        pseq = number_of(record)
        if pseq is None:
            return f"the record at offset {record.offset} is no fact"
        if pseq > self._last + 1:
            self._hole = self._hole or record
            if len(self._early) < EARLY:
                self._early.setdefault(pseq, record)
            return None
        fact = await self._copy.fact(pseq)
        if fact is None:
            return f"it has a fact {pseq} at offset {record.offset} that {self._copy.name} has not"
        for each in (self._early.pop(pseq, None), record):
            part = None if each is None else self._first_difference(each, to_record(fact, pseq))
            if each is not None and part is not None:
                again = "repeated " if pseq <= self._last else ""
                return (
                    f"{again}fact {pseq} at offset {each.offset} has another {part} than {_which(fact)} "
                    f"in {self._copy.name}"
                )
        if pseq == self._last + 1:
            self._last, self._hole = pseq, None
        return None

    async def _falls_short(self, reaches: int) -> str | None:
        """What the end of a topic shows: a hole that was not filled, one fact too few, or one that is nowhere else."""
        if self._last < reaches:
            if self._hole is None:
                return f"it ends at fact {self._last}, {self._copy.name} has {reaches}"
            missing = await self._copy.fact(self._last + 1)
            which = "" if missing is None else f": {_which(missing)} is missing"
            return f"it goes from fact {self._last} to {number_of(self._hole)} at offset {self._hole.offset}{which}"
        return None if self._further else await self._early_differs()

    async def _early_differs(self) -> str | None:
        """What came early may still have its turn to come; but it must be a fact."""
        for pseq, record in sorted(self._early.items()):
            while self._last < pseq and await self._copy.fact(self._last + 1) is not None:
                self._last += 1
            if self._last < pseq:
                return f"it has a fact {pseq} at offset {record.offset} that {self._copy.name} has not"
        return None

    def _first_difference(self, found: Record, expected: Record) -> str | None:
        """Name the part in which two records differ."""
        there, here = dict(found.headers), dict(expected.headers)
        for name in (*here, *there):
            if there.get(name) != here.get(name):
                return name
        if len(found.headers) != len(expected.headers):
            return "number of headers"
        if found.key != expected.key:
            return "key"
        if found.value == expected.value or (not self._copy.to_the_byte and _means(found) == _means(expected)):
            return None
        return "content"


def _which(fact: Stored) -> str:
    return f"{fact.name} at position {fact.position} (version {fact.version} of {fact.stream})"


def _means(record: Record) -> object:
    """What a record's JSON says, or the bytes themselves where they are none."""
    try:
        said: object = json.loads(record.value or b"")
    except ValueError:
        return record.value
    return said
