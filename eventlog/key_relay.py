"""Key relay: how the keys of published texts reach the services that show them, and how a destroyed one is taken back.

The topic is compacted: it keeps the last word on each key, the key wrapped under the county's sharing secret or a
tombstone. Every record says what its key is, not what was done to it, so saying it again is harmless, and no order
between keys and facts is needed. What must never happen is that a live key has the last word after its tombstone. Hence
two rules: whoever published what is no longer so has it published again, and a receiver takes no tombstone back.

A broker compacts what lies before its newest segment, and begins a new one only when something is written. So that a
key is gone from the broker's files even when nobody publishes anything for a year, each tombstone is said once more
after the time of a segment: that closes the segment with the first one, and with whatever it takes back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.election import Worker
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import KEYS_TOPIC, Kafka, Producer, Record
from eventlog.wrapping import Wraps

ROUND = 500  # keys between two checkpoints
POLL = 0.2  # seconds between looks
REPEAT = int(KEYS_TOPIC["segment.ms"]) / 1000 + 5  # seconds after which a tombstone is said once more


@dataclass(frozen=True)
class Sharing:
    """How far a topic has come: the number of the last record written to it, and how many keys are yet to be."""

    sent: int
    waiting: int


@dataclass(frozen=True)
class _Change:
    tenant: str
    key_id: UUID
    changed: int
    writes: int
    wrapped: bytes | None


class KeyRelay(Worker):
    """Publishes one service's shared keys to ``topic`` for as long as it leads.

    A key that does not open here is left out, stands in ``halted``, and is tried again: no other waits behind it.
    """

    def __init__(self, pool: Pool, kafka: Kafka, topic: str, master: Wraps, sharing: Wraps) -> None:
        """``pool`` is the keys' database, ``master`` wraps them there, ``sharing`` wraps them on the topic."""
        self._kafka = kafka
        self._topic = topic
        self._master = master
        self._sharing = sharing
        super().__init__(pool, f"key-relay/{topic}")

    async def progress(self) -> Sharing:
        """Return how far the topic has come."""
        row = await self._pool.fetchrow(
            """select coalesce((select sent from keys.relays where topic = $1), 0) as sent,
                      (select count(*) from keys.keys where shared and published <> changed) as waiting""",
            self._topic,
        )
        return Sharing(0, 0) if row is None else Sharing(row["sent"], row["waiting"])

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        await self._kafka.ensure_topic(self._topic, KEYS_TOPIC)
        # An earlier leader may have died between a live key that it wrote too late and the note that it did.
        await connection.execute(
            """update keys.keys set published = 0, writes = writes + 1
               where shared and destroyed_at > clock_timestamp() - interval '1 day'"""
        )
        producer = await self._kafka.producer()
        try:
            while True:
                if not await self._rounds(connection, producer):
                    await self._repeat_tombstones(connection)
                    await asyncio.sleep(POLL)
        finally:
            await producer.close()

    async def _rounds(self, connection: "Connection[asyncpg.Record]", producer: Producer) -> bool:
        """Publish what changed, in rounds from the first change to the last; False when nothing was published."""
        passed, published, shut = 0, False, dict[UUID, str]()
        while True:
            rows = await connection.fetch(
                """select tenant, key_id, changed, writes, wrapped from keys.keys
                   where shared and published <> changed and changed > $2 order by changed limit $1""",
                ROUND,
                passed,
            )
            if not rows:
                break
            passed = rows[-1]["changed"]
            published = (
                await self._round([_Change(**dict(row)) for row in rows], shut, connection, producer) or published
            )
        self._tell(shut)
        return published

    async def _round(
        self,
        changes: Sequence[_Change],
        shut: dict[UUID, str],
        connection: "Connection[asyncpg.Record]",
        producer: Producer,
    ) -> bool:
        """Publish changes but for those that do not open, which are added to ``shut``; False when none was left."""
        values: list[tuple[_Change, bytes | None]] = []
        for change in changes:
            try:
                values.append((change, self._wrapped(change)))
            except (CorruptHistory, Unavailable) as error:
                shut[change.key_id] = str(error)
        if not values:
            return False
        sent: int = await connection.fetchval(
            "select coalesce((select sent from keys.relays where topic = $1), 0)", self._topic
        )
        records = [_record(change, value, sent + n) for n, (change, value) in enumerate(values, start=1)]
        await producer.send(self._topic, records)
        await self._settle([change for change, _ in values], sent + len(values))
        return True

    def _tell(self, shut: Mapping[UUID, str]) -> None:
        """Say in ``halted``, and once in the log, what does not open."""
        halted = f"{len(shut)} keys do not open, such as: {next(iter(shut.values()))}" if shut else None
        if halted and halted != self.halted:
            self._logger.error("keys left out", reason=halted)
        self.halted = halted

    async def _repeat_tombstones(self, connection: "Connection[asyncpg.Record]") -> None:
        await connection.execute(
            """update keys.keys set published = 0, writes = writes + 1, repeated = true
               where shared and destroyed_at is not null and not repeated
                 and destroyed_at < clock_timestamp() - $1 * interval '1 second'""",
            REPEAT,
        )

    def _wrapped(self, change: _Change) -> bytes | None:
        """The key as it travels, None for a tombstone. Raises CorruptHistory and Unavailable."""
        if change.wrapped is None:
            return None
        key = self._master.unwrap(change.tenant, change.key_id, change.wrapped)
        return self._sharing.wrap(change.tenant, change.key_id, key)

    async def _settle(self, changes: Sequence[_Change], reached: int) -> None:
        """Note what was written, be it no longer so: a key that changed meanwhile is thereby published again.

        So is one for which another relay noted a write since it was read: which of the two came last on the topic,
        nobody can say. Not on the leader's connection: one that slept through the end of its term must still note it.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """update keys.keys k
                   set writes = k.writes + 1, published = case when k.writes = c.writes then c.changed else 0 end
                   from unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[])
                        as c (tenant, key_id, changed, writes)
                   where k.tenant = c.tenant and k.key_id = c.key_id""",
                [change.tenant for change in changes],
                [change.key_id for change in changes],
                [change.changed for change in changes],
                [change.writes for change in changes],
            )
            await connection.execute(
                """insert into keys.relays (topic, sent) values ($1, $2)
                   on conflict (topic) do update set sent = greatest(relays.sent, excluded.sent)""",
                self._topic,
                reached,
            )


def _record(change: _Change, value: bytes | None, number: int) -> Record:
    return Record(f"{change.tenant}/{change.key_id}".encode(), value, [("sent", str(number).encode())])
