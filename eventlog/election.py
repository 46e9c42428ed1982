"""Election: of all processes that could do a piece of work, one does, and a straggler's writes bounce off.

Leadership is a session advisory lock on a connection of its own: it ends with the connection. When the leader's machine
loses its power nobody ends that: the server gives it up when its probes stay unanswered (see connections.SESSION), some
ten seconds later. A leader that was stopped and wakes after its lock has gone may still believe; that is why each
term also draws a new epoch from the row the work checkpoints into, and every checkpoint names its epoch.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncpg
import structlog

from eventlog.connections import LOST, Connection, Pool
from eventlog.errors import EventLogError, Fenced, Unavailable

RETRY = 1.0  # seconds between two terms, or two tries to begin one


def lock_of(work: str) -> int:
    """The key of the advisory lock that whoever leads ``work`` holds, so that others can see that somebody does."""
    return int.from_bytes(sha256(work.encode()).digest()[:8], "big", signed=True)


@asynccontextmanager
async def elected(pool: Pool, work: str) -> AsyncGenerator["Connection[asyncpg.Record] | None"]:
    """Give the leader's connection, or None when another process leads. The lock ends with the block."""
    key = lock_of(work)
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
            except LOST:
                connection.terminate()  # the lock ends with it; what ended the block goes on, a cancellation above all
            except BaseException:
                connection.terminate()
                raise


class Worker(ABC):
    """Does a piece of work for as long as it leads, and stands by otherwise, for ever.

    Whatever goes wrong, the next term starts from what was committed, so nothing is skipped. What is neither an outage
    nor the loss of the lead stands in ``halted``, for health and operators, until the work goes on.
    """

    def __init__(self, pool: Pool, work: str) -> None:
        self.work = work
        self.halted: str | None = None
        self._pool = pool
        self._logger = structlog.get_logger("worker").bind(work=work)

    async def run(self) -> None:
        """Lead or stand by."""
        while True:
            try:
                async with elected(self._pool, self.work) as connection:
                    if connection is not None:
                        await self.lead(connection)
            except (Unavailable, Fenced, *LOST) as error:
                self._logger.warning("starts over", reason=type(error).__name__)
            except Exception as error:
                # Our own errors say where; others may repeat what lies in a row.
                where = f": {error}" if isinstance(error, EventLogError) else ""
                self.halted = type(error).__name__ + where
                self._logger.exception("halted")
            await asyncio.sleep(RETRY)

    @abstractmethod
    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        """Work from what was committed until something goes wrong; clear ``halted`` whenever the work goes on."""
