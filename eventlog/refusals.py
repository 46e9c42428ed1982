"""Refusals: commands of reactions and timers that a rule refused, which nobody is there to be told of but operators."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from eventlog.connections import Pool
from eventlog.errors import Rejected
from eventlog.log import Timer
from eventlog.parked import Asker


class TimerRefusals:
    """Where refused timer commands are written down."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __call__(self, timer: Timer, command_id: UUID, command: str, refusal: Exception) -> None:
        await record(self._pool, timer.tenant, "timer", command_id, str(timer.stream), command, refusal, None)


@dataclass(frozen=True)
class RefusedCommand:
    """A command of a reaction or a timer that a rule refused. ``cause``: the fact it followed from, if any."""

    tenant: str
    sender: str
    command_id: UUID
    stream: str
    command: str
    code: str
    cause: UUID | None
    at: datetime


async def latest(asker: Asker, limit: int) -> Sequence[RefusedCommand]:
    """Return the latest refused commands, latest first."""
    rows = await asker.fetch(
        """select tenant, sender, command_id, stream, command, code, cause, at from eventlog.refusals
           order by at desc, command_id limit $1""",
        limit,
    )
    return [RefusedCommand(**dict(row)) for row in rows]


async def among(pool: Pool, tenants: Collection[str], command_ids: Sequence[UUID]) -> Collection[UUID]:
    """Return those of the commands, sent for these tenants, that were refused; asks nobody where there are none."""
    if not command_ids:
        return ()
    rows = await pool.fetch(
        "select command_id from eventlog.refusals where tenant = any($1) and command_id = any($2)",
        list(tenants),
        command_ids,
    )
    return {row["command_id"] for row in rows}


async def record(
    pool: Pool,
    tenant: str,
    sender: str,
    command_id: UUID,
    stream: str,
    command: str,
    refusal: Exception,
    cause: UUID | None,
) -> None:
    """Write a refused command down, once: its name, never its words, which may be personal."""
    code = refusal.code if isinstance(refusal, Rejected) else type(refusal).__name__
    await pool.execute(
        """insert into eventlog.refusals (tenant, sender, command_id, stream, command, code, cause)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing""",
        tenant,
        sender,
        command_id,
        stream,
        command,
        code,
        cause,
    )
