"""Appender: many appends a transaction, one round trip each time.

While one batch is on its way to the server, later appends gather; the next flight takes all of them. So a lone writer
waits for nobody, and sixty-four writers share a commit. Two flights are under way at most: while the server works on
one, this process readies the other. A batch of which nothing is known goes again; one that fails for a reason that may
be one item's goes again item by item. Command ids make that safe, whether or not the first try was kept: an item that
was is found again by its id.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import asyncpg

from eventlog.connections import LOST, TIMEOUT, Pool
from eventlog.errors import Rejected, Unavailable
from eventlog.log import Answer, Append, Appended, Conflict, Outcome, Repeated

BATCH = 64
FLIGHTS = 2
ATTEMPTS = 3
ROOM_ASKED_EVERY = 1 << 20  # positions; a sixteenth of the room that is made at a time

Connection = asyncpg.pool.PoolConnectionProxy
CommandKey: TypeAlias = tuple[str, UUID]


@dataclass(frozen=True, eq=False)
class _Waiting:
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
        self._room_for = -1

    async def append(self, item: Append) -> Outcome:
        """Keep one item, with whatever else is on its way. Raises Unavailable, and Rejected("not-storable")."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(item, outcome))
        if len(self._flights) < FLIGHTS:
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
                async with self._pool.acquire(timeout=TIMEOUT) as connection:
                    while batch:
                        await self._write(connection, batch)
                        await asyncio.sleep(0)
                        batch = self._boarding()
            except (*LOST, asyncpg.PostgresError) as error:
                await self._again(batch, error, 1)
        except BaseException as error:
            _fail(batch, Unavailable(f"the append was broken off: {type(error).__name__}"))
            raise

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
        return batch

    async def _write(self, connection: "Connection[asyncpg.Record]", batch: Sequence[_Waiting]) -> None:
        self._sent(len(batch))
        row = await connection.fetchrow(
            "select reached, drawn from eventlog.append($1::eventlog.new_append[])",
            [_composite(waiting.item) for waiting in batch],
        )
        if row is None:
            raise TypeError("a function with out parameters gives a row")
        reached, drawn = row
        left_out = [_key(waiting.item) for waiting, version in zip(batch, reached, strict=True) if version is None]
        known: Mapping[CommandKey, Answer] = await answers(connection, left_out) if left_out else {}
        facts = 0
        for waiting, version in zip(batch, reached, strict=True):
            item = waiting.item
            if version is not None:
                facts += len(item.facts)
                position = drawn[facts - 1] if item.published and item.facts else None
                waiting.settle(Appended(Answer(version, position, item.digest, item.answer)))
            elif _key(item) in known:
                waiting.settle(Repeated(known[_key(item)]))
            else:
                waiting.settle(Conflict())
        if drawn and drawn[-1] // ROOM_ASKED_EVERY != self._room_for:
            await connection.execute("select eventlog.make_room()")
            self._room_for = drawn[-1] // ROOM_ASKED_EVERY

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
            async with self._pool.acquire(timeout=TIMEOUT) as connection:
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
        json.dumps(dict(item.answer)),
        [(fact.fact_id, fact.name, fact.schema, fact.json) for fact in item.facts],
        [(timer.due_at, timer.command) for timer in item.timers],
        [(str(stream), version) for stream, version in item.unchanged],
    )
