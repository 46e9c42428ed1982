"""Parked: what an effect could not take in, by reference: where each fact lies, never what it says.

A fact that an effect fails on is parked for this effect, and every later fact of its stream behind it, in order, so
that no fact ever overtakes another of its stream. Other streams and other effects go on. An operator who has mended the
cause asks for a stream again; the consumer then takes it in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.facts import Stored, StreamId

StreamKey: TypeAlias = tuple[str, StreamId]
"""Tenant and stream."""
Speaker: TypeAlias = "asyncpg.Connection[asyncpg.Record] | Connection[asyncpg.Record]"
Asker: TypeAlias = "Pool | Speaker"


@dataclass(frozen=True)
class Reference:
    """A parked fact. ``error``: the kind of failure, None where it only waits. ``pseq``: in a topic; else 0."""

    tenant: str
    stream: StreamId
    position: int
    pseq: int
    fact_id: UUID
    name: str
    error: str | None = None
    attempts: int = 0


@dataclass(frozen=True)
class Place:
    """Whose parked facts: one effect of one consumer, of what comes from one source."""

    consumer: str
    source: str
    effect: str


@dataclass(frozen=True)
class ParkedStream:
    """A stream that waits, as operators see it. ``asked``: it is to be tried again and was not yet."""

    consumer: str
    source: str
    effect: str
    tenant: str
    stream: str
    name: str
    position: int
    error: str
    attempts: int
    facts: int
    asked: bool
    since: datetime


async def park(connection: Speaker, at: Place, references: Sequence[Reference]) -> None:
    """Park facts, in the transaction that moves the position past them."""
    await connection.execute(
        """insert into eventlog.parked
               (consumer, source, effect, tenant, stream, position, pseq, fact_id, name, error, attempts)
           select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::uuid[], $9::text[],
                                            $10::text[], $11::int[])""",
        at.consumer,
        at.source,
        at.effect,
        [reference.tenant for reference in references],
        [str(reference.stream) for reference in references],
        [reference.position for reference in references],
        [reference.pseq for reference in references],
        [reference.fact_id for reference in references],
        [reference.name for reference in references],
        [reference.error for reference in references],
        [reference.attempts for reference in references],
    )


async def first_of_each(connection: Asker, consumer: str, source: str) -> dict[str, dict[StreamKey, int]]:
    """Return, for each effect, the streams parked for it, each with the position of its first parked fact."""
    rows = await connection.fetch(
        """select effect, tenant, stream, min(position) as first from eventlog.parked
           where consumer = $1 and source = $2 group by effect, tenant, stream""",
        consumer,
        source,
    )
    found: dict[str, dict[StreamKey, int]] = {}
    for row in rows:
        found.setdefault(row["effect"], {})[row["tenant"], StreamId.parse(row["stream"])] = row["first"]
    return found


async def first_of_effect(connection: Asker, effect: str) -> dict[StreamKey, int]:
    """Return the streams parked for an effect, each with the position of its first parked fact."""
    rows = await connection.fetch(
        "select tenant, stream, min(position) as first from eventlog.parked where effect = $1 group by tenant, stream",
        effect,
    )
    return {(row["tenant"], StreamId.parse(row["stream"])): row["first"] for row in rows}


def waits(fact: Stored, first: Mapping[StreamKey, int]) -> bool:
    """Whether a fact is one of the parked ones, which begin at ``first`` of their stream."""
    position = first.get((fact.tenant, fact.stream)) if first else None
    return position is not None and fact.position >= position


async def of_stream(
    connection: "Connection[asyncpg.Record]", at: Place, stream: StreamKey, limit: int, after: int = 0
) -> Sequence[Reference]:
    """Return a stream's parked facts behind position ``after``, in order."""
    rows = await connection.fetch(
        """select tenant, stream, position, pseq, fact_id, name, error, attempts from eventlog.parked
           where consumer = $1 and source = $2 and effect = $3 and tenant = $4 and stream = $5 and position > $6
           order by position limit $7""",
        at.consumer,
        at.source,
        at.effect,
        stream[0],
        str(stream[1]),
        after,
        limit,
    )
    return [_reference(row) for row in rows]


async def take_off(
    connection: "Connection[asyncpg.Record]", at: Place, stream: StreamKey, before: int | None = None
) -> None:
    """Forget the references to what was taken in, in that very transaction: all, or those before a position."""
    await connection.execute(
        """delete from eventlog.parked
           where consumer = $1 and source = $2 and effect = $3 and tenant = $4 and stream = $5
             and ($6::bigint is null or position < $6)""",
        at.consumer,
        at.source,
        at.effect,
        stream[0],
        str(stream[1]),
        before,
    )


async def forget(connection: Asker, effect: str) -> None:
    """Forget all that is parked for an effect that is no more, or begins anew."""
    await connection.execute("delete from eventlog.parked where effect = $1", effect)


async def rename(connection: Asker, effect: str, to: str) -> None:
    """Let what is parked for an effect be parked for it under its new name."""
    await connection.execute("update eventlog.parked set effect = $2 where effect = $1", effect, to)


async def failed_again(
    connection: "Connection[asyncpg.Record]", at: Place, stream: StreamKey, position: int, error: str
) -> None:
    """Write down that a fact failed once more; its stream waits to be asked for anew."""
    await connection.execute(
        """update eventlog.parked
           set asked = false, error = case when position = $6 then $7 else error end,
               attempts = attempts + (position = $6)::int
           where consumer = $1 and source = $2 and effect = $3 and tenant = $4 and stream = $5""",
        at.consumer,
        at.source,
        at.effect,
        stream[0],
        str(stream[1]),
        position,
        error,
    )


async def next_asked(
    connection: "Connection[asyncpg.Record]", consumer: str, source: str, effects: Sequence[str]
) -> tuple[str, StreamKey] | None:
    """Return an effect and a stream that somebody asks for again, if any."""
    row = await connection.fetchrow(
        """select effect, tenant, stream from eventlog.parked
           where consumer = $1 and source = $2 and effect = any($3) and asked order by position limit 1""",
        consumer,
        source,
        effects,
    )
    return None if row is None else (row["effect"], (row["tenant"], StreamId.parse(row["stream"])))


# What operators do.


async def ask_again(asker: Asker, stream: str | None = None) -> int:
    """Have a stream, or every parked one, tried again by its consumer; return how many of them."""
    rows = await asker.fetch(
        """update eventlog.parked set asked = true where $1::text is null or stream = $1
           returning consumer, source, effect, tenant, stream""",
        stream,
    )
    return len({tuple(row) for row in rows})


async def parked_streams(asker: Asker) -> Sequence[ParkedStream]:
    """Return the streams that wait, longest first."""
    rows = await asker.fetch(
        """select consumer, source, effect, tenant, stream, (array_agg(name order by position))[1] as name,
                  min(position) as position, coalesce((array_agg(error order by position))[1], '') as error,
                  max(attempts) as attempts, count(*) as facts, bool_or(asked) as asked, min(at) as since
           from eventlog.parked group by consumer, source, effect, tenant, stream order by since, position"""
    )
    return [ParkedStream(**dict(row)) for row in rows]


async def parked_facts(asker: Asker, stream: str) -> Sequence[tuple[Place, Reference]]:
    """Return the parked facts of a stream, effect by effect, in order."""
    rows = await asker.fetch(
        """select consumer, source, effect, tenant, stream, position, pseq, fact_id, name, error, attempts
           from eventlog.parked where stream = $1 order by consumer, source, effect, tenant, position""",
        stream,
    )
    return [(Place(row["consumer"], row["source"], row["effect"]), _reference(row)) for row in rows]


async def count(asker: Asker) -> int:
    """Return how many facts are parked."""
    parked: int = await asker.fetchval("select count(*) from eventlog.parked")
    return parked


def _reference(row: asyncpg.Record) -> Reference:
    return Reference(
        tenant=row["tenant"],
        stream=StreamId.parse(row["stream"]),
        position=row["position"],
        pseq=row["pseq"],
        fact_id=row["fact_id"],
        name=row["name"],
        error=row["error"],
        attempts=row["attempts"],
    )
