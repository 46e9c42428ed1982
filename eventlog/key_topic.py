"""Key topic: how the keys of published texts reach the services that show them, and how a destroyed one is taken back.

The topic is compacted: it keeps the last word on each key, the key wrapped under the county's sharing secret or a
tombstone. Every record says what its key is, not what was done to it, so saying it again is harmless, and no order
between keys and facts is needed. What must never happen is that a live key has the last word after its tombstone. Hence
two rules: whoever published what is no longer so has it published again, and a receiver takes no tombstone back.

A broker compacts what lies before its newest segment, and begins a new one only when something is written. So that a
key is gone from the broker's files even when nobody publishes anything for a year, each tombstone is said once more
after the time of a segment: that closes the segment with the first one, and with whatever it takes back.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from eventlog.election import Connection, Worker
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import KEYS_TOPIC, Kafka, Producer, Reader, Received, Record
from eventlog.keys import WrappedKeys
from eventlog.postgres_log import Pool
from eventlog.rotation import share_again
from eventlog.sealed import Opened, Sealed
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


@dataclass(frozen=True)
class Arrival:
    """A key as it lies here since it came; ``wrapped`` None: it was destroyed."""

    tenant: str
    key_id: UUID
    wrapped: bytes | None = field(repr=False)

    @property
    def destroyed(self) -> bool:
        return self.wrapped is None


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

    async def publish_again(self) -> None:
        """Have every shared key said again, for a topic that was lost; tombstones too: readers may hold older words."""
        await share_again(self._pool)

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


class SharedKeys:
    """Other services' shared keys, as they arrived in the keys' database that ``pool`` leads to. Opens, never seals."""

    def __init__(self, pool: Pool, sharing: Wraps, now: Callable[[], float] = time.monotonic) -> None:
        self.pool = pool
        query = "select key_id, wrapped from keys.received where tenant = $1 and key_id = any($2)"
        self._wrapped = WrappedKeys(pool, query, sharing, now)
        self._at_once = WrappedKeys(pool, query, sharing, now, held=0)

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        return (await self._wrapped.open_all(tenant, [sealed]))[0]

    async def open_many(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        """Open what can be opened, in one round trip, in their order; Pending while a key has not arrived."""
        return await self._wrapped.open_many(tenant, sealed)

    async def open_as_of_now(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        """Open with no key that is only remembered: for whoever keeps what was opened. Raises what keeps one shut."""
        return await self._at_once.open_all(tenant, sealed)

    async def reached(self, topic: str) -> int:
        """Return how many of the records sent to ``topic`` have been taken in: compare with Sharing.sent."""
        sent: int = await self.pool.fetchval(
            "select coalesce(max(sent), 0) from keys.read_up_to where topic = $1", topic
        )
        return sent

    async def next_offset(self, topic: str) -> int:
        """Return where reading ``topic`` goes on; wait for whoever is about to change it (see republishing)."""
        offset: int | None = await self.pool.fetchval(
            "select next_offset from keys.read_up_to where topic = $1 for update", topic
        )
        return offset or 0

    async def take_in(self, topic: str, records: Sequence[Received], connection: "Connection[asyncpg.Record]") -> None:
        """Keep what the records say, and how far they go, in one transaction. Raises CorruptHistory."""
        said = {_named(record): record.value for record in records}  # of several words on one key, the last
        gone = {_named(record) for record in records if record.value is None}
        async with connection.transaction():
            await connection.execute(
                """insert into keys.received as r (tenant, key_id, wrapped)
                   select * from unnest($1::text[], $2::uuid[], $3::bytea[])
                   on conflict (tenant, key_id) do update set wrapped = excluded.wrapped, told = false
                   where r.wrapped is not null and r.wrapped is distinct from excluded.wrapped""",
                [tenant for tenant, _ in said],
                [key_id for _, key_id in said],
                [None if named in gone else wrapped for named, wrapped in said.items()],
            )
            await connection.execute(
                """insert into keys.read_up_to as u (topic, next_offset, sent) values ($1, $2, $3)
                   on conflict (topic) do update
                   set next_offset = excluded.next_offset, sent = greatest(u.sent, excluded.sent)""",
                topic,
                records[-1].offset + 1,
                max(_number(record) for record in records),
            )
        for tenant, key_id in gone:
            self._wrapped.forget(tenant, key_id)

    async def untold(self, limit: int) -> Sequence[Arrival]:
        """Return keys that came, or went, since whoever keeps clear text of them was last told: see ``told``."""
        rows = await self.pool.fetch(
            "select tenant, key_id, wrapped from keys.received where not told order by tenant, key_id limit $1", limit
        )
        return [Arrival(**dict(row)) for row in rows]

    async def told(self, arrivals: Sequence[Arrival]) -> None:
        """Note that what followed from them is done; a key that changed meanwhile is told again."""
        await self.pool.execute(
            """update keys.received r set told = true from unnest($1::text[], $2::uuid[], $3::bytea[])
                                                          as a (tenant, key_id, wrapped)
               where r.tenant = a.tenant and r.key_id = a.key_id and r.wrapped is not distinct from a.wrapped""",
            [one.tenant for one in arrivals],
            [one.key_id for one in arrivals],
            [one.wrapped for one in arrivals],
        )

    async def waiting(self) -> int:
        """Return how many keys are yet to be told of."""
        count: int = await self.pool.fetchval("select count(*) from keys.received where not told")
        return count


class KeyReader(Worker):
    """Takes one service's key topic in for as long as it leads."""

    def __init__(self, kafka: Kafka, topic: str, shared_keys: SharedKeys) -> None:
        self._kafka = kafka
        self._topic = topic
        self._keys = shared_keys
        self._in_doubt = False
        super().__init__(shared_keys.pool, f"key-reader/{topic}")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        await self._kafka.ensure_topic(self._topic, KEYS_TOPIC)
        # In a topic that was lost and made anew, the offset lies beyond the end, and every read there fails. After a
        # failed read, whatever it was, all is read again: the topic is small, and meeting a key twice changes nothing.
        # Offset 0 is always there: compaction leaves holes, which a fetch steps over, and never moves the start.
        reader = await self._kafka.reader(
            self._topic, 0 if self._in_doubt else await self._keys.next_offset(self._topic)
        )
        try:
            while True:
                records = await self._read(reader)
                if records:
                    await self._keys.take_in(self._topic, records, connection)
                    self._in_doubt, self.halted = False, None
                else:
                    await connection.execute("select 1")  # whoever ended this session wants another term
        finally:
            await reader.close()

    async def _read(self, reader: Reader) -> Sequence[Received]:
        try:
            return await reader.read(ROUND, POLL)
        except (Unavailable, CorruptHistory) as error:
            self._in_doubt = True
            raise Unavailable(str(error)) from error


def _record(change: _Change, value: bytes | None, number: int) -> Record:
    return Record(f"{change.tenant}/{change.key_id}".encode(), value, [("sent", str(number).encode())])


def _named(record: Received) -> tuple[str, UUID]:
    tenant, _, key_id = record.key.decode().rpartition("/")
    try:
        return tenant, UUID(key_id)
    except ValueError:
        raise CorruptHistory(f"the record at offset {record.offset} names no key") from None


def _number(record: Received) -> int:
    return int(dict(record.headers).get("sent", b"0"))
