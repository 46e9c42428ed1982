"""Appender: many appends a transaction, one round trip each time.

While one batch is on its way to the server, later appends gather; the next one takes all of them, up to BATCH. So a
lone writer waits for nobody, and thirty-two writers share a commit. Two flights are under way at most, each with a
connection of its own: while the server works on the batch of one, this process readies that of the other. A flight that
finds nobody waiting lingers a moment, so that who appends one by one does not pay for a new one each time.

A batch of which nothing is known goes again; one that fails for a reason that may be one item's goes again item by
item. Command ids make that safe, whether or not the first try was kept: an item that was is found again by its id.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
from pydantic_core import to_json

from eventlog.connections import LOST, TIMEOUT, Connection, Pool
from eventlog.errors import Rejected, Unavailable
from eventlog.log import Answer, Append, Appended, Conflict, Outcome, Repeated

BATCH = 32
FLIGHTS = 2
LINGER = 0.2  # seconds that a flight keeps its connection with nothing to send
ATTEMPTS = 3
ROOM_ASKED_EVERY = 1 << 20  # positions; a sixteenth of the room that is made at a time

CommandKey: TypeAlias = tuple[str, UUID]


class _Waiting(NamedTuple):
    item: Append
    outcome: asyncio.Future[Outcome]

    def settle(self, outcome: Outcome) -> None:
        if not self.outcome.done():  # a caller that went away changes nothing about what was kept
            self.outcome.set_result(outcome)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Appender:
    """Keeps what it is given in the schema ``eventlog`` of ``pool``'s database; tells ``sent`` each batch's size."""

    def __init__(self, pool: Pool, sent: Callable[[int], None] = lambda _: None) -> None:
        self._pool = pool
        self._sent = sent
        self._waiting: deque[_Waiting] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._lingering: list[asyncio.Future[None]] = []
        self._room_for = -1

    async def append(self, item: Append) -> Outcome:
        """Keep one item, with whatever else is on its way. Raises Unavailable, and Rejected("not-storable")."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, outcome))
        if len(self._waiting) % BATCH == 1:  # the first of a batch calls for a flight, the others join it
            if self._lingering:
                _wake(self._lingering.pop())
            elif len(self._flights) < FLIGHTS:
                self._take_off()
        return await outcome

    def _take_off(self) -> None:
        flight = asyncio.get_running_loop().create_task(self._fly())
        self._flights.add(flight)
        flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        if self._waiting and len(self._flights) < FLIGHTS:
            self._take_off()

    async def _fly(self) -> None:
        """Deliver batch after batch for as long as there are any: those just answered may well ask again at once."""
        batch = self._boarding()
        try:
            try:
                async with self._connection() as connection:
                    while batch:
                        await self._write(connection, batch)
                        batch = await self._next()
            except (*LOST, asyncpg.PostgresError) as error:
                await self._again(batch, error, 1)
        except BaseException as error:
            _fail(batch, Unavailable(f"the append was broken off: {type(error).__name__}"))
            raise

    async def _next(self) -> Sequence[_Waiting]:
        """Return the next to go, perhaps a moment later; none when nobody comes while this flight lingers."""
        loop = asyncio.get_running_loop()
        called: asyncio.Future[None] = loop.create_future()
        self._lingering.append(called)
        late = loop.call_soon(_wake, called) if self._waiting else loop.call_later(LINGER, _wake, called)
        try:
            await called
        finally:
            late.cancel()
            if called in self._lingering:
                self._lingering.remove(called)
        return self._boarding()

    @asynccontextmanager
    async def _connection(self) -> "AsyncGenerator[Connection[asyncpg.Record]]":
        """One of the pool. (Its own way to wait no longer than a while costs a task.)"""
        async with asyncio.timeout(TIMEOUT):
            connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    def _boarding(self) -> Sequence[_Waiting]:
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
        batch.sort(key=_by_stream)  # the order of locks, the same for all
        return batch

    async def _write(self, connection: "Connection[asyncpg.Record]", batch: Sequence[_Waiting]) -> None:
        self._sent(len(batch))
        row = await connection.fetchrow(
            "select kept, reached, drawn from eventlog.append($1::eventlog.new_append[], $2)",
            [_composite(waiting.item) for waiting in batch],
            any(waiting.item.unchanged for waiting in batch),
        )
        if row is None:
            raise TypeError("a function with out parameters gives a row")
        kept, reached, drawn = (told or () for told in row)
        facts = 0
        for item_no, version in zip(kept, reached, strict=True):
            waiting = batch[item_no - 1]
            item = waiting.item
            facts += len(item.facts)
            position = drawn[facts - 1] if item.published and item.facts else None
            waiting.settle(Appended(Answer(version, position, item.digest, item.answer)))
        if len(kept) < len(batch):
            await self._tell_why(connection, [waiting for n, waiting in enumerate(batch, 1) if n not in kept])
        if drawn and drawn[-1] // ROOM_ASKED_EVERY != self._room_for:
            await connection.execute("select eventlog.make_room()")
            self._room_for = drawn[-1] // ROOM_ASKED_EVERY

    async def _tell_why(self, connection: "Connection[asyncpg.Record]", left_out: Sequence[_Waiting]) -> None:
        """Settle what was not kept: accepted before, or in conflict."""
        known = await answers(connection, [_key(waiting.item) for waiting in left_out])
        for waiting in left_out:
            answer = known.get(_key(waiting.item))
            waiting.settle(Conflict() if answer is None else Repeated(answer))

    async def _again(self, batch: Sequence[_Waiting], error: Exception, attempt: int) -> None:
        """Deliver a batch that failed, as far as the error leaves hope."""
        if isinstance(error, LOST):
            if attempt == ATTEMPTS:
                return _fail(batch, Unavailable(type(error).__name__))
            await asyncio.sleep(0.1 * attempt)
        elif isinstance(error, asyncpg.CheckViolationError):
            if attempt == ATTEMPTS:
                return _fail(batch, error)
            await self._pool.execute("select eventlog.make_room()")
        elif len(batch) > 1:
            for waiting in batch:
                await self._deliver([waiting], 1)
            return None
        elif isinstance(error, asyncpg.UniqueViolationError):
            # Accepted before, or its stream appeared at this very moment: then the next look says so.
            key = _key(batch[0].item)
            known = await answers(self._pool, [key])
            if key in known:
                return batch[0].settle(Repeated(known[key]))
            if attempt == ATTEMPTS:
                return _fail(batch, Unavailable("it kept racing with others"))
        elif isinstance(error, asyncpg.DataError):
            return _fail(batch, Rejected("not-storable"))  # not chained: its words repeat the data
        else:
            return _fail(batch, error)
        return await self._deliver(batch, attempt + 1)

    async def _deliver(self, batch: Sequence[_Waiting], attempt: int) -> None:
        try:
            async with self._connection() as connection:
                await self._write(connection, batch)
        except (*LOST, asyncpg.PostgresError) as error:
            await self._again(batch, error, attempt)


async def answers(
    connection: "Pool | Connection[asyncpg.Record]", commands: Sequence[CommandKey]
) -> Mapping[CommandKey, Answer]:
    """Return what those of the commands were told that were accepted before."""
    rows = await connection.fetch(
        """select c.tenant, c.command_id, c.digest, c.version, c.body::text,
                  (select f.position from eventlog.facts f
                   where c.added > 0 and f.published and f.stream_no = c.stream_no and f.version = c.version
                  ) as position
           from unnest($1::text[], $2::uuid[]) as asked (tenant, command_id)
           join eventlog.commands c using (tenant, command_id)""",
        [tenant for tenant, _ in commands],
        [command_id for _, command_id in commands],
    )
    return {
        (r["tenant"], r["command_id"]): Answer(r["version"], r["position"], r["digest"], json.loads(r["body"]))
        for r in rows
    }


def _key(item: Append) -> CommandKey:
    return item.tenant, item.command_id


def _by_stream(waiting: _Waiting) -> tuple[str, str]:
    return waiting.item.tenant, str(waiting.item.stream)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        waiting.fail(error)


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
        to_json(item.answer).decode(),
        [(fact.fact_id, fact.name, fact.schema, fact.json) for fact in item.facts],
        [(timer.due_at, timer.command) for timer in item.timers] or None,
        [(str(stream), version) for stream, version in item.unchanged] or None,
    )
