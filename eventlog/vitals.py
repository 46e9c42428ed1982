"""Vitals: how a service's log and the work behind it are doing, in one bounded question to its database.

Ages are real seconds. The log's clock is real time, too, until development moves it; from then on a fact's age is told
by its id, which carries the time it was made (UUIDv7), where the server can read that (PostgreSQL 18).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from pydantic import BaseModel

from eventlog.connections import LOST, Pool
from eventlog.election import lock_of
from eventlog.errors import Unavailable

PATIENCE = 2.0  # seconds; whoever asks would rather hear that there is no answer
COUNTED = 100_000  # facts; a longer queue is told by positions, which may count some more
OWN = "log"


@dataclass(frozen=True)
class Duty:
    """What one process at a time does: ``consumer`` takes in ``source``, which is OWN or a topic.

    ``name`` is that of its election. Without a consumer it is the relay, and ``source`` the topic it writes.
    """

    name: str
    source: str
    consumer: str | None = None


class Behind(BaseModel):
    """How far a duty's work is behind: ``facts`` wait, the oldest for ``seconds``; None: not known, as a topic's end.

    ``led``: some process has the lead. ``token``: the offset at which its topic is read, or written, on. ``stalled``:
    seconds it was seen to stand still while something waited, by whoever keeps a Watch on it.
    """

    name: str
    consumer: str | None
    source: str
    position: int
    token: int
    led: bool
    facts: int | None
    seconds: float | None
    stalled: float = 0.0


class Fence(BaseModel):
    """The oldest open append: its server process, and for how many seconds it has been open."""

    pid: int
    seconds: float


class Vitals(BaseModel):
    """``drawn``: the last position given to anybody; ``settled``: up to where readers may read.

    ``ahead``: seconds by which the log's clock was moved. ``timers_late``: seconds, by that clock, since the first of
    the due timers was due. ``parked``: streams set aside because an effect failed on them, once for each effect.
    """

    drawn: int
    settled: int
    fence: Fence | None
    ahead: float
    timers_due: int
    timers_late: float
    first_due: datetime | None
    refusals: int
    parked: int = 0
    works: tuple[Behind, ...]


async def vitals(pool: Pool, duties: Sequence[Duty]) -> Vitals:
    """Ask. Raises Unavailable when there is no answer, be it for want of a free connection, within PATIENCE."""
    try:
        # The pool waits for as long again until the server has heard that an answer is not wanted any more.
        async with asyncio.timeout(PATIENCE), pool.acquire(timeout=PATIENCE) as connection:
            return await _asked(connection, duties)
    except LOST as error:
        raise Unavailable(type(error).__name__) from error


async def _asked(connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", duties: Sequence[Duty]) -> Vitals:
    text: str = await connection.fetchval(
        QUESTION,
        [duty.name for duty in duties],
        [lock_of(duty.name) for duty in duties],
        [duty.consumer for duty in duties],
        [duty.source for duty in duties],
        COUNTED,
    )
    return Vitals.model_validate_json(text)


# `locks` names the databases' own: advisory locks are listed for the whole cluster. 21062: see postgres_log.sql.
QUESTION = """
with at as materialized (
    select eventlog.last_position() as drawn, eventlog.horizon() as settled, clock_timestamp() as real,
           (select ahead from eventlog.clock) as ahead
), locks as materialized (
    select pid, granted, (classid::bigint << 32) | objid::bigint as key, classid::bigint >> 16 as namespace
    from pg_locks
    where locktype = 'advisory' and objsubid = 1
      and database = (select oid from pg_database where datname = current_database())
), works as (
    select w.*, coalesce(r.position, c.position, 0) as position, coalesce(r.token, c.token, 0) as token,
           exists (select from locks l where l.key = w.key and l.granted) as led
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as w (name, key, consumer, source)
    left join eventlog.relays r on w.consumer is null and r.topic = w.source
    left join eventlog.cursors c on c.consumer = w.consumer and c.source = w.source
), behind as (
    select w.*, queue.facts, oldest.seconds
    from works w cross join at
    left join lateral (
        select case when count(*) < $5 then count(*) else at.settled - w.position end as facts
        from (select from eventlog.facts f
              where f.position > w.position and f.position <= at.settled and (f.published or w.consumer is not null)
              limit $5) f
    ) queue on w.consumer is null or w.source = 'log'
    left join lateral (
        select greatest(0, extract(epoch from case when at.ahead = interval '0' then at.real - f.recorded_at else
                   coalesce(at.real - uuid_extract_timestamp(f.fact_id), at.real + at.ahead - f.recorded_at) end
               )) as seconds
        from eventlog.facts f
        where f.position > w.position and f.position <= at.settled and (f.published or w.consumer is not null)
        order by f.position limit 1
    ) oldest on w.consumer is null or w.source = 'log'
)
select json_build_object(
    'drawn', greatest(at.drawn, at.settled),
    'settled', at.settled,
    'fence', (
        select json_build_object('pid', l.pid, 'seconds', extract(epoch from at.real - coalesce(a.xact_start, at.real)))
        from locks l left join pg_stat_activity a on a.pid = l.pid
        where l.namespace = 21062 order by a.xact_start limit 1
    ),
    'ahead', extract(epoch from at.ahead),
    'timers_due', timers.due,
    'timers_late', coalesce(extract(epoch from at.real + at.ahead - timers.first), 0),
    'first_due', timers.first,
    'refusals', (select count(*) from eventlog.refusals),
    'parked', (select count(distinct (consumer, source, effect, tenant, stream)) from eventlog.parked),
    'works', (select coalesce(json_agg(json_build_object(
        'name', name, 'consumer', consumer, 'source', source, 'position', position, 'token', token, 'led', led,
        'facts', facts, 'seconds', seconds)), '[]') from behind)
)::text
from at, lateral (
    select count(*) as due, min(due_at) as first from eventlog.timers where due_at <= at.real + at.ahead
) timers
"""
