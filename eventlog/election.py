"""Election: of all processes that could do a piece of work, one does, and a straggler's writes bounce off.

Leadership is a session advisory lock on a connection of its own: it ends with the connection, at the latest when the
leader's machine does. A leader that was stopped and wakes after its lock has gone may still believe; that is why each
term also draws a new epoch from the row the work checkpoints into, and every checkpoint names its epoch.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncpg

from eventlog.postgres_log import Pool

Connection = asyncpg.pool.PoolConnectionProxy


@asynccontextmanager
async def elected(pool: Pool, work: str) -> AsyncGenerator["Connection[asyncpg.Record] | None"]:
    """Give the leader's connection, or None when another process leads. The lock ends with the block."""
    key = int.from_bytes(sha256(work.encode()).digest()[:8], "big", signed=True)
    async with pool.acquire() as connection:
        # The pool gives connections on without a reset: what is not surely unlocked must not go back to it.
        try:
            leads = await connection.fetchval("select pg_try_advisory_lock($1)", key)
        except BaseException:
            connection.terminate()
            raise
        if not leads:
            yield None
            return
        try:
            yield connection
        finally:
            try:
                await connection.execute("select pg_advisory_unlock($1)", key)
            except BaseException:
                connection.terminate()
                raise
