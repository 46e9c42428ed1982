"""Databases: what the platform asks of a PostgreSQL server, its own or an operator's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg


class Databases:
    """The databases of one server, seen by a role that may create databases and roles."""

    def __init__(self, admin_dsn: str) -> None:
        """``admin_dsn`` is a URL, ``postgresql://user:password@host:port/database``."""
        self._admin_dsn = admin_dsn

    def admin_dsn(self, database: str) -> str:
        """DSN of ``database`` for the administrator."""
        return urlunsplit(urlsplit(self._admin_dsn)._replace(path=f"/{quote(database, safe='')}"))

    def dsn(self, database: str, role: str, password: str) -> str:
        """DSN of ``database`` for ``role``."""
        return as_role(self.admin_dsn(database), role, password)

    async def ensure_role(self, name: str, password: str) -> None:
        """Make ``name`` a role that may log in with ``password``; an existing one keeps its other rights."""
        async with self._connection() as connection:
            exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
            verb = "ALTER" if exists else "CREATE"
            await connection.execute(f"{verb} ROLE {_identifier(name)} LOGIN PASSWORD {_literal(password)}")

    async def ensure_database(self, name: str, owner: str | None = None) -> None:
        """Make the database ``name``, owned by ``owner``, unless it exists. UTF-8, no template leftovers."""
        async with self._connection() as connection:
            if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                return
            if owner is not None and not await connection.fetchval("SELECT pg_has_role($1, 'SET')", owner):
                # An operator's administrator need not be superuser; to hand a database over it must be a member.
                await connection.execute(f"GRANT {_identifier(owner)} TO CURRENT_USER")
            owned = "" if owner is None else f" OWNER {_identifier(owner)}"
            await connection.execute(f"CREATE DATABASE {_identifier(name)}{owned} TEMPLATE template0 ENCODING 'UTF8'")

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
        """One connection for one task; such tasks are rare, a pool would outlive them."""
        connection = await asyncpg.connect(self._admin_dsn, timeout=10)
        try:
            yield connection
        finally:
            await connection.close()


def as_role(dsn: str, role: str, password: str) -> str:
    """DSN of the same database for ``role``."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role, safe='')}:{quote(password, safe='')}@{host}"))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
