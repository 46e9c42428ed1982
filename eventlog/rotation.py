"""Rotation: what an old secret wrapped is wrapped again under the new one, while sealing, opening and destroying go on.

A key is only ever replaced by itself, wrapped otherwise: one that was destroyed meanwhile stays destroyed. Rows that
others hold at the moment are left for the next pass, so that nobody waits for us and we wait for nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from eventlog.connections import Pool
from eventlog.wrapping import Wrapping, Wraps

BATCH = 500
PAUSE = 0.05  # seconds before another pass after one that found everything in others' hands
_START = ("", UUID(int=0))


async def introduce(pool: Pool, secrets: Sequence[Wrapping]) -> None:
    """Let secrets wrap in this database, in this order where they are new; nothing changes for those that may."""
    for secret in secrets:
        await pool.execute(
            """insert into keys.masters (nth, name) select coalesce(max(nth), 0) + 1, $1 from keys.masters
               on conflict (name) do nothing""",
            secret.name,
        )


async def wrap_again(pool: Pool, secrets: Wraps, current: Wrapping) -> int:
    """Wrap every key under ``current``; ``secrets`` open them. Return how many, once none is left under another."""
    done = 0
    while await pool.fetchval("select exists (select from keys.keys where master <> $1)", current.name):
        before, after = done, _START
        while (batch := await _batch(pool, secrets, current, after)) is not None:
            wrapped, after = batch
            done += wrapped
        if done == before:
            await asyncio.sleep(PAUSE)  # what is left is in others' hands
    return done


async def _batch(
    pool: Pool, secrets: Wraps, current: Wrapping, after: tuple[str, UUID]
) -> tuple[int, tuple[str, UUID]] | None:
    """Wrap the next few keys again, those that nobody else holds; return how many, and the last; None at the end."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            """select tenant, key_id, wrapped from keys.keys where (tenant, key_id) > ($1, $2) and master <> $3
               order by tenant, key_id limit $4 for no key update skip locked""",
            *after,
            current.name,
            BATCH,
        )
        if not rows:
            return None
        opened = [(row["tenant"], row["key_id"], secrets.unwrap(*row)) for row in rows]
        await connection.execute(
            """update keys.keys k set wrapped = again.wrapped
               from unnest($1::text[], $2::uuid[], $3::bytea[]) as again (tenant, key_id, wrapped)
               where k.tenant = again.tenant and k.key_id = again.key_id""",
            [tenant for tenant, _, _ in opened],
            [key_id for _, key_id, _ in opened],
            [current.wrap(*key) for key in opened],
        )
        return len(rows), (rows[-1]["tenant"], rows[-1]["key_id"])


async def wrapped_by(pool: Pool) -> Mapping[bytes, int]:
    """Return how many keys each secret wraps that may wrap here, by its name."""
    rows = await pool.fetch(
        """select m.name, count(k.key_id) as keys from keys.masters m left join keys.keys k on k.master = m.name
           group by m.nth, m.name order by m.nth"""
    )
    return {row["name"]: row["keys"] for row in rows}


async def retire(pool: Pool, name: bytes) -> bool:
    """End a secret's right to wrap here, for good; False, and nothing changes, while it still wraps a key."""
    try:
        await pool.execute("delete from keys.masters where name = $1", name)
    except asyncpg.ForeignKeyViolationError:
        return False
    return True


async def share_again(pool: Pool) -> None:
    """Have every shared key said again on its topic, wrapped under the sharing secret that wraps now."""
    await pool.execute("update keys.keys set published = 0, writes = writes + 1 where shared")


async def received_under(pool: Pool) -> Mapping[bytes, int]:
    """Return how many keys of other services lie here under each sharing secret, by its name."""
    rows = await pool.fetch(
        """select substring(wrapped from 1 for 8) as name, count(*) as keys from keys.received
           where wrapped is not null group by 1 order by 1"""
    )
    return {row["name"]: row["keys"] for row in rows}
