"""Connections to PostgreSQL: how a pool is made, and which errors say nothing about what was sent."""

from typing import TypeAlias

import asyncpg

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection = asyncpg.pool.PoolConnectionProxy

TIMEOUT = 10.0  # seconds for one call; a connection that swallows everything must not hold its caller for ever
SESSION = {
    "tcp_keepalives_idle": "5",  # seconds, as the next; a client's host that is gone is given up after 11
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
    "idle_in_transaction_session_timeout": "30000",  # three calls; whoever holds a row longer without a word is stopped
}
"""What the server is asked to do about a client that vanished: what it held, a lead above all, is free in seconds.

Without it, that takes a server two hours: nothing arrives from a host without power, not even the end of a connection.
"""
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
    return asyncpg.create_pool(
        dsn, min_size=0, max_size=size, reset=_as_it_is, command_timeout=TIMEOUT, server_settings=SESSION
    )


async def _as_it_is(_: object) -> None:
    return
