"""TimerTable: timers as operators see them, and the three things that may be done to one by hand.

None of them reaches into a stream: what an aggregate wants to fall due is said by its state, and its next append stores
that set anew, whatever was done here. A command that a runner has taken up already is not called back. Whatever is done
is written down with its reason, in the same transaction.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from eventlog.connections import Pool, pool_of
from eventlog.errors import EventLogError


class NoSuchTimer(EventLogError):
    """No timer is as it was named: never was, has fired, was replaced meanwhile, or stands in several counties."""


@dataclass(frozen=True)
class StandingTimer:
    """A timer that waits. ``due_at`` None: it was put aside. ``due``: it should have fired by now."""

    tenant: str
    stream: str
    version: int
    n: int
    command: str
    due_at: datetime | None
    due: bool


@dataclass(frozen=True)
class Intervention:
    """What was done to a timer by hand, by whom and why. ``due_at``: when it would have fallen due."""

    tenant: str
    stream: str
    version: int
    n: int
    command: str
    due_at: datetime
    done: str
    reason: str
    by_whom: str
    at: datetime


class TimerTable:
    """The timers of one service."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def standing(
        self, limit: int, stream: str | None = None, tenant: str | None = None
    ) -> Sequence[StandingTimer]:
        """Return the timers that wait, earliest first, what was put aside last; of one stream, of one county."""
        rows = await self._pool.fetch(
            """select tenant, stream, version, n, command->>'name' as command, nullif(due_at, 'infinity') as due_at,
                      due_at <= eventlog.now() as due
               from eventlog.timers t
               where ($2::text is null or stream = $2) and ($3::text is null or tenant = $3)
               order by t.due_at, tenant, stream, n limit $1""",
            limit,
            stream,
            tenant,
        )
        return [StandingTimer(**dict(row)) for row in rows]

    async def interventions(self, limit: int) -> Sequence[Intervention]:
        """Return what was done by hand, latest first."""
        rows = await self._pool.fetch("select * from eventlog.interventions order by at desc limit $1", limit)
        return [Intervention(**dict(row)) for row in rows]

    async def cancel(self, stream: str, n: int, reason: str, by_whom: str, tenant: str | None = None) -> StandingTimer:
        """Put a timer aside: it does not fall due until it is restored, or its stream says anew what falls due.

        Raises NoSuchTimer.
        """
        timer = await self._one(stream, n, tenant, aside=False)
        await self._change(timer, None, "cancelled", reason, by_whom)
        return timer

    async def restore(self, stream: str, n: int, reason: str, by_whom: str, tenant: str | None = None) -> StandingTimer:
        """Let a timer that was put aside fall due when it would have. Raises NoSuchTimer."""
        timer = await self._one(stream, n, tenant, aside=True)
        due_at = await self._pool.fetchval(
            """select due_at from eventlog.interventions
               where tenant = $1 and stream = $2 and version = $3 and n = $4 and done = 'cancelled'
               order by at desc limit 1""",
            timer.tenant,
            timer.stream,
            timer.version,
            timer.n,
        )
        await self._change(timer, due_at, "restored", reason, by_whom)
        return timer

    async def move(
        self, stream: str, n: int, to: datetime, reason: str, by_whom: str, tenant: str | None = None
    ) -> StandingTimer:
        """Let one timer fall due at another time: in development only, which the caller sees to. Raises NoSuchTimer.

        Its rule still decides: a deadline that is not over yet is refused, and the timer put off.
        """
        timer = await self._one(stream, n, tenant, aside=False)
        await self._change(timer, to, "moved", reason, by_whom)
        return timer

    async def _one(self, stream: str, n: int, tenant: str | None, *, aside: bool) -> StandingTimer:
        found = [timer for timer in await self.standing(1_000, stream, tenant) if timer.n == n]
        if len(found) != 1:
            raise NoSuchTimer("there is none" if not found else "it stands in several counties")
        [timer] = found
        if (timer.due_at is None) is not aside:
            raise NoSuchTimer("it was put aside" if timer.due_at is None else "it was not put aside")
        return timer

    async def _change(self, timer: StandingTimer, to: datetime | None, done: str, reason: str, by_whom: str) -> None:
        changed = await self._pool.fetchval(
            """with found as (
                   select * from eventlog.timers
                   where tenant = $1 and stream = $2 and version = $3 and n = $4
                     and due_at = coalesce($5, 'infinity'::timestamptz)
                   for update
               ), noted as (
                   insert into eventlog.interventions
                       (tenant, stream, version, n, command, due_at, done, reason, by_whom)
                   select tenant, stream, version, n, command->>'name', coalesce($5, $6), $7, $8, $9 from found
               )
               update eventlog.timers t set due_at = coalesce($6, 'infinity'::timestamptz) from found
               where t.tenant = found.tenant and t.stream = found.stream and t.n = found.n
               returning true""",
            timer.tenant,
            timer.stream,
            timer.version,
            timer.n,
            timer.due_at,
            to,
            done,
            reason,
            by_whom,
        )
        if changed is None:
            raise NoSuchTimer("it has fired or was replaced at this very moment")


@asynccontextmanager
async def timer_table(dsn: str) -> AsyncGenerator[TimerTable]:
    """The timers of the service whose database ``dsn`` names."""
    async with pool_of(dsn, 1) as pool:
        yield TimerTable(pool)
