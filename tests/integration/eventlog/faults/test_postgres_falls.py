"""PostgreSQL killed and started again under load: what was answered is kept, once, and everybody goes on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from eventlog.connections import Pool, pool_of
from eventlog.errors import Unavailable
from eventlog.log import Append, Appended, Expect, Repeated
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from tests.conftest import APPLICATION, as_application
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.faults.servers import Postgres
from tests.integration.eventlog.faults.witness import a_witness, all_witnessed, published, repeats, witnessed
from tests.integration.eventlog.running import running, until

BACK = 60.0  # seconds that a server may take to come back, and everybody with it
CLIENTS = 8
END_THE_LEADER = """select count(pg_terminate_backend(pid)) from pg_locks
                    where locktype = 'advisory' and mode = 'ExclusiveLock'
                      and database = (select oid from pg_database where datname = current_database())"""


async def send_until_known(log: PostgresLog, item: Append) -> None:
    """Send one command until it is answered, as a client does."""
    while True:
        try:
            outcome = await log.append(item)
        except Unavailable:
            continue
        assert isinstance(outcome, Appended | Repeated)
        assert outcome.answer.version == len(item.facts)
        return


@asynccontextmanager
async def clients(*logs: PostgresLog) -> AsyncGenerator[list[Append]]:
    """Open stream after stream while the block runs; what is listed was answered."""
    answered: list[Append] = []
    done = asyncio.Event()

    async def append_on(client: int) -> None:
        n = 0
        while not done.is_set():
            item = an_append(f"{client}-{n}", expected=Expect.NEW, facts=1 + n % 3, published=n % 4 != 0)
            await send_until_known(logs[client % len(logs)], item)
            answered.append(item)
            n += 1

    tasks = [asyncio.create_task(append_on(client)) for client in range(CLIENTS)]
    try:
        yield answered
    finally:
        done.set()
        async with asyncio.timeout(BACK):
            await asyncio.gather(*tasks)


async def more(answered: list[Append], commands: int) -> None:
    """Wait until so many more were answered."""
    enough = len(answered) + commands
    await until(lambda: len(answered) >= enough, BACK)


async def kept(pool: Pool, answered: list[Append]) -> bool:
    """Whether the log holds exactly these commands, and exactly their facts."""
    commands = await pool.fetch("select command_id from eventlog.commands")
    facts = await pool.fetch("select fact_id from eventlog.facts")
    return (
        sorted(row["command_id"] for row in commands),
        sorted(row["fact_id"] for row in facts),
    ) == (
        sorted(item.command_id for item in answered),
        sorted(fact.fact_id for item in answered for fact in item.facts),
    )


async def test_killed_and_started_again(own_postgres: Postgres) -> None:
    kafka = MemoryKafka({TOPIC: []})
    async with AsyncExitStack() as stack:
        one, two, work = [
            await stack.enter_async_context(pool_of(as_application(own_postgres.dsn), 6)) for _ in range(3)
        ]
        log = PostgresLog(work)
        async with running(Relay(work, log, kafka, TOPIC).run(), a_witness(work, kafka, TOPIC).run()):
            async with clients(PostgresLog(one), PostgresLog(two)) as answered:
                for _ in range(3):
                    await more(answered, 100)
                    await own_postgres.kill()
                    await own_postgres.start()
            await until(lambda: all_witnessed(work), BACK)
        assert await kept(work, answered)
        expected = await published(work)
        repeats(kafka.topics[TOPIC], expected)
        assert await witnessed(work) == expected


async def test_answers_that_do_not_wait_for_the_disk_are_found_out(own_postgres: Postgres) -> None:
    owner = await asyncpg.connect(own_postgres.dsn)
    for lax in (
        f"alter role {APPLICATION} set synchronous_commit = off",
        "alter system set wal_writer_delay = '10s'",
        "select pg_reload_conf()",
    ):
        await owner.execute(lax)
    await owner.close()
    async with pool_of(as_application(own_postgres.dsn), 6) as pool:
        async with clients(PostgresLog(pool)) as answered:
            await more(answered, 100)
            await own_postgres.kill()
            await own_postgres.start()
        assert not await kept(pool, answered)


async def test_leaders_whose_sessions_end_under_load(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Two of each: whenever one's lock is gone with its session, it or the other takes over."""
    relays = [Relay(pool, log, kafka, TOPIC).run() for _ in range(2)]
    witnesses = [a_witness(pool, kafka, TOPIC).run() for _ in range(2)]
    ended = 0
    async with running(*relays, *witnesses):
        async with clients(log) as answered:
            while ended < 20:
                await more(answered, 5)
                ended += await owner.fetchval(END_THE_LEADER)
        await until(lambda: all_witnessed(pool), BACK)
    assert await kept(pool, answered)
    expected = await published(pool)
    repeats(kafka.topics[TOPIC], expected)
    assert await witnessed(pool) == expected
