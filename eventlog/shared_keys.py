"""Shared keys: the keys of other services' published texts, as they arrived here; see `key_relay.py` for their way."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.errors import CorruptHistory
from eventlog.kafka import Received
from eventlog.sealed import Opened, Sealed
from eventlog.wrapped_keys import WrappedKeys
from eventlog.wrapping import Wraps


@dataclass(frozen=True)
class Arrival:
    """A key as it lies here since it came; ``wrapped`` None: it was destroyed."""

    tenant: str
    key_id: UUID
    wrapped: bytes | None = field(repr=False)

    @property
    def destroyed(self) -> bool:
        return self.wrapped is None


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


def _named(record: Received) -> tuple[str, UUID]:
    tenant, _, key_id = record.key.decode().rpartition("/")
    try:
        return tenant, UUID(key_id)
    except ValueError:
        raise CorruptHistory(f"the record at offset {record.offset} names no key") from None


def _number(record: Received) -> int:
    return int(dict(record.headers).get("sent", b"0"))
