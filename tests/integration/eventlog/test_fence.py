"""What the fence does not do: wait for anybody but appends under way, or for positions that nobody keeps."""

from contextlib import AsyncExitStack

import pytest

from eventlog.postgres_log import PostgresLog, read_after
from tests.fakes.counting import an_append
from tests.integration.eventlog.postgresql import connected
from tests.integration.eventlog.readers import COLUMN_OF_TRANSACTIONS, BehindTheFence, ByTransaction
from tests.integration.eventlog.stage import Actor, Gate, a_stage, put_up_gates


@pytest.mark.parametrize("where", ["the same database", "another database"])
async def test_a_writer_that_sits_idle_in_its_transaction_delays_nobody(
    database: str, empty_database: str, log: PostgresLog, where: str
) -> None:
    """It does delay a reader that goes by transactions, wherever it sits: what we would otherwise have done."""
    async with AsyncExitStack() as stack:
        idle = await stack.enter_async_context(connected(database if where == "the same database" else empty_database))
        by_fence, by_transaction = [await stack.enter_async_context(connected(database)) for _ in range(2)]
        await by_fence.execute(COLUMN_OF_TRANSACTIONS)
        await idle.execute("create table elsewhere (n int)")
        fence, transaction = BehindTheFence(by_fence), ByTransaction(by_transaction)
        async with idle.transaction():
            await idle.execute("insert into elsewhere values (1)")
            await log.append(an_append(facts=3))
            await fence.catch_up()
            await transaction.catch_up()
            assert (len(fence.seen), len(transaction.seen)) == (3, 0)
        await transaction.catch_up()
        assert len(transaction.seen) == 3


async def test_another_databases_fence_is_not_ours(database: str, empty_database: str, log: PostgresLog) -> None:
    async with connected(empty_database) as elsewhere, connected(database) as reading, elsewhere.transaction():
        await elsewhere.execute("select pg_advisory_xact_lock_shared(21062::bigint << 48)")
        await log.append(an_append(facts=3))
        assert len((await read_after(reading, 0, 10))[0]) == 3


async def test_a_rolled_back_append_is_only_a_hole(database: str) -> None:
    async with connected(database) as owner:
        await put_up_gates(owner)
        async with a_stage(database) as stage:
            await stage.close_gates(in_vain=Actor.ONE)
            await stage.begin(Actor.ONE, stage.writers[0].append(an_append(facts=3)))
            for gate in (Gate.LO, Gate.SEEN, Gate.DRAW):
                await stage.step(Actor.ONE, gate)
            assert await owner.fetchval("select eventlog.horizon()") == 0
            await stage.open_gates()
            assert await read_after(owner, 0, 10) == ([], 3)
            await stage.writers[1].append(an_append(facts=1))
            facts, reached = await read_after(owner, 3, 10)
    assert ([(fact.position, fact.version) for fact in facts], reached) == ([(4, 1)], 4)
