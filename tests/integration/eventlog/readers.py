"""Three ways to follow a log: by the sequence alone, by transaction ids, and behind the fence."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from eventlog.postgres_log import read_after
from tests.integration.eventlog.postgresql import Connection

PAGE = 100
COLUMN_OF_TRANSACTIONS = """
alter table eventlog.facts add column xid xid8 not null default pg_current_xact_id();
create index on eventlog.facts (xid, position);
"""


class Seen(NamedTuple):
    position: int
    stream: str
    version: int


@dataclass(frozen=True)
class Tally:
    """What a reader got wrong: facts it missed, facts it saw twice, facts it saw after a later one of their stream."""

    missed: int = 0
    doubled: int = 0
    inverted: int = 0


class Reader(ABC):
    """Reads on from where it is, page by page."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.seen: list[Seen] = []

    async def catch_up(self) -> None:
        """Look until there is nothing more."""
        while page := await self.look():
            self.seen.extend(page)

    @abstractmethod
    async def look(self) -> Sequence[Seen]:
        """Read the next page, and remember where it ends."""

    async def tally(self) -> Tally:
        """Compare with what is there now that all writers have ended."""
        await self.catch_up()
        kept = await self._connection.fetchval("select count(*) from eventlog.facts")
        last: dict[str, int] = {}
        inverted = 0
        for fact in self.seen:
            inverted += fact.version < last.get(fact.stream, 0)
            last[fact.stream] = fact.version
        once = len({fact.position for fact in self.seen})
        return Tally(kept - once, len(self.seen) - once, inverted)


class BySequence(Reader):
    """Remembers the last position, and takes it that no smaller one will come."""

    _position = 0

    async def look(self) -> Sequence[Seen]:
        rows = await self._connection.fetch(
            "select position, stream, version from eventlog.facts where position > $1 order by position limit $2",
            self._position,
            PAGE,
        )
        if rows:
            self._position = rows[-1]["position"]
        return _seen(rows)


class ByTransaction(Reader):
    """Orders by transaction and reads what is older than every open one."""

    _last: tuple[int, int] = (0, 0)

    async def look(self) -> Sequence[Seen]:
        rows = await self._connection.fetch(
            """select position, stream, version, xid::text::bigint as xid from eventlog.facts
               where (xid, position) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
               order by xid, position limit $3""",
            str(self._last[0]),
            self._last[1],
            PAGE,
        )
        if rows:
            self._last = (rows[-1]["xid"], rows[-1]["position"])
        return _seen(rows)


class BehindTheFence(Reader):
    """The log's own way."""

    _position = 0

    async def look(self) -> Sequence[Seen]:
        facts, self._position = await read_after(self._connection, self._position, PAGE)
        return [Seen(fact.position, str(fact.stream), fact.version) for fact in facts]

    async def has_missed(self, look: Connection) -> bool:
        """Whether there is a fact by now that it has passed without seeing it."""
        passed, seen = self._position, len(self.seen)
        kept: int = await look.fetchval("select count(*) from eventlog.facts where position <= $1", passed)
        return kept > seen


def _seen(rows: Sequence[asyncpg.Record]) -> Sequence[Seen]:
    return [Seen(row["position"], row["stream"], row["version"]) for row in rows]
