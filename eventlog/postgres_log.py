"""The log in PostgreSQL: one round trip an append, many appends a transaction, and readers that never skip.

The algorithms stand in postgres_log.sql beside their reasons. Here: what travels together. While one batch is on its
way to the server, later appends gather; the next flight takes all of them. So a lone writer waits for nobody, and
sixty-four writers share a commit. A batch of which nothing is known goes again; one that fails for a reason that may
be one item's goes again item by item. Command ids make that safe, whether or not the first try was kept.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from eventlog.errors import Rejected, Unavailable
from eventlog.facts import Stored, StreamId
from eventlog.log import Answer, Append, Appended, Conflict, Outcome, Repeated, Timer

SCHEMA = Path(__file__).with_suffix(".sql")
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

BATCH = 32
FLIGHTS = 2
CLOCK_TRUSTED_FOR = 1.0  # seconds between looks at the database's clock; in between the monotonic clock carries it on
ATTEMPTS = 3
TIMEOUT = 10.0  # seconds for one call; a connection that swallows everything must not hold a flight for ever
LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is going down, coming up, or was told to stop this
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock was broken
)
"""What says nothing about the words sent: the same call may succeed later."""
COLUMNS = """fact_id, tenant, stream, version, position, published, organ, matter, actor, occurred_at, recorded_at,
             correlation, causation, name, schema, data::text as json"""


def pool_of(dsn: str, size: int) -> Pool:
    """Return a pool that connects when first asked, so that a service can start before its database answers, and whose
    calls never wait without a bound.

    Its connections carry no session state (elections clean up after themselves), so they are given on without the
    round trip of a reset; an open transaction is rolled back all the same.
    """
    return asyncpg.create_pool(dsn, min_size=0, max_size=size, reset=_as_it_is, command_timeout=TIMEOUT)


async def _as_it_is(_: object) -> None:
    return


@dataclass
class _Waiting:
    item: Append
    outcome: asyncio.Future[Outcome]


class PostgresLog:
    """An EventLog whose facts lie in the schema ``eventlog`` of ``pool``'s database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: deque[_Waiting] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._clock: tuple[float, datetime] | None = None

    async def append(self, item: Append) -> Outcome:
        waiting = _Waiting(item, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._take_off()
        # Shielded: a caller that goes away must not take back what a batch is already writing.
        outcome = await asyncio.shield(waiting.outcome)
        if isinstance(outcome, Appended):
            self._news.set()
        return outcome

    def _take_off(self) -> None:
        if self._waiting and len(self._flights) < FLIGHTS:
            flight = asyncio.get_running_loop().create_task(self._fly())
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._take_off()

    def _boarding(self) -> list[_Waiting]:
        """Take up to BATCH waiting items that leave each other alone; the others keep their order.

        One a stream, one a command id, and none that writes what another looked at.
        """
        batch: list[_Waiting] = []
        left: deque[_Waiting] = deque()
        written: set[object] = set()
        looked_at: set[object] = set()
        while self._waiting and len(batch) < BATCH:
            waiting = self._waiting.popleft()
            item = waiting.item
            writes = {(item.tenant, item.stream), (item.tenant, item.command_id)}
            looks = {(item.tenant, stream) for stream, _ in item.unchanged}
            if writes & (written | looked_at) or looks & written:
                left.append(waiting)
            else:
                batch.append(waiting)
            written |= writes
            looked_at |= looks
        self._waiting.extendleft(reversed(left))
        return batch

    async def _fly(self) -> None:
        batch = self._boarding()
        try:
            if batch:
                await self._deliver(batch)
        except BaseException as error:
            _settle(batch, Unavailable(f"the append was broken off: {type(error).__name__}"))
            raise

    async def _deliver(self, batch: Sequence[_Waiting]) -> None:
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._write(batch)
            except LOST as error:
                reason = type(error).__name__
                await asyncio.sleep(0.1 * attempt)
            except asyncpg.PostgresError as error:
                if len(batch) > 1:
                    for waiting in batch:
                        await self._deliver([waiting])
                    return None
                if isinstance(error, asyncpg.DataError):
                    # Not chained: its words repeat the data.
                    return _settle(batch, Rejected("not-storable"))
                if not isinstance(error, asyncpg.UniqueViolationError):
                    return _settle(batch, error)
                reason = "the command kept racing with itself"  # and lost: the next look finds the answer
        return _settle(batch, Unavailable(reason))

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        rows = await self._pool.fetch(
            "select * from eventlog.append($1::eventlog.new_append[])",
            [_composite(waiting.item) for waiting in batch],
            timeout=TIMEOUT,
        )
        for waiting, row in zip(batch, rows, strict=True):
            waiting.outcome.set_result(_outcome(row))

    async def answer(self, tenant: str, command_id: UUID) -> Answer | None:
        with _reachable():
            row = await self._pool.fetchrow(
                "select * from eventlog.commands where tenant = $1 and command_id = $2", tenant, command_id
            )
        return None if row is None else _answer(row)

    async def stream(self, tenant: str, stream: StreamId, after_version: int = 0) -> Sequence[Stored]:
        with _reachable():
            rows = await self._pool.fetch(
                f"""select {COLUMNS} from eventlog.facts
                    where tenant = $1 and stream = $2 and version > $3 order by version""",  # noqa: S608  # a constant
                tenant,
                str(stream),
                after_version,
            )
        return [stored(row) for row in rows]

    async def after(self, position: int, limit: int) -> tuple[Sequence[Stored], int]:
        with _reachable():
            async with self._pool.acquire() as connection:
                return await read_after(connection, position, limit)

    async def due(self, limit: int) -> Sequence[Timer]:
        with _reachable():
            rows = await self._pool.fetch(
                """select tenant, stream, version, n, due_at, command::text from eventlog.timers
                   where due_at <= eventlog.now() order by due_at limit $1""",
                limit,
            )
        return [
            Timer(r["tenant"], StreamId.parse(r["stream"]), r["version"], r["n"], r["due_at"], r["command"])
            for r in rows
        ]

    async def next_due(self) -> datetime | None:
        with _reachable():
            due: datetime | None = await self._pool.fetchval("select min(due_at) from eventlog.timers")
        return due

    async def postpone(self, timer: Timer, by: timedelta) -> bool:
        with _reachable():
            put_off = await self._pool.fetchval(
                """update eventlog.timers set due_at = eventlog.now() + $5
                   where tenant = $1 and stream = $2 and version = $3 and n = $4 returning true""",
                timer.tenant,
                str(timer.stream),
                timer.version,
                timer.n,
                by,
            )
        return put_off is not None

    async def now(self) -> datetime:
        if self._clock is None or time.monotonic() - self._clock[0] > CLOCK_TRUSTED_FOR:
            with _reachable():
                told: datetime = await self._pool.fetchval("select eventlog.now()")
            # Counted from the reply, not the question: so it lags by the reply's way and never runs ahead.
            self._clock = (time.monotonic(), told)
        read, told = self._clock
        return told + timedelta(seconds=time.monotonic() - read)

    async def move_clock(self, to: datetime) -> None:
        with _reachable():
            moved = await self._pool.fetchval(
                """update eventlog.clock set ahead = $1::timestamptz - clock_timestamp()
                   where $1 >= eventlog.now() returning true""",
                to,
            )
        if moved is None:
            raise Rejected("clock-not-forward")
        self._clock = None
        self._news.set()

    async def appended(self, patience: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._news.wait()
        self._news.clear()


async def read_after(
    connection: "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]",
    position: int,
    limit: int,
) -> tuple[Sequence[Stored], int]:
    """Read behind ``position`` up to the horizon.

    Two statements on purpose: the rows must be looked for after the fence, in a snapshot of their own. So never call
    this inside a transaction that is not READ COMMITTED.
    """
    horizon: int = await connection.fetchval("select eventlog.horizon()")
    if horizon <= position:
        return [], position
    rows = await connection.fetch(
        f"select {COLUMNS} from eventlog.facts where position > $1 and position <= $2 order by position limit $3",  # noqa: S608  # COLUMNS is a constant
        position,
        horizon,
        limit,
    )
    full = len(rows) == limit
    return [stored(row) for row in rows], rows[-1]["position"] if full else horizon


def stored(row: asyncpg.Record) -> Stored:
    """Turn a row with COLUMNS into a fact as stored."""
    values: dict[str, Any] = dict(row)
    values["stream"] = StreamId.parse(values["stream"])
    return Stored(**values)


@contextmanager
def _reachable() -> Generator[None]:
    try:
        yield
    except LOST as error:
        raise Unavailable(type(error).__name__) from error


def _settle(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)


def _composite(item: Append) -> tuple[object, ...]:
    return (
        item.tenant,
        str(item.stream),
        int(item.expected),
        item.published,
        item.organ,
        item.matter,
        item.actor,
        item.occurred_at,
        item.command_id,
        item.digest,
        item.correlation,
        item.causation,
        json.dumps(dict(item.answer)),
        [(fact.fact_id, fact.name, fact.schema, fact.json) for fact in item.facts],
        [(timer.due_at, timer.command) for timer in item.timers],
        [(str(stream), version) for stream, version in item.unchanged],
    )


def _answer(row: asyncpg.Record) -> Answer:
    return Answer(row["version"], row["position"], row["digest"], json.loads(row["body"]))


def _outcome(row: asyncpg.Record) -> Outcome:
    match row["outcome"]:
        case "appended":
            return Appended(_answer(row))
        case "repeated":
            return Repeated(_answer(row))
        case _:
            return Conflict()
