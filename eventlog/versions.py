"""Versions: the tables of one read model: the live one under its plain name, others beside it, and the change between.

The change is two renamings in one transaction. Whoever reads or writes says the plain name, so nobody has to know which
version is live: the next statement finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import asyncpg

from eventlog import parked, twins
from eventlog.connections import Connection
from eventlog.errors import EventLogError
from eventlog.term import Cursor


class State(StrEnum):
    FILLING = "filling"
    FOLLOWING = "following"
    LIVE = "live"
    KEPT = "kept"


class CannotRebuild(EventLogError):
    """Nothing was changed for those who read; the message says what stands in the way."""


@dataclass(frozen=True)
class Version:
    """One version of ``model``. ``position`` and ``pseq``: see eventlog.read_models."""

    model: str
    version: int
    state: State
    made_by: str
    position: int
    pseq: int
    passes: int
    passed: int

    @property
    def table(self) -> str:
        return self.model if self.state is State.LIVE else table_of(self.model, self.version)

    @property
    def reached(self) -> Cursor:
        return Cursor(epoch=0, position=self.position, pseq=self.pseq, token=0)


def table_of(model: str, version: int) -> str:
    """The table of a version that is not the live one."""
    return f"{model}__v{version}"


class Versions:
    """Those of one read model, as the owner of its tables sees them. No two of these at the same time: see rebuild."""

    def __init__(self, connection: "Connection[asyncpg.Record]", model: str) -> None:
        self._connection = connection
        self._model = model

    async def all(self) -> Sequence[Version]:
        """Return them, oldest first; before the first rebuild there is the live one only, and no row says so."""
        rows = await self._connection.fetch(
            """select model, version, state, made_by, position, pseq, passes, passed from eventlog.read_models
               where model = $1 order by version""",
            self._model,
        )
        return [replace(Version(**dict(row)), state=State(row["state"])) for row in rows]

    async def begin(self, made_by: str, until: Cursor, passes: int) -> Version:
        """Make an empty table like the live one, without indexes, for a version folded up to ``until`` at first."""
        known = await self.all()
        number = max((version.version for version in known), default=1) + 1
        async with self._connection.transaction():
            if not known:
                await self._insert(Version(self._model, 1, State.LIVE, "", 0, 0, 1, 0))
            version = Version(self._model, number, State.FILLING, made_by, until.position, until.pseq, passes, 0)
            await self._insert(version)
            await twins.make_bare(self._connection, version.table, like=self._model)
        return version

    async def empty(self, version: Version, passes: int) -> Version:
        """Begin a version's filling anew, in so many passes."""
        async with self._connection.transaction():
            await self._connection.execute(f"truncate {version.table}")
            return await self.note(replace(version, passes=passes, passed=0))

    async def index(self, version: Version) -> Version:
        """Give a filled table the keys and indexes of the live one; from here on it follows."""
        async with self._connection.transaction():
            await twins.complete(self._connection, version.table, like=self._model)
            return await self.note(replace(version, state=State.FOLLOWING))

    async def note(self, version: Version) -> Version:
        """Write down how far a version has come, in the transaction that brings it there."""
        await self._connection.execute(
            """update eventlog.read_models
               set state = $3, made_by = $4, position = $5, pseq = $6, passes = $7, passed = $8, at = clock_timestamp()
               where model = $1 and version = $2""",
            version.model,
            version.version,
            version.state.value,
            version.made_by,
            version.position,
            version.pseq,
            version.passes,
            version.passed,
        )
        return version

    async def rows(self) -> int:
        """Return how many rows the live one has."""
        rows: int = await self._connection.fetchval(f"select count(*) from {self._model}")  # noqa: S608  # a constant
        return rows

    async def exchange(self, other: Version, at: Cursor) -> Version:
        """Make ``other`` the live one and keep the one that was, both of which stand at ``at``; part of a transaction.

        What is parked for each goes with it. Raises asyncpg.LockNotAvailableError: somebody holds a table for longer
        than the transaction's lock_timeout. Raises CannotRebuild: a migration has changed the live one since.
        """
        if not await twins.alike(self._connection, other.table, self._model):
            raise CannotRebuild(f"{other.table} no longer has the columns of {self._model}")
        [live] = [version for version in await self.all() if version.state is State.LIVE]
        kept = replace(live, state=State.KEPT, position=at.position, pseq=at.pseq)
        now = replace(other, state=State.LIVE, position=at.position, pseq=at.pseq)
        await self._connection.execute(f"lock table {live.table}, {other.table} in access exclusive mode")
        await self._connection.execute(f"alter table {live.table} rename to {kept.table}")
        await self._connection.execute(f"alter table {other.table} rename to {now.table}")
        await parked.rename(self._connection, live.table, kept.table)
        await parked.rename(self._connection, other.table, now.table)
        await self.note(kept)
        return await self.note(now)

    async def forget(self, version: Version) -> None:
        """Drop a version that is not the live one, and what was parked for it."""
        async with self._connection.transaction():
            await self._connection.execute(f"drop table if exists {version.table}")
            await parked.forget(self._connection, version.table)
            await self._connection.execute(
                "delete from eventlog.read_models where model = $1 and version = $2", version.model, version.version
            )

    async def check(self) -> None:
        """Raises CannotRebuild: something hangs on the live table that would stay with the version it hangs on."""
        hangs = await twins.what_hangs_on(self._connection, self._model)
        if hangs:
            raise CannotRebuild(f"on {self._model} hangs {hangs}")

    async def _insert(self, version: Version) -> None:
        await self._connection.execute(
            """insert into eventlog.read_models (model, version, state, made_by, position, pseq, passes, passed)
               values ($1, $2, $3, $4, $5, $6, $7, $8)""",
            version.model,
            version.version,
            version.state.value,
            version.made_by,
            version.position,
            version.pseq,
            version.passes,
            version.passed,
        )
