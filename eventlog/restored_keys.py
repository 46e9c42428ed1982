"""Restored keys: a backup brings keys back that were destroyed since; what the log says of them is done again.

How far the log was followed stands beside the keys, so that an older backup brings an older mark back, too.
"""

import asyncio

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.election import Worker
from eventlog.erasure import SubjectErased
from eventlog.keys import destroy

LOOK = 60.0  # seconds between looks: how long a key may be back, once its database is
STRETCH = 100_000  # positions of the log followed at once
MARK = "subject-erased of our own log"  # in keys.relays, among the topics


class DestroyAgain(Worker):
    """Destroys, in the keys' database, the keys of the subjects that a log says were erased."""

    def __init__(self, pool: Pool, log_pool: Pool, work: str) -> None:
        """``pool`` is the keys' database."""
        self._log_pool = log_pool
        super().__init__(pool, work)

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        while True:
            while await self.step(connection):
                pass
            self.halted = None
            await asyncio.sleep(LOOK)

    async def step(self, connection: "Connection[asyncpg.Record]") -> bool:
        """Follow the log one stretch further; False at its end."""
        end: int = await self._log_pool.fetchval("select eventlog.horizon()")
        mark = await connection.fetchval("select sent from keys.relays where topic = $1", MARK)
        begin = mark if mark is not None and mark <= end else 0  # beyond the end: the log is from a backup itself
        if begin == end and mark is not None:
            return False
        until = min(begin + STRETCH, end)
        rows = await self._log_pool.fetch(
            """select tenant, (data ->> 'subject')::uuid as subject from eventlog.facts
               where position > $1 and position <= $2 and name = $3""",
            begin,
            until,
            SubjectErased.fact_name,
        )
        async with connection.transaction():
            await destroy(connection, [(row["tenant"], row["subject"]) for row in rows])
            # Only from the mark that was read: should the database be restored this very moment, it is read again.
            await connection.execute(
                """insert into keys.relays as r (topic, sent) values ($1, $3)
                   on conflict (topic) do update set sent = $3 where r.sent = $2""",
                MARK,
                mark,
                until,
            )
        return until < end
