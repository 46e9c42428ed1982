"""Making: how a version of a read model that is not the live one takes facts in: in shares of its rows, or one behind
the other.

A fact that the fold fails on is an end to it, unless it is parked for the live version too: then it stays parked.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from zlib import crc32

import asyncpg

from eventlog import parked
from eventlog.columns import Columns
from eventlog.connections import Connection
from eventlog.copies import Told
from eventlog.effect import Key, says_nothing
from eventlog.facts import Stored, Value
from eventlog.folding import Folding, uncollected
from eventlog.history import History
from eventlog.parked import Place, Reference, StreamKey
from eventlog.read_model import ReadModel
from eventlog.retries import START
from eventlog.term import Cursor
from eventlog.versions import CannotRebuild, Version, Versions

R = TypeVar("R", bound=Value)

ROWS = 200_000  # in memory at once


@dataclass(frozen=True)
class Feed:
    """Where a read model's facts come from: its consumer and source, and where they lie in the service's database."""

    consumer: str
    source: str
    history: History


class _Again(Exception):
    """What was filled so far does not count: begin again in so many passes, knowing of one more that stays parked."""

    def __init__(self, passes: int, known: Sequence[Reference] = ()) -> None:
        super().__init__(passes)
        self.passes = passes
        self.known = known


class Making(Generic[R]):
    """``waiting``: the first parked position of each stream that stays parked for this version."""

    def __init__(
        self,
        connection: "Connection[asyncpg.Record]",
        model: ReadModel[R],
        feed: Feed,
        versions: Versions,
        waiting: dict[StreamKey, int],
    ) -> None:
        self._connection = connection
        self._model = model
        self._feed = feed
        self._versions = versions
        self._waiting = waiting

    async def filled(self, version: Version, told: Told) -> Version:
        """Fill in the next share of the rows, folded in memory over all of history; or begin again with smaller ones.

        Raises CannotRebuild.
        """
        try:
            with uncollected():
                rows, references = await self._share(version, told)
        except _Again as again:
            async with self._connection.transaction():
                await self._park(version, again.known)
                return await self._versions.empty(version, again.passes)
        columns = await Columns[R].of(self._connection, version.table, self._model.row)
        async with self._connection.transaction():
            await self._connection.copy_records_to_table(
                version.table,
                records=columns.records((key[0], row) for key, row in rows.items() if row is not None),
                columns=list(columns.names),
            )
            await parked.forget(self._connection, version.table)  # every pass finds the same ones
            await self._park(version, references)
            return await self._versions.note(replace(version, passed=version.passed + 1))

    async def advanced(self, version: Version, until: Cursor) -> Version:
        """Take in all that lies between a version and ``until``, in the transaction of the caller.

        Raises CannotRebuild.
        """
        if until.position <= version.position:
            return version
        model = self._model.in_table(version.table)
        async for facts in self.past(version.reached, until):
            taken = [fact for fact in facts if not self.stays(fact)]
            references = [_reference(fact) for fact in facts if self.stays(fact)]
            try:
                async with self._connection.transaction():
                    await model.write(taken, self._connection)
            except Exception as error:
                if says_nothing(error):
                    raise
                references += await self._one_by_one(model, taken)
            await self._park(version, references)
        return await self._versions.note(replace(version, position=until.position, pseq=until.pseq))

    def past(self, after: Cursor, until: Cursor) -> AsyncGenerator[Sequence[Stored]]:
        """Give the facts that the model folds, behind ``after`` up to ``until``."""
        return self._feed.history.between(self._connection, after, until, self._model.names)

    def stays(self, fact: Stored) -> bool:
        """Whether a fact stays parked for this version."""
        return parked.waits(fact, self._waiting)

    async def _share(self, version: Version, told: Told) -> tuple[dict[Key, R | None], Sequence[Reference]]:
        def of_this_pass(key: Key) -> bool:
            return crc32("/".join(key).encode()) % version.passes == version.passed

        folding = Folding(self._model, of_this_pass if version.passes > 1 else None)
        references: list[Reference] = []
        async for facts in self.past(START, version.reached):
            for fact in facts:
                reference = await self._folded(folding, fact)
                if reference is not None:
                    references.append(reference)
                    if reference.error and version.passed:  # rows of an earlier pass may have it
                        raise _Again(version.passes, [reference])
            if len(folding.rows) > 2 * ROWS:
                raise _Again(2 * version.passes)
            done = version.position * version.passed + facts[-1].position
            told("history", done, version.position * version.passes)
        return folding.rows, references

    async def _folded(self, folding: Folding[R], fact: Stored) -> Reference | None:
        """Fold a fact in, or return a reference to it where it stays parked."""
        if self.stays(fact):
            return _reference(fact)
        try:
            folding.take_in(fact)
        except Exception as error:
            return await self._stays_parked(fact, error)
        return None

    async def _one_by_one(self, model: ReadModel[R], facts: Sequence[Stored]) -> Sequence[Reference]:
        """Write facts one after the other; return references to those that stay parked."""
        references: list[Reference] = []
        for fact in facts:
            if self.stays(fact):
                references.append(_reference(fact))
                continue
            try:
                async with self._connection.transaction():
                    await model.write([fact], self._connection)
            except Exception as error:
                references.append(await self._stays_parked(fact, error))
        return references

    async def _stays_parked(self, fact: Stored, error: Exception) -> Reference:
        if says_nothing(error):
            raise error
        if not parked.waits(fact, await parked.first_of_effect(self._connection, self._model.name)):
            where = f"{self._model.table} fails on {fact.name} at position {fact.position}"
            raise CannotRebuild(f"{where}: {type(error).__name__}") from error
        self._waiting[fact.tenant, fact.stream] = fact.position
        return replace(_reference(fact), error=type(error).__name__, attempts=1)

    async def _park(self, version: Version, references: Sequence[Reference]) -> None:
        if references:
            at = Place(self._feed.consumer, self._feed.source, version.table)
            await parked.park(self._connection, at, references)


def _reference(fact: Stored) -> Reference:
    return Reference(fact.tenant, fact.stream, fact.position, 0, fact.fact_id, fact.name)
