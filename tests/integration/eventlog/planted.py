"""Planted bugs: what a log that skips facts looks like. A test that does not catch them proves nothing.

Those of the schema are planted in the wrapped functions of a stage (``stage.put_up_gates``).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from eventlog.facts import Stored, StreamId
from eventlog.postgres_log import COLUMNS, read_after
from tests.integration.eventlog.postgresql import Connection, rewrite

Plant: TypeAlias = Callable[[Connection], Awaitable[None]]
_BEHIND_THE_ROWS = """
create function gates.behind_the_rows() returns trigger language plpgsql as $$begin {} return null; end$$;
create trigger behind_the_rows after insert on eventlog.facts
    for each statement execute function gates.behind_the_rows();
"""


async def fence_behind_the_positions(owner: Connection) -> None:
    await rewrite(owner, "eventlog.take_fence()", ("    perform gates.take_fence();\n", ""))
    await owner.execute(_BEHIND_THE_ROWS.format("perform gates.take_fence();"))


async def fence_let_go_before_the_commit(owner: Connection) -> None:
    await rewrite(owner, "gates.take_fence()", ("pg_advisory_xact_lock_shared", "pg_advisory_lock_shared"))
    await owner.execute(_BEHIND_THE_ROWS.format("perform pg_advisory_unlock_all();"))


async def fence_one_too_high(owner: Connection) -> None:
    await rewrite(owner, "gates.take_fence()", ("eventlog.last_position()", "eventlog.last_position() + 1"))


async def fence_unlike_zero_at_first(owner: Connection) -> None:
    await rewrite(owner, "gates.last_position()", (", 0)", ", 1)"))


async def positions_drawn_in_advance(owner: Connection) -> None:
    await owner.execute("alter sequence eventlog.positions cache 10")


async def no_look_at_the_locks(owner: Connection) -> None:
    await owner.execute(
        "create or replace function gates.horizon() returns bigint language sql as 'select eventlog.last_position()'"
    )


async def locks_before_the_sequence(owner: Connection) -> None:
    await rewrite(
        owner,
        "gates.horizon()",
        ("hi bigint := eventlog.last_position();", "hi bigint;"),
        ("    return least(", "    perform gates.wait(2);\n    hi := gates.last_position();\n    return least("),
    )


async def rows_in_the_same_statement(connection: Connection, position: int, limit: int) -> tuple[Sequence[Stored], int]:
    """A reader that saves the second statement: its rows are as old as its beginning, its horizon is not."""
    rows = await connection.fetch(
        f"""with read as materialized (select eventlog.horizon() as horizon)
            select horizon, f.* from read left join lateral (
                select {COLUMNS} from eventlog.facts where position > $1 and position <= horizon
                order by position limit $2) f on true""",  # noqa: S608  # a constant
        position,
        limit,
    )
    facts = [_stored(dict(row)) for row in rows if row["position"] is not None]
    return facts, facts[-1].position if len(facts) == limit else rows[0]["horizon"]


async def rows_in_an_older_snapshot(connection: Connection, position: int, limit: int) -> tuple[Sequence[Stored], int]:
    """A reader inside a transaction that is not READ COMMITTED."""
    async with connection.transaction(isolation="repeatable_read"):
        return await read_after(connection, position, limit)


def _stored(row: dict[str, Any]) -> Stored:
    del row["horizon"]
    row["stream"] = StreamId.parse(row["stream"])
    return Stored(**row)
