"""Twins: a table like another one, made bare to be filled, and given its keys, indexes and rights afterwards.

The names of tables here are constants of the program, never input.
"""

import re

import asyncpg

from eventlog.connections import Connection


async def make_bare(connection: "Connection[asyncpg.Record]", table: str, like: str) -> None:
    """Make an empty ``table`` like another, without keys and indexes."""
    await connection.execute(f"create table {table} (like {like} including all excluding indexes)")


async def complete(connection: "Connection[asyncpg.Record]", table: str, like: str) -> None:
    """Give ``table`` the keys, indexes and rights of another, and the planner a picture; part of a transaction."""
    keys = await connection.fetch(
        """select pg_get_constraintdef(oid) as key from pg_constraint
           where conrelid = $1::regclass and contype in ('p', 'u')""",
        like,
    )
    for row in keys:
        await connection.execute(f"alter table {table} add {row['key']}")
    indexes = await connection.fetch(
        """select pg_get_indexdef(indexrelid) as index from pg_index
           where indrelid = $1::regclass
             and indexrelid not in (select conindid from pg_constraint where conrelid = $1::regclass)""",
        like,
    )
    for row in indexes:
        await connection.execute(
            re.sub(r" INDEX \S+ ON (ONLY )?\S+ ", f" INDEX ON {table} ", str(row["index"]), count=1)
        )
    await _grant(connection, table, like)
    await _guard(connection, table, like)
    await connection.execute(f"analyze {table}")


async def alike(connection: "Connection[asyncpg.Record]", table: str, other: str) -> bool:
    """Whether two tables have the same columns."""
    found: bool = await connection.fetchval(
        """select (select array_agg((attname, atttypid, atttypmod, attnotnull) order by attname) from pg_attribute
                   where attrelid = $1::regclass and attnum > 0 and not attisdropped)
                = (select array_agg((attname, atttypid, atttypmod, attnotnull) order by attname) from pg_attribute
                   where attrelid = $2::regclass and attnum > 0 and not attisdropped)""",
        table,
        other,
    )
    return found


async def what_hangs_on(connection: "Connection[asyncpg.Record]", table: str) -> str | None:
    """Name the views, foreign keys and triggers that would stay with a table when another takes its name."""
    hangs: str | None = await connection.fetchval(
        """select string_agg(distinct pg_describe_object(classid, objid, objsubid), ', ')
           from pg_depend
           where refclassid = 'pg_class'::regclass and refobjid = $1::regclass
             and (classid in ('pg_rewrite'::regclass, 'pg_trigger'::regclass)
                  or classid = 'pg_constraint'::regclass
                     and exists (select from pg_constraint where oid = objid and contype = 'f'))""",
        table,
    )
    return hangs


async def _grant(connection: "Connection[asyncpg.Record]", table: str, like: str) -> None:
    rows = await connection.fetch(
        """select privilege_type as may, case grantee when 0 then 'public' else quote_ident(rolname) end as who
           from pg_class c cross join aclexplode(c.relacl) a left join pg_roles r on r.oid = a.grantee
           where c.oid = $1::regclass and grantee <> c.relowner""",
        like,
    )
    for row in rows:
        await connection.execute(f"grant {row['may']} on {table} to {row['who']}")


async def _guard(connection: "Connection[asyncpg.Record]", table: str, like: str) -> None:
    """Row-level security, where the other table has it."""
    rows = await connection.fetch(
        """select case when relrowsecurity then 'enable' end as one,
                  case when relforcerowsecurity then 'force' end as two
           from pg_class where oid = $1::regclass""",
        like,
    )
    for verb in filter(None, rows[0]):
        await connection.execute(f"alter table {table} {verb} row level security")
    policies = await connection.fetch(
        """select quote_ident(polname) as name,
                  case when polpermissive then 'permissive' else 'restrictive' end as kind,
                  case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                              when 'd' then 'delete' else 'all' end as command,
                  (select string_agg(coalesce(quote_ident(rolname), 'public'), ', ')
                   from unnest(polroles) as role left join pg_roles r on r.oid = role) as who,
                  coalesce(' using (' || pg_get_expr(polqual, polrelid) || ')', '')
                      || coalesce(' with check (' || pg_get_expr(polwithcheck, polrelid) || ')', '') as rule
           from pg_policy where polrelid = $1::regclass""",
        like,
    )
    for row in policies:
        await connection.execute(
            f"create policy {row['name']} on {table} as {row['kind']} for {row['command']} to {row['who']}{row['rule']}"
        )
