"""Appends: the log beside a raw INSERT of the same bytes, on the same server, as durable."""

import json
from asyncio import Queue
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from uuid import uuid4

import asyncpg
from uuid_utils.compat import uuid7

from bench.figures import Figure, compared
from bench.rounds import in_turn, rate
from bench.servers import LOG, PLAIN, Servers
from eventlog.facts import NewFact, StreamId
from eventlog.log import Append, Appended, Expect
from eventlog.postgres_log import PostgresLog

GOALS = {1: 0.7, 16: 1.3, 64: None}
ROUNDS = 7
SECONDS = 0.6
CONNECTIONS = 16
POOL = 12  # as many as a service has
DATA = json.dumps({"submission_id": "01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11", "channel": "hotline", "words": "x" * 240})
RAW = """create table raw (
    position bigint generated always as identity primary key,
    fact_id uuid not null,
    stream text not null,
    name text not null,
    data jsonb not null
)"""


async def measure(servers: Servers) -> Sequence[Figure]:
    """Compare with 1, 16 and 64 commands at once; the raw side has as many connections, 16 at most, each its own."""
    await servers.execute(PLAIN, RAW)
    async with AsyncExitStack() as open_:
        pool = await open_.enter_async_context(asyncpg.create_pool(servers.dsn(LOG), min_size=POOL, max_size=POOL))
        log = PostgresLog(pool)
        connections = [await asyncpg.connect(servers.dsn(PLAIN)) for _ in range(CONNECTIONS)]
        for connection in connections:
            open_.push_async_callback(connection.close)
        return [await _beside(log, connections, at_once, goal) for at_once, goal in GOALS.items()]


async def _beside(
    log: PostgresLog, connections: Sequence["asyncpg.Connection[asyncpg.Record]"], at_once: int, goal: float | None
) -> Figure:
    free: Queue[asyncpg.Connection[asyncpg.Record]] = Queue()
    for connection in connections[:at_once]:
        free.put_nowait(connection)
    rivals = {
        "log": partial(rate, partial(_append, log), at_once, SECONDS),
        "raw": partial(rate, partial(_insert, free), at_once, SECONDS),
    }
    measured = await in_turn(rivals, ROUNDS)
    return compared(
        f"append, {at_once} at once / raw insert, {min(at_once, CONNECTIONS)} connections",
        measured["log"],
        measured["raw"],
        "facts/s",
        goal,
    )


async def _append(log: PostgresLog) -> None:
    outcome = await log.append(one_fact())
    if not isinstance(outcome, Appended):
        raise TypeError(f"a new stream was not appended to: {outcome}")


async def _insert(free: "Queue[asyncpg.Connection[asyncpg.Record]]") -> None:
    connection = await free.get()
    try:
        await connection.execute(
            "insert into raw (fact_id, stream, name, data) values ($1, $2, $3, $4)",
            uuid7(),
            f"submission/{uuid4()}",
            "submission-received",
            DATA,
        )
    finally:
        free.put_nowait(connection)


def one_fact() -> Append:
    """A command that opens a stream with one fact of about 330 bytes."""
    command = uuid4()
    return Append(
        tenant="430981",
        stream=StreamId("submission", str(command)),
        expected=Expect.NEW,
        published=True,
        organ="430981109.town-government",
        matter=None,
        actor="clerk",
        occurred_at=datetime.now(UTC),
        command_id=command,
        digest=sha256(command.bytes).digest(),
        correlation=command,
        causation=None,
        answer={"id": str(command)},
        facts=[NewFact(uuid7(), "submission-received", 1, DATA)],
    )
