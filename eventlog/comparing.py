"""Comparing: how the rows of one version of a read model differ from those of another."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import asyncpg

from eventlog.connections import Connection
from eventlog.effect import Key
from eventlog.read_model import AnyReadModel

SAMPLE = 1_000

# The names of tables and columns below are constants of the program, never input.


@dataclass(frozen=True)
class Comparison:
    """Of so many rows so many differ; ``first``: the smallest key of these."""

    rows: int
    differing: int
    first: str | None


async def compared(
    connection: "Connection[asyncpg.Record]", model: AnyReadModel, other: str, leave_out: Collection[Key]
) -> Comparison:
    """Compare the table ``other`` with the live one, at one moment, but for the rows to ``leave_out``."""
    a, b = (", ".join(f"{table}.{column}" for column in model.row.model_fields) for table in "ab")
    row = await connection.fetchrow(
        f"""select count(*) as rows, count(*) filter (where differs) as differing,
                   min(key) filter (where differs) as first
            from (select coalesce(a.tenant, b.tenant) as tenant, coalesce(a.{model.key}, b.{model.key}) as key,
                         a.tenant is null or b.tenant is null or ({a}) is distinct from ({b}) as differs
                  from {model.table} a full join {other} b on a.tenant = b.tenant and a.{model.key} = b.{model.key}) r
            where not exists (select from unnest($1::text[], $2::text[]) as out (tenant, key)
                              where out.tenant = r.tenant and out.key = r.key)""",  # noqa: S608
        [tenant for tenant, _ in leave_out],
        [key for _, key in leave_out],
    )
    if row is None:
        raise LookupError("an aggregate without group by always gives a row")
    return Comparison(**dict(row))


async def sampled(connection: "Connection[asyncpg.Record]", model: AnyReadModel, tables: Sequence[str]) -> set[Key]:
    """Return keys of any of the tables, the same whenever they are asked for, and of no order that means anything."""
    found: set[Key] = set()
    for table in tables:
        rows = await connection.fetch(
            f"select tenant, {model.key} as key from {table} order by md5({model.key}) limit $1",  # noqa: S608
            SAMPLE,
        )
        found |= {(row["tenant"], row["key"]) for row in rows}
    return found
