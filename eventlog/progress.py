"""Progress: how far everything in a service has come, for health, for operators, and for those who wait for rest."""

from pydantic import BaseModel

from eventlog.connections import Pool


class CursorProgress(BaseModel):
    """How far one consumer has taken in one source; ``pseq`` counts a topic's facts, ``position`` the log's."""

    consumer: str
    source: str
    position: int
    pseq: int


class Progress(BaseModel):
    """``end`` is the settled end of the log; ``relayed`` and ``pseq`` how far its topic has come.

    ``keys_waiting``: keys of published texts that their topic does not have yet.
    """

    end: int
    relayed: int
    pseq: int
    timers_due: int
    refusals: int
    keys_waiting: int = 0
    parked: int = 0
    cursors: tuple[CursorProgress, ...]


async def progress(pool: Pool) -> Progress:
    """Read it all at one moment."""
    row = await pool.fetchrow(
        """select eventlog.horizon() as end_, coalesce(max(position), 0) as relayed, coalesce(max(pseq), 0) as pseq,
                  (select count(*) from eventlog.timers where due_at <= eventlog.now()) as timers_due,
                  (select count(*) from eventlog.refusals) as refusals
           from eventlog.relays"""
    )
    cursors = await pool.fetch("select consumer, source, position, pseq from eventlog.cursors order by 1, 2")
    if row is None:
        raise LookupError("an aggregate without group by always gives a row")
    return Progress(
        end=row["end_"],
        relayed=row["relayed"],
        pseq=row["pseq"],
        timers_due=row["timers_due"],
        refusals=row["refusals"],
        cursors=tuple(CursorProgress(**dict(cursor)) for cursor in cursors),
    )


async def reached(pool: Pool, source: str, position: int) -> bool:
    """Whether every consumer of ``source`` has taken in ``position``."""
    slowest: int | None = await pool.fetchval("select min(position) from eventlog.cursors where source = $1", source)
    return slowest is not None and slowest >= position
