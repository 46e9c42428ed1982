"""The append itself, from several processes' worth of logs at once, with their server sessions ended at random."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

import pytest

from eventlog.connections import pool_of
from eventlog.errors import Unavailable
from eventlog.log import Appended, Repeated
from eventlog.postgres_log import PostgresLog
from tests.conftest import APPLICATION, as_application
from tests.fakes.counting import an_append
from tests.integration.eventlog.postgresql import connected
from tests.integration.eventlog.readers import BehindTheFence, BySequence, Reader, Tally
from tests.integration.eventlog.torture import SECONDS, SEED, STREAMS, WRITERS

pytestmark = pytest.mark.timeout(3 * SECONDS + 300)

SLOW_COMMITS = """
create function dawdle() returns trigger language plpgsql as
    $$begin perform pg_sleep(random() * 0.02); return null; end$$;
create constraint trigger dawdle after insert on eventlog.facts deferrable initially deferred
    for each row when (new.version % 3 = 0) execute function dawdle();
"""
LOGS = 6
TEAR = """select count(pg_terminate_backend(pid)) from (
              select pid from pg_stat_activity where datname = current_database() and usename = $1 and state = 'active'
              order by random() limit 1) a"""
DENSE = """select count(*) from (
               select version, row_number() over (partition by tenant, stream order by position) as n
               from eventlog.facts) f where version <> n"""


async def append_until_known(log: PostgresLog, chance: random.Random) -> int:
    """Send one command until it is answered, as a client does; return how many facts it was."""
    facts = chance.randint(1, 3)
    command = an_append(f"{chance.randrange(STREAMS)}", facts=facts, body=str(facts))
    while True:
        try:
            outcome = await log.append(command)
        except Unavailable:
            continue
        assert isinstance(outcome, Appended | Repeated)
        assert outcome.answer.body == {"said": str(facts)}
        return facts


async def test_the_append_itself_torn_away_at_any_moment(database: str) -> None:
    """Processes with logs of their own append at once; their server sessions are ended at random meanwhile."""
    chance = random.Random(SEED)  # noqa: S311  # repeatable
    end = asyncio.get_running_loop().time() + SECONDS
    appended, torn = Counter[str](), 0

    async def append_on(log: PostgresLog, chance: random.Random) -> None:
        while asyncio.get_running_loop().time() < end:
            facts = await append_until_known(log, chance)
            appended.update(facts=facts, commands=1)

    async def follow(reader: Reader) -> None:
        while True:
            await reader.catch_up()
            await asyncio.sleep(0)

    async with AsyncExitStack() as stack:
        owner, one, two = [await stack.enter_async_context(connected(database)) for _ in range(3)]
        await owner.execute(SLOW_COMMITS)
        pools = [await stack.enter_async_context(pool_of(as_application(database), 4)) for _ in range(LOGS)]
        logs = [PostgresLog(pool) for pool in pools]
        naive, fenced = BySequence(one), BehindTheFence(two)
        following = [asyncio.create_task(follow(reader)) for reader in (naive, fenced)]
        appending = [
            asyncio.create_task(append_on(logs[n % LOGS], random.Random(f"{SEED}/{n}")))  # noqa: S311  # repeatable
            for n in range(WRITERS)
        ]
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(chance.random() * 0.1)
            torn += await owner.fetchval(TEAR, APPLICATION)
        await asyncio.gather(*appending)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        tallies = {"sequence": await naive.tally(), "fence": await fenced.tally()}
        print(f"{dict(appended)}, {torn} torn, seed {SEED}: {tallies}")  # noqa: T201  # the finding
        assert await owner.fetchval("select count(*) from eventlog.facts") == appended["facts"]
        assert await owner.fetchval("select count(*) from eventlog.commands") == appended["commands"]
        assert await owner.fetchval(DENSE) == 0
    assert torn > SECONDS
    assert tallies["fence"] == Tally()
    assert tallies["sequence"].missed > 0
