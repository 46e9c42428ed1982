"""Verify: what is kept twice is the same twice. Names the first difference, and repeats nobody's words.

It may run while facts arrive, because of the order in which it looks: at the relay's checkpoint, then at the topic's
end, then at one snapshot of the log. What the checkpoint covers lies in front of that end; and a record in front of it
was relayed when all facts up to its own were settled, so the snapshot shows them, and counts them as the relay did. It
reads in pieces; what it keeps grows with the number of streams, and by a number every PIECE facts.
"""

from collections.abc import Sequence

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.copies import PIECE, Copy, Told, topic_differs
from eventlog.facts import Stored
from eventlog.kafka import Topics
from eventlog.postgres_log import COLUMNS, stored


class Log(Copy):
    """The published facts of a log, as one snapshot shows them."""

    def __init__(self, connection: "Connection[asyncpg.Record]") -> None:
        super().__init__("the log")
        self._connection = connection
        self._begins = [0]  # behind which position each piece begins

    async def piece(self, number: int, size: int) -> Sequence[Stored]:
        rows = await self._connection.fetch(
            f"select {COLUMNS} from eventlog.facts where published and position > $1 order by position limit $2",  # noqa: S608  # COLUMNS is a constant
            self._begins[number],
            size,
        )
        if len(rows) == size and number + 1 == len(self._begins):
            self._begins.append(rows[-1]["position"])
        return [stored(row) for row in rows]


async def verify_service(dsn: str, kafka: Topics, told: Told) -> str | None:
    """Compare a service's log with itself, and its topic with it; return the first difference. Raises Unavailable."""
    async with looking(dsn) as pool:
        return await verify_log(pool, kafka, told)


def looking(dsn: str) -> Pool:
    """A pool of one connection, on which a statement may take its time."""
    return asyncpg.create_pool(dsn, min_size=0, max_size=1)


async def verify_log(pool: Pool, kafka: Topics, told: Told) -> str | None:
    """As ``verify_service``, over a pool."""
    async with pool.acquire() as connection:
        relayed = await connection.fetch("select topic, pseq from eventlog.relays order by topic")
        ends = await kafka.ends([row["topic"] for row in relayed])
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            difference = await log_differs(connection, told)
            for topic, pseq in relayed:
                log = Log(connection)
                difference = difference or await topic_differs(log, kafka, topic, ends[topic], told, reaches=pseq)
            return difference


async def log_differs(connection: "Connection[asyncpg.Record]", told: Told) -> str | None:
    """Compare a log with itself, in the open snapshot: its streams' versions and its answers with its facts."""
    versions: dict[str, int] = {}
    last: int = await connection.fetchval("select coalesce(max(position), 0) from eventlog.facts")
    facts = "select position, tenant || ': ' || stream as stream, version from eventlog.facts order by position"
    seen = 0
    async for row in connection.cursor(facts, prefetch=PIECE):
        stream, version = row["stream"], row["version"]
        before = versions.get(stream, 0)
        if version != before + 1:
            return f"the log: {stream} goes from version {before} to {version} at position {row['position']}"
        versions[stream] = version
        seen += 1
        if seen % PIECE == 0:
            told("log", row["position"], last)
    told("log", last, last)
    return await _streams_differ(connection, versions) or await _answers_differ(connection)


async def _streams_differ(connection: "Connection[asyncpg.Record]", versions: dict[str, int]) -> str | None:
    streams = "select tenant || ': ' || stream as stream, version from eventlog.streams order by tenant, stream"
    async for row in connection.cursor(streams, prefetch=PIECE):
        facts = versions.pop(row["stream"], 0)
        if row["version"] != facts:
            return f"the log: {row['stream']} should be at version {row['version']}, its facts end at {facts}"
    if versions:
        return f"the log: {min(versions)} has facts, and is not among the streams"
    lost = await connection.fetchrow(
        """select s.tenant || ': ' || s.stream as stream, f.version, f.position from eventlog.facts f
           join eventlog.streams s on s.tenant = f.tenant and s.stream = f.stream
           where f.stream_no <> s.no or f.position <= s.since
           order by f.position limit 1"""
    )
    if lost is None:
        return None
    which = f"version {lost['version']} of {lost['stream']} at position {lost['position']}"
    return f"the log: {which} is not where the stream looks for it"


async def _answers_differ(connection: "Connection[asyncpg.Record]") -> str | None:
    row = await connection.fetchrow(
        """select c.tenant, c.command_id, c.version from eventlog.commands c
           left join eventlog.facts f on f.stream_no = c.stream_no and f.version = c.version
           where c.added > 0 and (f.position is null or f.tenant <> c.tenant)
           order by c.at, c.command_id limit 1"""
    )
    if row is None:
        return None
    return (
        f"the log: command {row['command_id']} of {row['tenant']} was told that its stream is at version "
        f"{row['version']}, and no such fact is there"
    )
