"""Rebuild: a read model made anew beside the live one, which goes on, and exchanged for it at one exact place.

1. *Filling.* All facts up to a recorded place are folded in memory and copied into an empty table without indexes.
   Memory holds some ROWS rows: where there are more, history is read in several passes, each for a share of the keys.
2. *Indexing.* The new table gets the keys, indexes and rights of the live one.
3. *Following.* From that very place on it takes in what came since, as a consumer does.
4. *Comparing.* A sample of keys is folded afresh; and all rows are compared with those of the live version, but for
   the rows of facts that only the live one has seen.
5. *Exchanging.* In one short transaction: the consumer is held at its position, the new version brought up to it, the
   two tables change names, and with them what is parked for each. The consumer goes on, in the new table.

Each step is a transaction, and how far it came stands in eventlog.read_models: who was killed runs it again and goes on
from there. Nothing live is written before the last one. The version that was exchanged is kept as it was; going back to
it brings it up to date first and is the same exchange. Nothing here sends anything: only folds are rebuilt.

A fact that the fold fails on ends a rebuild, unless it is parked for the live version too: then it stays parked.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Generic, TypeVar

import asyncpg

from eventlog import making, parked
from eventlog.comparing import Comparison, compared, sampled
from eventlog.connections import Connection
from eventlog.copies import Told
from eventlog.effect import Key
from eventlog.election import lock_of
from eventlog.facts import Value
from eventlog.folding import Folding, uncollected
from eventlog.making import Feed, Making
from eventlog.read_model import ReadModel
from eventlog.retries import START
from eventlog.term import Cursor
from eventlog.versions import CannotRebuild, State, Version, Versions

R = TypeVar("R", bound=Value)

BEHIND = 2_000  # positions at most that an exchange itself takes in
LOCK_PATIENCE = 500  # milliseconds an exchange waits for a lock: whoever reads waits behind it for no longer
TRIES = 60
PAUSE = 0.5  # seconds between two tries


class _Behind(Exception):
    """Too much came meanwhile to be taken in while everybody waits."""


class Rebuild(Generic[R]):
    """Of one read model, over a connection of its tables' owner. Everything here raises CannotRebuild."""

    def __init__(
        self,
        connection: "Connection[asyncpg.Record]",
        model: ReadModel[R],
        feed: Feed,
        told: Told = lambda _phase, _done, _of: None,
    ) -> None:
        self._connection = connection
        self._model = model
        self._feed = feed
        self._told = told
        self._versions = Versions(connection, model.table)

    async def run(self) -> Comparison:
        """Make the next version, or finish one that was begun, and let it live. Return how it differs from the last."""
        async with self._alone():
            await self._versions.check()
            version = await self._begun()
            while version.state is State.FILLING:
                version = await self._filled(version)
            version = await self._followed(version)
            comparison = await self._compared(version)
            await self._exchanged(version)
            return comparison

    async def back(self) -> Version:
        """Let the version live again that was exchanged last; return it."""
        async with self._alone():
            kept = [version for version in await self._versions.all() if version.state is State.KEPT]
            if not kept:
                raise CannotRebuild(f"no earlier version of {self._model.table} is kept")
            last = max(kept, key=lambda version: (version.position, version.version))
            return await self._exchanged(await self._followed(last))

    async def forget(self) -> int:
        """Drop every version but the live one; return how many."""
        async with self._alone():
            others = [version for version in await self._versions.all() if version.state is not State.LIVE]
            for version in others:
                await self._versions.forget(version)
            return len(others)

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        key = lock_of(f"rebuild/{self._model.table}")
        if not await self._connection.fetchval("select pg_try_advisory_lock($1)", key):
            raise CannotRebuild(f"{self._model.table} is being rebuilt already")
        try:
            yield
        finally:
            with suppress(asyncpg.InterfaceError):  # a connection that is gone holds no lock
                await self._connection.execute("select pg_advisory_unlock($1)", key)

    async def _making(self, version: Version) -> Making[R]:
        waiting = await parked.first_of_effect(self._connection, version.table)
        return Making(self._connection, self._model, self._feed, self._versions, waiting)

    async def _begun(self) -> Version:
        """Return the version that is being made; one that another code began is begun anew."""
        for version in await self._versions.all():
            if version.state in {State.FILLING, State.FOLLOWING}:
                if version.made_by == self._model.made_by:
                    return version
                await self._versions.forget(version)
        passes = 1 + await self._versions.rows() // making.ROWS
        return await self._versions.begin(self._model.made_by, await self._cursor(), passes)

    async def _filled(self, version: Version) -> Version:
        if version.passed < version.passes:
            return await (await self._making(version)).filled(version, self._told)
        self._told("indexing", 0, 1)
        return await self._versions.index(version)

    async def _followed(self, version: Version) -> Version:
        """Take in what came since, until what is left is little."""
        while True:
            cursor = await self._cursor()
            self._told("following", version.position, cursor.position)
            async with self._connection.transaction():
                version = await (await self._making(version)).advanced(version, cursor)
            if (await self._cursor()).position - version.position <= BEHIND:
                return version

    async def _compared(self, version: Version) -> Comparison:
        """Compare with a fresh fold of some keys, which must be the same, and with the live version, which may not."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            making = await self._making(version)
            keys = await sampled(self._connection, self._model, [self._model.table, version.table])
            folding = Folding(self._model, keys.__contains__)
            with uncollected():
                async for facts in making.past(START, version.reached):
                    for fact in facts:
                        if not making.stays(fact):
                            folding.take_in(fact)
                    self._told("comparing", facts[-1].position, version.position)
            made = await self._model.in_table(version.table).load(keys, self._connection)
            for key in sorted(keys):
                if folding.rows.get(key) != made.get(key):
                    raise CannotRebuild(f"{version.table} {key[1]} of {key[0]} is not what its facts say")
            seen_by_one: set[Key] = set()
            waiting = await parked.first_of_effect(self._connection, self._model.name)
            async for facts in making.past(version.reached, await self._cursor()):
                seen = [fact for fact in facts if not parked.waits(fact, waiting)]
                seen_by_one |= {key for key, _ in self._model.touched(seen)}
            return await compared(self._connection, self._model, version.table, seen_by_one)

    async def _exchanged(self, version: Version) -> Version:
        """Let a version live. Tries again while others hold what it needs, or while too much has come meanwhile."""
        for _ in range(TRIES):
            self._told("exchanging", 0, 1)
            try:
                async with self._connection.transaction():
                    await self._connection.execute(f"set local lock_timeout = {LOCK_PATIENCE}")
                    cursor = await self._held()
                    if cursor.position - version.position > BEHIND:
                        raise _Behind
                    advanced = await (await self._making(version)).advanced(version, cursor)
                    live = await self._versions.exchange(advanced, cursor)
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(PAUSE)
            except _Behind:
                version = await self._followed(version)
            else:
                self._told("exchanging", 1, 1)
                return live
        raise CannotRebuild(f"somebody holds on to {self._model.table}: nothing was exchanged")

    async def _cursor(self) -> Cursor:
        """Where the live version's consumer stands."""
        row = await self._connection.fetchrow(
            "select epoch, position, pseq, token from eventlog.cursors where consumer = $1 and source = $2",
            self._feed.consumer,
            self._feed.source,
        )
        return START if row is None else Cursor(**dict(row))

    async def _held(self) -> Cursor:
        """Hold the consumer where it stands until the transaction ends; it then begins a new term."""
        row = await self._connection.fetchrow(
            """insert into eventlog.cursors (consumer, source, epoch) values ($1, $2, 1)
               on conflict (consumer, source) do update set epoch = cursors.epoch + 1
               returning epoch, position, pseq, token""",
            self._feed.consumer,
            self._feed.source,
        )
        if row is None:
            raise CannotRebuild("no position row")
        return Cursor(**dict(row))
