"""Migrations: numbered SQL files, applied once, in order, and never changed afterwards."""

from hashlib import sha256
from pathlib import Path

import asyncpg

from eventlog.errors import CorruptHistory

LOCK = 7_311_806  # any number that all services' migrations share


async def migrate(dsn: str, application: str, grants: str, *files: Path) -> int:
    """Apply what is not applied yet, each file in a transaction, as the owner; return how many were.

    Then give the role ``application`` what ``grants`` says.
    Raises CorruptHistory when an applied file was changed since.
    """
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(
            """create table if not exists migrations (
                   name text primary key, sha256 text not null, at timestamptz not null default now())"""
        )
        applied = {row["name"]: row["sha256"] for row in await connection.fetch("select name, sha256 from migrations")}
        fresh = 0
        for file in files:
            sql = file.read_text(encoding="utf-8")
            digest = sha256(sql.encode()).hexdigest()
            if applied.get(file.name, digest) != digest:
                raise CorruptHistory(f"{file.name} was changed after it was applied")
            if file.name not in applied:
                async with connection.transaction():
                    await connection.execute(sql)
                    await connection.execute("insert into migrations (name, sha256) values ($1, $2)", file.name, digest)
                fresh += 1
        await connection.execute(grants.format(role='"' + application.replace('"', "") + '"'))
        return fresh
    finally:
        await connection.close()


# What a service may do with its database: read everything, write its own tables, and of the log only its one way in.
LOG_GRANTS = """
grant usage on schema public, eventlog to {role};
grant select, insert, update, delete on all tables in schema public to {role};
grant select on all tables in schema eventlog to {role};
grant select on all sequences in schema eventlog to {role};
grant insert, update on eventlog.relays, eventlog.cursors, eventlog.refusals to {role};
grant insert on eventlog.interventions to {role};
grant update on eventlog.timers, eventlog.clock to {role};
grant insert, update, delete on eventlog.parked to {role};
grant execute on function eventlog.append(eventlog.new_append[], boolean), eventlog.make_room() to {role};
revoke insert, update, delete on migrations from {role};
"""

KEY_GRANTS = """
grant usage on schema keys to {role};
grant select, insert, update on all tables in schema keys to {role};
grant delete on keys.masters to {role};
"""
