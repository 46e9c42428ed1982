"""Consumer: a topic, or one's own log, taken in once.

Rows and position go into one transaction, so what a batch writes and how far it got are both there or both not. What a
batch sends (commands) goes before it under ids made from the facts, so that sending again after a crash changes
nothing. The position row carries the epoch of this consumer's term: a straggler's transaction finds it changed and
rolls back.

A batch that an effect fails on is taken in half by half, down to the fact. That fact is parked for this effect, and its
stream behind it (see parked): other streams and other effects go on, and the position moves in the very transaction
that writes the reference.

A call that takes too long says nothing of the facts, so the term ends and the next one tries again. Where SLOW terms in
turn ended so at one place, it is a failure like others: a fact that can never be taken in within a call's time must not
stop its whole source.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import asyncpg

from eventlog import parked
from eventlog.connections import Connection, Pool
from eventlog.effect import Effect, says_nothing
from eventlog.election import Worker
from eventlog.errors import CorruptHistory
from eventlog.facts import Stored
from eventlog.history import History
from eventlog.parked import Place, Reference
from eventlog.retries import Retries
from eventlog.sources import Batch, Source
from eventlog.term import Term

SLOW = 3  # terms


class _Failed(Exception):
    """An effect failed on a batch, for what is chained to this."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(effect.name)
        self.effect = effect


@dataclass(frozen=True)
class _Share:
    """What an effect does with a batch: what it takes in, and what is parked for it."""

    effect: Effect
    facts: Sequence[Stored]
    parked: Sequence[Reference]


class Consumer(Worker):
    """Takes one source in, under ``name``, for as long as it leads."""

    def __init__(
        self, name: str, source: Source, pool: Pool, effects: Sequence[Effect], history: History | None = None
    ) -> None:
        """``history``: where the source's facts are read again, if not from the source."""
        self.name = name
        self.source = source
        self._effects = effects
        self._history = source.history if history is None else history
        self._too_long = (-1, 0)  # at which position calls took too long, and in how many terms
        self._impatient = False
        super().__init__(pool, f"consumer/{name}/{source.name}")
        if len({effect.name for effect in effects}) < len(effects):
            raise ValueError(f"two effects of {self.work} have one name")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        term = await Term.begin(connection, self.name, self.source.name)
        retries = Retries(term, self._effects, self._history)
        try:
            while True:
                batch = await self.source.read(connection, term.cursor)
                if batch.cursor != term.cursor:
                    await self._in_time(term, batch)
                await retries.go_on()
                self._show(batch.missing)
        finally:
            await retries.close()
            await self.source.close()

    def _show(self, missing: str | None) -> None:
        halted = missing and f"{CorruptHistory.__name__}: {missing}"
        if halted and halted != self.halted:
            self._logger.error("halted", missing=missing)
        self.halted = halted

    async def _in_time(self, term: Term, batch: Batch) -> None:
        """Take a batch in, and note where a call took too long, so that the facts are blamed in the end."""
        before, (position, terms) = term.cursor.position, self._too_long
        if position != before:
            terms = 0
        self._impatient = terms >= SLOW
        try:
            await self._take_in(term, batch)
        except TimeoutError:
            self._too_long = (before, terms + 1)
            raise

    @contextmanager
    def _blamed_on(self, effect: Effect) -> Generator[None]:
        try:
            yield
        except Exception as error:
            if says_nothing(error) and not (self._impatient and isinstance(error, TimeoutError)):
                raise
            raise _Failed(effect) from error

    async def _take_in(self, term: Term, batch: Batch) -> None:
        try:
            await self._write(term, batch, {})
        except _Failed as failure:
            if len(batch.facts) == 1:
                await self._park(term, batch, failure)
            else:
                first, second = batch.halves(term.cursor)
                await self._take_in(term, first)
                await self._take_in(term, second)

    async def _park(self, term: Term, batch: Batch, failure: _Failed) -> None:
        """Take a single fact in without the effects that fail on it."""
        [fact] = batch.facts
        errors: dict[str, str] = {}
        while failure.effect.name not in errors:
            error = failure.__cause__ or failure
            if failure.effect.essential:
                where = f"{fact.name} at position {fact.position} of {self.source.name}"
                raise CorruptHistory(f"{failure.effect.name} cannot take in {where}") from error
            errors[failure.effect.name] = type(error).__name__
            self._logger.error(
                "parked",
                effect=failure.effect.name,
                stream=str(fact.stream),
                position=fact.position,
                fact=fact.name,
                exc_info=error,
            )
            try:
                return await self._write(term, batch, errors)
            except _Failed as another:
                failure = another
        raise failure

    async def _write(self, term: Term, batch: Batch, errors: Mapping[str, str]) -> None:
        """Take a batch in, whole or not at all. ``errors``: the effects that fail on its single fact, and how.

        Raises _Failed: an effect fails, and nothing of it is there.
        """
        shares = [_share(term, effect, batch, errors.get(effect.name)) for effect in self._effects]
        for share in shares:
            if share.facts:
                with self._blamed_on(share.effect):
                    await share.effect.act(share.facts)
        async with term.connection.transaction():
            await term.move(batch.cursor)
            for share in shares:
                if share.facts:
                    with self._blamed_on(share.effect):
                        await share.effect.write(share.facts, term.connection)
                if share.parked:
                    at = Place(term.consumer, term.source, share.effect.name)
                    await parked.park(term.connection, at, share.parked)
        term.cursor = batch.cursor
        for share in shares:
            for reference in share.parked:
                first = term.parked_for(share.effect.name)
                first.setdefault((reference.tenant, reference.stream), reference.position)


def _share(term: Term, effect: Effect, batch: Batch, error: str | None) -> _Share:
    waiting = term.parked_for(effect.name)
    if not waiting and error is None:
        return _Share(effect, batch.facts, ())
    taken: list[Stored] = []
    references: list[Reference] = []
    for n, fact in enumerate(batch.facts):
        behind = (fact.tenant, fact.stream) in waiting
        if behind or error is not None:
            reference = Reference(fact.tenant, fact.stream, fact.position, batch.pseq(n), fact.fact_id, fact.name)
            references.append(reference if behind else replace(reference, error=error, attempts=1))
        else:
            taken.append(fact)
    return _Share(effect, taken, references)
