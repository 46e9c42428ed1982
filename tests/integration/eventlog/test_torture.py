"""Many writers at once, in a hurry, late or in vain, and readers that follow them: three kinds, and broken ones.

The writers do what an append does, step by step, so that they can dawdle between any two of them.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.integration.eventlog.postgresql import Connection, connected
from tests.integration.eventlog.readers import (
    COLUMN_OF_TRANSACTIONS,
    BehindTheFence,
    BySequence,
    ByTransaction,
    Reader,
    Tally,
)
from tests.integration.eventlog.running import until
from tests.integration.eventlog.torture import SECONDS, SEED, STREAMS, WRITERS

PATIENCE = 30.0  # seconds in which a planted bug must show; it does within one, as a rule

pytestmark = pytest.mark.timeout(3 * SECONDS + 300)

# What an append does, step by step, as the owner of the tables.
MOVE = """insert into eventlog.streams as s (tenant, stream, version, since, timed)
          values ('620723', $1, $2, eventlog.last_position(), false)
          on conflict (tenant, stream) do update set version = s.version + $2 returning no, version"""
FENCE = "select eventlog.take_fence()"
DRAW = """insert into eventlog.facts (position, stream_no, tenant, stream, version, published, fact_id, name, schema,
                                      data, organ, actor, occurred_at, recorded_at, correlation)
          select nextval('eventlog.positions'), $2, '620723', $1, $3::bigint - $4 + n, true, gen_random_uuid(),
                 'written', 1, '{}', 'office', 'writer', now(), now(), gen_random_uuid()
          from generate_series(1, $4::int) n"""
ELSEWHERE = "insert into elsewhere values (1)"


@dataclass(frozen=True)
class Writing:
    """How writers write: each transaction perhaps after another write, perhaps late, perhaps in vain."""

    elsewhere_first: float = 0.3
    in_vain: float = 0.1
    late: float = 0.5
    fence_last: bool = False  # the bug


async def write(connection: Connection, chance: random.Random, how: Writing) -> int:
    """Carry one transaction out; return how many facts it kept."""
    transaction = connection.transaction()
    await transaction.start()
    if chance.random() < how.elsewhere_first:
        await connection.execute(ELSEWHERE)
        await dawdle(chance, how)
    facts, stream = chance.randint(1, 3), f"written/{chance.randrange(STREAMS)}"
    moved = await connection.fetchrow(MOVE, stream, facts)
    assert moved is not None
    if not how.fence_last:
        await connection.execute(FENCE)
        await dawdle(chance, how)
    await connection.execute(DRAW, stream, *moved, facts)
    await dawdle(chance, how)
    if how.fence_last:
        await connection.execute(FENCE)
    if chance.random() < how.in_vain:
        await transaction.rollback()
        return 0
    await transaction.commit()
    return facts


async def dawdle(chance: random.Random, how: Writing) -> None:
    if chance.random() < how.late:
        await asyncio.sleep(chance.random() * 0.01)


async def torture(
    dsn: str, readers: Mapping[str, Reader], how: Writing, enough: Callable[[], Awaitable[bool]]
) -> tuple[int, Mapping[str, Tally]]:
    """Let them all loose until it is enough; return what was kept, and what each reader made of it."""
    done = asyncio.Event()

    async def write_on(connection: Connection, chance: random.Random) -> int:
        kept = 0
        while not done.is_set():
            kept += await write(connection, chance, how)
        return kept

    async def follow(reader: Reader) -> None:
        while not done.is_set():
            await reader.catch_up()
            await asyncio.sleep(0)

    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(dsn)) for _ in range(WRITERS)]
        following = [asyncio.create_task(follow(reader)) for reader in readers.values()]
        writing = [
            asyncio.create_task(write_on(connection, random.Random(f"{SEED}/{n}")))  # noqa: S311  # repeatable
            for n, connection in enumerate(connections)
        ]
        await until(enough, SECONDS + PATIENCE)
        done.set()
        kept = sum(await asyncio.gather(*writing))
        await asyncio.gather(*following)
    return kept, {name: await reader.tally() for name, reader in readers.items()}


def after(seconds: float) -> Callable[[], Awaitable[bool]]:
    end = asyncio.get_running_loop().time() + seconds

    async def passed() -> bool:
        return asyncio.get_running_loop().time() >= end

    return passed


async def test_of_three_readers_only_the_one_behind_the_fence_gets_everything_right(database: str) -> None:
    async with AsyncExitStack() as stack:
        one, two, three = [await stack.enter_async_context(connected(database)) for _ in range(3)]
        await one.execute("create table elsewhere (n int)")
        await one.execute(COLUMN_OF_TRANSACTIONS)
        readers = {"sequence": BySequence(one), "transaction": ByTransaction(two), "fence": BehindTheFence(three)}
        kept, tallies = await torture(database, readers, Writing(), after(SECONDS))
        print(f"{kept} facts, seed {SEED}: {tallies}")  # noqa: T201  # the finding
        assert kept == await one.fetchval("select count(*) from eventlog.facts")
    assert kept > 200
    assert tallies["fence"] == Tally()
    assert tallies["sequence"].missed > 0
    assert (tallies["transaction"].missed, tallies["transaction"].doubled) == (0, 0)
    assert tallies["transaction"].inverted > 0


@pytest.mark.parametrize(
    ("how", "cache"),
    [(Writing(fence_last=True), 1), (Writing(), 10)],
    ids=["the fence behind the positions", "positions drawn in advance"],
)
async def test_a_planted_bug_loses_facts(database: str, how: Writing, cache: int) -> None:
    """What needs luck to be caught here, like a reader of one statement, is caught step by step elsewhere."""
    async with connected(database) as owner, connected(database) as reading:
        await owner.execute("create table elsewhere (n int)")
        await owner.execute(f"alter sequence eventlog.positions cache {cache}")
        reader = BehindTheFence(reading)

        async def caught() -> bool:
            return await reader.has_missed(owner)

        _, tallies = await torture(database, {"broken": reader}, how, caught)
        assert tallies["broken"].missed > 0
