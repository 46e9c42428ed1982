"""The log in PostgreSQL: appends in one round trip, and readers that never skip.

The algorithms stand in postgres_log.sql beside their reasons; what travels together, in appender.py.
"""

import asyncio
import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from eventlog.appender import Appender, answers
from eventlog.connections import LOST, Pool
from eventlog.errors import Rejected, Unavailable
from eventlog.facts import Stored, StreamId, made
from eventlog.log import Answer, Append, Appended, Outcome, Timer

AnyConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
SCHEMA = Path(__file__).with_suffix(".sql")
CLOCK_TRUSTED_FOR = 1.0  # seconds between looks at the database's clock; in between the monotonic clock carries it on
NEVER = (-math.inf, datetime.min.replace(tzinfo=UTC))
COLUMNS = """fact_id, tenant, stream, version, position, published, organ, matter, actor, occurred_at, recorded_at,
             correlation, causation, name, schema, data::text as json"""


class PostgresLog:
    """An EventLog whose facts lie in the schema ``eventlog`` of ``pool``'s database.

    ``sent`` is told of every batch how many appends it carries.
    """

    def __init__(self, pool: Pool, sent: Callable[[int], None] = lambda _: None) -> None:
        self._pool = pool
        self._appender = Appender(pool, sent)
        self._news = asyncio.Event()
        self._clock = NEVER
        self._asking_clock = asyncio.Lock()

    async def append(self, item: Append) -> Outcome:
        outcome = await self._appender.append(item)
        if isinstance(outcome, Appended):
            self._news.set()
        return outcome

    async def answer(self, tenant: str, command_id: UUID) -> Answer | None:
        with _reachable():
            return (await answers(self._pool, [(tenant, command_id)])).get((tenant, command_id))

    async def stream(
        self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Stored]:
        with _reachable():
            rows = await self._pool.fetch(
                f"""select {COLUMNS} from eventlog.facts
                    where stream_no = (select no from eventlog.streams where tenant = $1 and stream = $2)
                      and position > (select since from eventlog.streams where tenant = $1 and stream = $2)
                      and version > $3
                    order by version limit $4""",  # noqa: S608  # COLUMNS is a constant
                tenant,
                str(stream),
                after_version,
                limit,
            )
        return [stored(row) for row in rows]

    async def after(self, position: int, limit: int) -> tuple[Sequence[Stored], int]:
        with _reachable():
            async with self._pool.acquire() as connection:
                return await read_after(connection, position, limit)

    async def due(self, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        # A subquery for each row, not a join: so the index on due_at is followed no further than the limit.
        with _reachable():
            rows = await self._pool.fetch(
                f"""select tenant, stream, version, n, due_at, command::text from eventlog.timers t
                    where due_at <= eventlog.now() and n = (
                        select n from eventlog.timers first
                        where first.tenant = t.tenant and first.stream = t.stream order by due_at, n limit 1)
                    order by due_at {"desc" if latest else ""} limit $1""",  # noqa: S608  # one of two words of ours
                limit,
            )
        return [
            Timer(r["tenant"], StreamId.parse(r["stream"]), r["version"], r["n"], r["due_at"], r["command"])
            for r in rows
        ]

    async def next_due(self) -> datetime | None:
        with _reachable():
            due: datetime | None = await self._pool.fetchval(
                "select min(due_at) from eventlog.timers where due_at < 'infinity'"
            )
        return due

    async def postpone(self, timer: Timer, by: timedelta) -> bool:
        with _reachable():
            put_off = await self._pool.fetchval(
                """update eventlog.timers set due_at = eventlog.now() + $5
                   where tenant = $1 and stream = $2 and version = $3 and n = $4 and due_at < 'infinity'
                   returning true""",
                timer.tenant,
                str(timer.stream),
                timer.version,
                timer.n,
                by,
            )
        return put_off is not None

    async def now(self) -> datetime:
        if not self._clock_is_fresh():
            async with self._asking_clock:  # one asks for all
                if not self._clock_is_fresh():
                    with _reachable():
                        told: datetime = await self._pool.fetchval("select eventlog.now()")
                    # Counted from the reply, not the question: so it lags by the reply's way and never runs ahead.
                    self._clock = (time.monotonic(), told)
        read, told = self._clock
        return told + timedelta(seconds=time.monotonic() - read)

    async def wall_clock(self) -> datetime:
        """Return the database host's own clock, whatever the log's was moved by: asked each time."""
        with _reachable():
            told: datetime = await self._pool.fetchval("select clock_timestamp()")
        return told

    def _clock_is_fresh(self) -> bool:
        return time.monotonic() - self._clock[0] <= CLOCK_TRUSTED_FOR

    async def move_clock(self, to: datetime) -> None:
        with _reachable():
            moved = await self._pool.fetchval(
                """update eventlog.clock set ahead = $1::timestamptz - clock_timestamp()
                   where $1 >= eventlog.now() returning true""",
                to,
            )
        if moved is None:
            raise Rejected("clock-not-forward")
        self._clock = NEVER
        self._news.set()

    async def appended(self, patience: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._news.wait()
        self._news.clear()


async def read_after(connection: AnyConnection, position: int, limit: int) -> tuple[Sequence[Stored], int]:
    """Read behind ``position`` up to the horizon, as ``EventLog.after``."""
    rows, reached = await rows_after(connection, COLUMNS, position, limit)
    return [stored(row) for row in rows], reached


async def rows_after(
    connection: AnyConnection, columns: str, position: int, limit: int
) -> tuple[Sequence[asyncpg.Record], int]:
    """The same, but rows with ``columns``, among them ``position``.

    Two statements on purpose: the rows must be looked for after the fence, in a snapshot of their own. So never call
    this inside a transaction that is not READ COMMITTED.
    """
    horizon: int = await connection.fetchval("select eventlog.horizon()")
    if horizon <= position:
        return [], position
    rows = await connection.fetch(
        f"select {columns} from eventlog.facts where position > $1 and position <= $2 order by position limit $3",  # noqa: S608  # constants
        position,
        horizon,
        limit,
    )
    return rows, rows[-1]["position"] if len(rows) == limit else horizon


def stored(row: asyncpg.Record) -> Stored:
    """Turn a row with COLUMNS into a fact as stored."""
    values: dict[str, Any] = dict(row)
    values["stream"] = StreamId.parse(values["stream"])
    return made(Stored, values)


@contextmanager
def _reachable() -> Generator[None]:
    try:
        yield
    except LOST as error:
        raise Unavailable(type(error).__name__) from error
