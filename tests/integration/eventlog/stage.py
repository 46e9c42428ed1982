"""Stage: the real append and the real reader, made to take one step at a time in any order we like.

The functions of the log are wrapped, not rewritten: each wrapper does what the function did and waits at a gate before
or behind it. A gate is an advisory lock that the prompter holds and lets go of when that actor is to take that step.
Only sessions that name themselves as actors wait at gates. So whatever text the append has, it is stepped through at:
``lo`` before the fence looks at the sequence, ``seen`` between that look and its lock, ``draw`` behind the fence, and
``end`` in the commit, when everything is written; and a reader at ``seen``, between the sequence and the locks, and at
``rows``, between the horizon and the rows.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from enum import IntEnum
from typing import TypeAlias

import asyncpg

from eventlog.connections import Pool
from eventlog.facts import Stored
from eventlog.log import Append, Appended
from eventlog.postgres_log import PostgresLog, read_after
from tests.conftest import as_application
from tests.integration.eventlog.postgresql import Connection, connected, definition, replaced

PAGE = 50
ReadAfter: TypeAlias = Callable[[Connection, int, int], Awaitable[tuple[Sequence[Stored], int]]]


class Gate(IntEnum):
    """Where an actor waits. Passing a gate is a step; ``START`` has no gate."""

    START = 0
    LO = 1
    SEEN = 2
    DRAW = 3
    ROWS = 4
    END = 5


class Actor(IntEnum):
    ONE = 1
    TWO = 2
    READER = 3


GATES = """
create schema gates;
create table gates.in_vain (actor int);
create function gates.wait(gate int) returns void language plpgsql as $$
begin
    if coalesce(current_setting('gates.actor', true), '') <> '' then
        perform pg_advisory_xact_lock_shared(current_setting('gates.actor')::int, gate);
    end if;
end $$;

create or replace function eventlog.last_position() returns bigint language plpgsql volatile as $$
declare seen bigint := gates.last_position();
begin
    if current_setting('gates.of_the_fence', true) = 'yes' then perform gates.wait(2); end if;
    return seen;
end $$;

create or replace function eventlog.take_fence() returns void language plpgsql volatile as $$
begin
    perform gates.wait(1);
    perform set_config('gates.of_the_fence', 'yes', true);  -- others look at the sequence, too
    perform gates.take_fence();
    perform set_config('gates.of_the_fence', '', true);
    perform gates.wait(3);
end $$;

create or replace function eventlog.horizon() returns bigint language plpgsql volatile as $$
declare horizon bigint;
begin
    perform set_config('gates.of_the_fence', 'yes', true);
    horizon := gates.horizon();
    perform set_config('gates.of_the_fence', '', true);
    perform gates.wait(4);
    return horizon;
end $$;

create function gates.at_end() returns trigger language plpgsql as $$
begin
    perform gates.wait(5);
    if exists (select from gates.in_vain where actor::text = current_setting('gates.actor', true)) then
        raise exception 'rolled back, as told';
    end if;
    return null;
end $$;
create constraint trigger at_end after insert on eventlog.facts deferrable initially deferred
    for each row execute function gates.at_end();

grant usage on schema gates to public;
"""
WRAPPED = ("last_position", "take_fence", "horizon")


async def put_up_gates(owner: Connection) -> None:
    """Wrap what the log calls. Call it on a database of one's own."""
    originals = [
        replaced(
            await definition(owner, f"eventlog.{name}()"), (f"FUNCTION eventlog.{name}()", f"FUNCTION gates.{name}()")
        )
        for name in WRAPPED
    ]
    await owner.execute(GATES)
    for original in originals:
        await owner.execute(original)


class Writer:
    """A process with a log of its own and one connection."""

    def __init__(self, pool: Pool, pid: int) -> None:
        self.pid = pid
        self._log = PostgresLog(pool)

    async def append(self, item: Append) -> None:
        """Append, perhaps in vain."""
        with suppress(asyncpg.RaiseError):
            assert isinstance(await self._log.append(item), Appended)


class Reader:
    """Follows the log from where it stands when the play begins."""

    def __init__(self, connection: Connection, read: ReadAfter) -> None:
        self.pid = connection.get_server_pid()
        self.seen: list[Stored] = []
        self._connection = connection
        self._read = read
        self._position = 0

    async def look(self) -> None:
        facts, self._position = await self._read(self._connection, self._position, PAGE)
        self.seen.extend(facts)


class Stage:
    """Two writers, one reader, and the prompter who says whose turn it is."""

    def __init__(self, prompter: Connection, writers: Sequence[Writer], reader: Reader) -> None:
        self._prompter = prompter
        self._pids = {Actor.ONE: writers[0].pid, Actor.TWO: writers[1].pid, Actor.READER: reader.pid}
        self._acting: dict[Actor, asyncio.Task[None]] = {}
        self.writers = writers
        self.reader = reader

    async def close_gates(self, in_vain: Actor | None) -> None:
        """Begin a play in which this writer's append is rolled back at its end."""
        await self._prompter.execute("delete from gates.in_vain")
        await self._prompter.execute("insert into gates.in_vain values ($1)", in_vain)
        await self._prompter.execute(
            "select pg_advisory_lock(actor, gate) from generate_series(1, 3) actor, generate_series(1, 5) gate"
        )

    async def open_gates(self) -> None:
        """Let everybody finish unprompted."""
        await self._prompter.execute("select pg_advisory_unlock_all()")
        async with asyncio.timeout(20):
            await asyncio.gather(*self._acting.values())
        self._acting.clear()

    async def begin(self, actor: Actor, part: Awaitable[None]) -> bool:
        """Let an actor begin; it comes as far as its first gate, or into another's way: False."""
        self._acting[actor] = asyncio.ensure_future(part)
        return await self._halts(actor, Gate.START)

    async def step(self, actor: Actor, gate: Gate) -> bool:
        """Let an actor pass a gate; it comes as far as its next one. False when another stands in its way."""
        await self._prompter.execute("select pg_advisory_unlock($1, $2)", actor, gate)
        return await self._halts(actor, gate)

    async def _halts(self, actor: Actor, passed: Gate) -> bool:
        async with asyncio.timeout(20):
            while not self._acting[actor].done():
                row = await self._prompter.fetchrow(
                    """select objsubid = 2 and classid = $2 as gate, objid::int as number from pg_locks
                       where pid = $1 and not granted""",
                    self._pids[actor],
                    actor,
                )
                if row is None or (row["gate"] and row["number"] == passed):  # under way
                    await asyncio.sleep(0)
                else:
                    return row["gate"] is True
        return True


@asynccontextmanager
async def a_stage(dsn: str, read: ReadAfter = read_after) -> AsyncGenerator[Stage]:
    """A stage on a database with gates."""
    async with AsyncExitStack() as stack:
        prompter = await stack.enter_async_context(connected(dsn))
        writers: list[Writer] = []
        for actor in (Actor.ONE, Actor.TWO):
            settings = {"gates.actor": str(int(actor)), "synchronous_commit": "off"}
            pool = await stack.enter_async_context(
                asyncpg.create_pool(as_application(dsn), min_size=1, max_size=1, server_settings=settings)
            )
            writers.append(Writer(pool, await pool.fetchval("select pg_backend_pid()")))
        reader = await stack.enter_async_context(connected(as_application(dsn), **{"gates.actor": "3"}))
        yield Stage(prompter, writers, Reader(reader, read))
