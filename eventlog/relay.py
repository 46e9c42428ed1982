"""Relay: the published facts of a log, in order, into its topic, and nothing else.

Each published fact gets the next number, ``pseq``, which is a pure function of the log: the count of published facts
up to it. A crash, or a leader that wakes up late, can only write again a run that starts at or before the checkpoint,
with the very same numbers; a reader that applies ``last + 1``, drops what it has and halts on a hole therefore sees
each fact once. The idempotent producer is a courtesy, not part of this argument.

While one round is on its way to the broker, the next is read; what was sent is checkpointed, once a round, before any
more is sent.

A checkpoint is believed only where the topic still holds what it says (see footing): a topic that was lost, cut, or
made anew behind our back is written again from where it breaks off. That is looked at when a term begins and, while
there is nothing to send, every LOOK seconds; and what is sent tells by its offset.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.election import Worker
from eventlog.errors import CorruptHistory, Fenced, Unavailable
from eventlog.footing import Checkpoint, holds, whole_up_to
from eventlog.kafka import FACTS_TOPIC, Kafka, Producer, Record
from eventlog.log import EventLog
from eventlog.postgres_log import rows_after
from eventlog.records import ROW, of_row

ROUND = 2_000  # facts between two checkpoints
POLL = 0.1  # seconds between looks when this process has appended nothing itself
LOOK = 30.0  # seconds between looks at the topic while nothing is sent


class Relay(Worker):
    """Copies one service's log to ``topic`` for as long as it leads."""

    def __init__(self, pool: Pool, log: EventLog, kafka: Kafka, topic: str) -> None:
        self._log = log
        self._kafka = kafka
        self._topic = topic
        super().__init__(pool, f"relay/{topic}")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        epoch, at = await self._begin_term(connection)
        await self._kafka.ensure_topic(self._topic, FACTS_TOPIC)
        at = await self._on_firm_ground(connection, epoch, at)
        looked = time.monotonic()
        producer = await self._kafka.producer()
        try:
            records, reached = await self._read(connection, at.position, at.pseq)
            while True:
                if reached == at.position:
                    self.halted = None
                    await self._log.appended(POLL)
                    if time.monotonic() - looked > LOOK:
                        at = await self._on_firm_ground(connection, epoch, at)
                        looked = time.monotonic()
                    records, reached = await self._read(connection, at.position, at.pseq)
                    continue
                sending = asyncio.create_task(self._send(producer, records, at))
                try:
                    following = await self._read(connection, reached, at.pseq + len(records))
                except BaseException:
                    sending.cancel()
                    raise
                at = replace(await sending, position=reached)
                await self._checkpoint(connection, epoch, at)
                records, reached = following
        finally:
            await producer.close()

    async def _begin_term(self, connection: "Connection[asyncpg.Record]") -> tuple[int, Checkpoint]:
        row = await connection.fetchrow(
            """insert into eventlog.relays (topic, epoch) values ($1, 1)
               on conflict (topic) do update set epoch = relays.epoch + 1 returning epoch, position, pseq, token""",
            self._topic,
        )
        if row is None:
            raise Unavailable("no checkpoint row")
        return row["epoch"], Checkpoint(row["position"], row["pseq"], row["token"])

    async def _on_firm_ground(self, connection: "Connection[asyncpg.Record]", epoch: int, at: Checkpoint) -> Checkpoint:
        """Return where to go on: ``at`` where the topic holds it, else where the topic breaks off, which is noted."""
        if await holds(connection, self._kafka, self._topic, at):
            return at
        lost = (
            f"{self._topic} lost fact {at.pseq} at offset {at.token - 1}, and is written again from where it breaks off"
        )
        self.halted = f"{CorruptHistory.__name__}: {lost}"
        self._logger.error("halted", missing=lost)
        at = await whole_up_to(connection, self._kafka, self._topic)
        await self._checkpoint(connection, epoch, at)
        self._logger.warning("writes again", behind=at.pseq)
        return at

    async def _read(
        self, connection: "Connection[asyncpg.Record]", position: int, pseq: int
    ) -> tuple[Sequence[Record], int]:
        """Return the next records behind a place, and how far they reach."""
        rows, reached = await rows_after(connection, ROW, position, ROUND)
        published = (row for row in rows if row["published"])
        return [of_row(row, number) for number, row in enumerate(published, start=pseq + 1)], reached

    async def _send(self, producer: Producer, records: Sequence[Record], at: Checkpoint) -> Checkpoint:
        """Return where what went out ends. Raises Unavailable: not behind ``at``, so what was there is gone."""
        if not records:
            return at
        token = await producer.send(self._topic, records)
        if token < at.token + len(records):
            raise Unavailable(f"{self._topic} went back behind offset {at.token}")
        return replace(at, pseq=at.pseq + len(records), token=token)

    async def _checkpoint(self, connection: "Connection[asyncpg.Record]", epoch: int, at: Checkpoint) -> None:
        moved = await connection.fetchval(
            """update eventlog.relays set position = $3, pseq = $4, token = $5
               where topic = $1 and epoch = $2 returning 1""",
            self._topic,
            epoch,
            at.position,
            at.pseq,
            at.token,
        )
        if moved is None:
            raise Fenced(f"another relay leads {self._topic}")
