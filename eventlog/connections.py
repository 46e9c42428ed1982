"""Connections to PostgreSQL: how a pool is made, and which errors say nothing about what was sent."""

from typing import TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

TIMEOUT = 10.0  # seconds for one call; a connection that swallows everything must not hold its caller for ever
LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is going down, coming up, or was told to stop this
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # a deadlock was broken
)
"""What says nothing about the words sent: the same call may succeed later."""


def pool_of(dsn: str, size: int) -> Pool:
    """Return a pool that connects when first asked, so that a service can start before its database answers, and whose
    calls never wait without a bound.

    Its connections carry no session state (elections clean up after themselves), so they are given on without the
    round trip of a reset; an open transaction is rolled back all the same.
    """
    return asyncpg.create_pool(dsn, min_size=0, max_size=size, reset=_as_it_is, command_timeout=TIMEOUT)


async def _as_it_is(_: object) -> None:
    return
