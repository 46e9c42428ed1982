"""Planted: a service served with a known bug in it, so that the checkers can be seen to find it.

``python -m tests.chaos.planted <bug> services.intake.app:create --port 8101``. A bug is planted in the statements that
the service sends to its database, or in a public method whose parameters are checked; where it no longer applies, the
service does not start, or the run finds that the bug never acted.
"""

import asyncio
import inspect
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
from uuid_utils.compat import uuid7

from eventlog import relay as relays
from eventlog import sources
from eventlog.decider import AnyDecider
from eventlog.effect import Key
from eventlog.facts import Recorded, Value
from eventlog.handler import Accepted, Handler, Request
from eventlog.kafka import Record
from eventlog.log import Append, Outcome, Timer
from eventlog.postgres_log import PostgresLog
from eventlog.read_model import ReadModel
from eventlog.records import of_row
from tests.chaos.planting import ACTED, OWNER_DSN, POISON
from web import serve
from web.background import Work
from web.write_service import WriteService

LATE = 0.02  # seconds between an answer and the commit it spoke of
BETWEEN = 0.1  # seconds between a position and the rows it speaks of

_Connection = Any  # a connection of asyncpg, or of its pool: the stubs tell them apart more than we can
_Run = Callable[[_Connection, str, tuple[Any, ...]], Awaitable[Any]]
_Statement = Callable[[_Run, _Connection, str, tuple[Any, ...]], Awaitable[Any]]


def acted() -> None:
    """Say once that the bug did something."""
    if not _said:
        _said.append(True)
        print(ACTED, flush=True)  # noqa: T201  # read from the service's log


_said: list[bool] = []


def on_statement(part: str, instead: _Statement) -> None:
    """Do something else with every statement that has ``part`` in it, whichever way it is sent."""
    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        _intercept(name, part, instead)


def _intercept(name: str, part: str, instead: _Statement) -> None:
    original: Any = method(asyncpg.Connection, name, "self", "query", "*args")

    async def intercepted(self: _Connection, query: str, *args: Any, **options: Any) -> Any:
        if part not in query:
            return await original(self, query, *args, **options)
        acted()

        async def run(connection: _Connection, query: str, args: tuple[Any, ...]) -> Any:
            return await original(connection, query, *args, **options)

        return await instead(run, self, query, args)

    put(asyncpg.Connection, name, intercepted)


def method(owner: type, name: str, *parameters: str) -> Any:
    """A method as it is, if its first parameters are these. Raises TypeError: the bug cannot be planted any more."""
    found = inspect.getattr_static(owner, name, None)
    if found is None:
        raise TypeError(f"{owner.__name__} has no {name} to plant a bug in")
    seen = [("*" if p.kind is p.VAR_POSITIONAL else "") + p.name for p in inspect.signature(found).parameters.values()]
    if seen[: len(parameters)] != list(parameters):
        raise TypeError(f"{owner.__name__}.{name} takes {seen}, not {parameters}")
    return found


def put(owner: object, name: str, instead: object) -> None:
    setattr(owner, name, instead)


class Aside:
    """Connections beside the service's pool, for what must be committed apart."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._free: list[_Connection] = []

    async def take(self) -> _Connection:
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return await asyncpg.connect(self._dsn, command_timeout=10)

    def give(self, connection: _Connection) -> None:
        self._free.append(connection)

    async def do(self, run: _Run, query: str, args: tuple[Any, ...]) -> Any:
        """Run a statement in a transaction of its own."""
        connection = await self.take()
        try:
            return await run(connection, query, args)
        finally:
            self.give(connection)


def commit_after_ack() -> None:
    """The command is answered, and its transaction committed a little later."""
    aside, pending = Aside(os.environ["SHANGYI_DSN"]), set[asyncio.Task[None]]()

    async def append(run: _Run, _: _Connection, query: str, args: tuple[Any, ...]) -> Any:
        connection = await aside.take()
        transaction = connection.transaction()
        await transaction.start()
        try:
            rows = await run(connection, query, args)
        except BaseException:
            await transaction.rollback()
            raise

        async def commit() -> None:
            await asyncio.sleep(LATE)
            await transaction.commit()
            aside.give(connection)

        task = asyncio.create_task(commit())
        pending.add(task)
        task.add_done_callback(pending.discard)
        return rows

    on_statement("eventlog.append(", append)


def offset_before_rows() -> None:
    """A consumer's position is committed by itself, and its rows after it."""
    aside = Aside(os.environ["SHANGYI_DSN"])

    async def move(run: _Run, _: _Connection, query: str, args: tuple[Any, ...]) -> Any:
        moved = await aside.do(run, query, args)
        await asyncio.sleep(BETWEEN)
        return moved

    on_statement("update eventlog.cursors", move)


def auto_commit() -> None:
    """A consumer's position is committed when facts are read, whatever becomes of them."""
    aside = Aside(os.environ["SHANGYI_DSN"])

    def commit_on_read(kind: Any) -> None:
        read = method(kind, "read", "self", "connection", "cursor")

        async def committing(self: Any, connection: _Connection, cursor: Any) -> Any:
            batch = await read(self, connection, cursor)
            if batch.cursor != cursor:
                beside = await aside.take()
                await beside.execute(
                    "update eventlog.cursors  set position = $2, pseq = $3, token = $4 where source = $1",
                    self.name,
                    batch.cursor.position,
                    batch.cursor.pseq,
                    batch.cursor.token,
                )
                aside.give(beside)
                await asyncio.sleep(BETWEEN)
            return batch

        put(kind, "read", committing)

    async def committed_already(_: _Run, __: _Connection, ___: str, ____: tuple[Any, ...]) -> Any:
        return 1

    commit_on_read(sources.Topic)
    commit_on_read(sources.OwnLog)
    on_statement("update eventlog.cursors set", committed_already)


def naive_cursor() -> None:
    """Readers go on behind the highest position they see, whoever is still to commit a smaller one."""

    async def highest(run: _Run, connection: _Connection, query: str, args: tuple[Any, ...]) -> Any:
        seen = query.replace("eventlog.horizon()", "(select coalesce(max(position), 0) from eventlog.facts)")
        return await run(connection, seen, args)

    on_statement("eventlog.horizon()", highest)


def no_dedupe() -> None:
    """Every try of a command is a command of its own."""
    send = method(Handler, "send", "self", "decider", "key", "command", "request")

    async def anew(self: Handler, decider: AnyDecider, key: object, command: Value, request: Request) -> Accepted:
        acted()
        accepted: Accepted = await send(self, decider, key, command, replace(request, command_id=uuid7()))
        return accepted

    put(Handler, "send", anew)


def dedupe_row_lost() -> None:
    """What an accepted command was told is lost for one in three of them."""
    aside = Aside(os.environ[OWNER_DSN])

    async def append(run: _Run, connection: _Connection, query: str, args: tuple[Any, ...]) -> Any:
        rows = await run(connection, query, args)
        owner = await aside.take()
        await owner.execute(
            "delete from eventlog.commands where at > now() - interval '1 s' and hashtext(command_id::text) % 3 = 0"
        )
        aside.give(owner)
        return rows

    on_statement("eventlog.append(", append)


def second_relay() -> None:
    """Two relays lead at once, neither heeds the other's epoch, and each numbers what it sends by itself."""
    works = method(WriteService, "works", "self")
    method(relays.Relay, "__init__", "self", "pool", "log", "kafka", "topic")
    if getattr(relays, "of_row", None) is not of_row:
        raise TypeError("the relay does not number its records by of_row any more")

    def two(self: WriteService) -> Sequence[Work]:
        second = relays.Relay(self.pool, self.log, self.kafka, self.settings.topic(self.name))
        second.work = f"{second.work}/second"  # a lock of its own is as good as none
        return (*works(self), second.run)

    async def unfenced(run: _Run, connection: _Connection, query: str, args: tuple[Any, ...]) -> Any:
        return await run(connection, query.replace("epoch = $2", "$2::bigint is not null"), args)

    numbers: list[itertools.count[int]] = []

    def numbered(row: asyncpg.Record, pseq: int) -> Record:
        if not numbers:
            numbers.append(itertools.count(pseq))
        return of_row(row, next(numbers[0]))

    put(WriteService, "works", two)
    put(relays, "of_row", numbered)
    on_statement("update eventlog.relays", unfenced)


class Poisoned(Exception):
    """A fact that a read model cannot digest."""


def poison() -> None:
    """No bug: while the poison is there, one in five facts cannot be folded, as with a fold that has a fault."""
    _poison(skips=False)


def poison_that_skips() -> None:
    """What cannot be folded is left out, and its row is never brought up to date."""
    _poison(skips=True)


def _poison(*, skips: bool) -> None:
    fold = method(ReadModel, "fold", "self", "rows", "facts")
    file = Path(os.environ[POISON])

    def folding(self: Any, rows: Any, facts: Sequence[tuple[Key, Recorded[Any]]]) -> Any:
        after = dict(rows)
        for key, fact in facts:
            if fact.fact_id.int % 5 == 0 and file.exists():
                acted()
                if not skips:
                    raise Poisoned
                continue
            after = fold(self, after, [(key, fact)])
        return after

    put(ReadModel, "fold", folding)


def timer_in_memory() -> None:
    """What falls due is kept by the process that heard of it."""
    append = method(PostgresLog, "append", "self", "item")
    method(PostgresLog, "due", "self", "limit", "latest")
    kept: dict[tuple[str, Any], tuple[Timer, ...]] = {}

    async def remembering(self: PostgresLog, item: Append) -> Outcome:
        outcome: Outcome = await append(self, replace(item, timers=()))
        answer = getattr(outcome, "answer", None)
        if answer is not None and item.timers:
            acted()
        if answer is not None:
            version: int = answer.version
            kept[item.tenant, item.stream] = tuple(
                Timer(item.tenant, item.stream, version, n, timer.due_at, timer.command)
                for n, timer in enumerate(item.timers)
            )
        return outcome

    async def remembered(self: PostgresLog, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        del latest
        now: datetime = await self.now()
        timers = [timer for timers in kept.values() for timer in timers if timer.due_at <= now]
        return sorted(timers, key=lambda timer: timer.due_at)[:limit]

    put(PostgresLog, "append", remembering)
    put(PostgresLog, "due", remembered)


def lazy_commit() -> None:
    """The server answers a commit before it is on disk."""
    pool = asyncpg.create_pool

    def lazily(dsn: str, **options: Any) -> Any:
        acted()
        return pool(dsn, server_settings={"synchronous_commit": "off"}, **options)

    put(asyncpg, "create_pool", lazily)


BUGS: dict[str, Callable[[], None]] = {
    "commit-after-ack": commit_after_ack,
    "auto-commit": auto_commit,
    "offset-before-rows": offset_before_rows,
    "naive-cursor": naive_cursor,
    "no-dedupe": no_dedupe,
    "dedupe-row-lost": dedupe_row_lost,
    "second-relay": second_relay,
    "poison": poison,
    "poison-that-skips": poison_that_skips,
    "timer-in-memory": timer_in_memory,
    "lazy-commit": lazy_commit,
}


def main() -> None:
    """Plant the bug that the first argument names, and serve as ever."""
    BUGS[sys.argv.pop(1)]()
    serve.main()


if __name__ == "__main__":
    main()
