"""What the tests of the log in PostgreSQL do to its server and its schema behind the log's back."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncGenerator[Connection]:
    """A connection with these settings, closed at the end."""
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        yield connection
    finally:
        await connection.close()


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """``text`` with each ``old`` made ``new``. An ``old`` that is not there, or not once, plants no bug: that fails."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


async def rewrite(owner: Connection, function: str, *changes: tuple[str, str]) -> None:
    """Change the text of a function, as its definition stands in the database."""
    await owner.execute(replaced(await definition(owner, function), *changes))


async def definition(owner: Connection, function: str) -> str:
    text: str = await owner.fetchval("select pg_get_functiondef($1::regprocedure)", function)
    return text
