"""Relay: the published facts of a log, in order, into its topic, and nothing else.

Each published fact gets the next number, ``pseq``, which is a pure function of the log: the count of published facts
up to it. A crash, or a leader that wakes up late, can only write again a run that starts at or before the checkpoint,
with the very same numbers; a reader that applies ``last + 1``, drops what it has and halts on a hole therefore sees
each fact once. The idempotent producer is a courtesy, not part of this argument.

While one round is on its way to the broker, the next is read; what was sent is checkpointed, once a round, before any
more is sent.
"""

import asyncio
from collections.abc import Sequence

import asyncpg

from eventlog.election import Connection, Worker
from eventlog.errors import Fenced, Unavailable
from eventlog.kafka import FACTS_TOPIC, Kafka, Producer, Record
from eventlog.log import EventLog
from eventlog.postgres_log import Pool, rows_after
from eventlog.records import ROW, of_row

ROUND = 2_000  # facts between two checkpoints
POLL = 0.1  # seconds between looks when this process has appended nothing itself


class Relay(Worker):
    """Copies one service's log to ``topic`` for as long as it leads."""

    def __init__(self, pool: Pool, log: EventLog, kafka: Kafka, topic: str) -> None:
        self._log = log
        self._kafka = kafka
        self._topic = topic
        super().__init__(pool, f"relay/{topic}")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        await self._kafka.ensure_topic(self._topic, FACTS_TOPIC)
        epoch, position, pseq = await self._begin_term(connection)
        producer = await self._kafka.producer()
        try:
            records, reached = await self._read(connection, position, pseq)
            while True:
                if reached == position:
                    self.halted = None
                    await self._log.appended(POLL)
                    records, reached = await self._read(connection, position, pseq)
                    continue
                sending = asyncio.create_task(self._send(producer, records))
                pseq += len(records)
                try:
                    following = await self._read(connection, reached, pseq)
                except BaseException:
                    sending.cancel()
                    raise
                await sending
                await self._checkpoint(connection, epoch, reached, pseq)
                position, (records, reached) = reached, following
        finally:
            await producer.close()

    async def _begin_term(self, connection: "Connection[asyncpg.Record]") -> tuple[int, int, int]:
        row = await connection.fetchrow(
            """insert into eventlog.relays (topic, epoch) values ($1, 1)
               on conflict (topic) do update set epoch = relays.epoch + 1 returning epoch, position, pseq""",
            self._topic,
        )
        if row is None:
            raise Unavailable("no checkpoint row")
        return row["epoch"], row["position"], row["pseq"]

    async def _read(
        self, connection: "Connection[asyncpg.Record]", position: int, pseq: int
    ) -> tuple[Sequence[Record], int]:
        """Return the next records behind a place, and how far they reach."""
        rows, reached = await rows_after(connection, ROW, position, ROUND)
        published = (row for row in rows if row["published"])
        return [of_row(row, number) for number, row in enumerate(published, start=pseq + 1)], reached

    async def _send(self, producer: Producer, records: Sequence[Record]) -> None:
        if records:
            await producer.send(self._topic, records)

    async def _checkpoint(self, connection: "Connection[asyncpg.Record]", epoch: int, position: int, pseq: int) -> None:
        moved = await connection.fetchval(
            "update eventlog.relays set position = $3, pseq = $4 where topic = $1 and epoch = $2 returning 1",
            self._topic,
            epoch,
            position,
            pseq,
        )
        if moved is None:
            raise Fenced(f"another relay leads {self._topic}")
