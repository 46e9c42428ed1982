"""What only the log in PostgreSQL must do: who may write what, and how it bears a server that fails."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from eventlog.connections import Pool
from eventlog.errors import Rejected, Unavailable
from eventlog.facts import NewFact
from eventlog.log import Appended, Expect, NewTimer, Repeated
from eventlog.postgres_log import PostgresLog
from tests.conftest import as_application
from tests.fakes.counting import an_append
from tests.integration.eventlog.running import until


class TestRights:
    @pytest.mark.parametrize(
        "statement",
        [
            "insert into eventlog.facts select * from eventlog.facts",
            "update eventlog.facts set organ = 'elsewhere'",
            "delete from eventlog.facts",
            "truncate eventlog.facts",
            "update eventlog.streams set version = 0",
            "delete from eventlog.commands",
            "update eventlog.commands set digest = ''",
            "delete from eventlog.timers",
            "insert into eventlog.timers select * from eventlog.timers",
            "delete from eventlog.cursors",
            "select nextval('eventlog.positions')",
            "alter table eventlog.facts disable trigger facts_stay",
            "drop trigger facts_stay on eventlog.facts",
        ],
    )
    async def test_the_application_has_one_way_into_the_log(self, pool: Pool, statement: str) -> None:
        await PostgresLog(pool).append(an_append())
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "update eventlog.facts set organ = 'elsewhere'",
            "delete from eventlog.facts",
            "truncate eventlog.facts",
        ],
    )
    async def test_not_even_the_owner_changes_a_fact(self, pool: Pool, database: str, statement: str) -> None:
        await PostgresLog(pool).append(an_append())
        owner = await asyncpg.connect(database)
        with pytest.raises(asyncpg.RaiseError, match="facts are never changed"):
            await owner.execute(statement)
        await owner.close()

    async def test_a_stranger_cannot_even_append(self, pool: Pool, database: str) -> None:
        owner = await asyncpg.connect(database)
        stranger = f"stranger_{uuid4().hex[:8]}"
        await owner.execute(f"create role {stranger} login password 'x'; grant usage on schema eventlog to {stranger}")
        async with asyncpg.create_pool(
            as_application(database), user=stranger, password="x", min_size=1
        ) as pool_of_stranger:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await PostgresLog(pool_of_stranger).append(an_append())
        await owner.execute(f"drop owned by {stranger}; drop role {stranger}")
        await owner.close()


class TestBatches:
    async def test_text_that_cannot_be_stored_harms_nobody_else(self, pool: Pool) -> None:
        log = PostgresLog(pool)
        secret = "王小明\x00"
        nul_in_text = replace(an_append("bad-1"), organ=secret)
        nul_in_json = replace(an_append("bad-2"), facts=[NewFact(uuid4(), "said", 1, '{"words": "王小明\\u0000"}')])
        surrogate = replace(an_append("bad-3"), organ="王小明\ud800")
        bad = (nul_in_text, nul_in_json, surrogate)
        outcomes = await asyncio.gather(
            *(log.append(an_append(str(n))) for n in range(5)), *map(log.append, bad), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [Appended] * 5 + [Rejected] * 3
        for outcome in outcomes[5:]:
            assert isinstance(outcome, Rejected)
            assert outcome.code == "not-storable"
            assert "王小明" not in f"{outcome!r} {outcome.__context__!r} {outcome.__cause__!r}"

    async def test_a_caller_who_goes_away_takes_nothing_back(self, pool: Pool) -> None:
        log = PostgresLog(pool)
        command = an_append(expected=Expect.NEW)
        gone = asyncio.create_task(log.append(command))
        await asyncio.sleep(0)
        gone.cancel()
        outcome = await log.append(command)
        assert isinstance(outcome, Appended | Repeated)
        assert outcome.answer.version == 1
        assert len(await log.stream(command.tenant, command.stream)) == 1

    async def test_timers_of_one_batch_stay_with_their_streams(self, pool: Pool) -> None:
        log = PostgresLog(pool)
        now = await log.now()
        items = [an_append(str(n), timers=[NewTimer(now, f'{{"n": {n}}}')] * n) for n in range(4)]
        await asyncio.gather(*map(log.append, items))
        kept = await pool.fetch("select stream, n, command->>'n' as said from eventlog.timers order by stream, n")
        assert [tuple(row) for row in kept] == [
            ("test-counter/1", 0, "1"),
            ("test-counter/2", 0, "2"),
            ("test-counter/2", 1, "2"),
            ("test-counter/3", 0, "3"),
            ("test-counter/3", 1, "3"),
            ("test-counter/3", 2, "3"),
        ]


class TestFailures:
    async def test_a_torn_connection_is_not_noticed(self, pool: Pool, database: str) -> None:
        log = PostgresLog(pool)
        await log.append(an_append("0"))
        owner = await asyncpg.connect(database)
        tearing = asyncio.create_task(tear(owner, 10))
        outcomes = await asyncio.gather(*(append_until_known(log, n) for n in range(400)))
        await tearing
        assert outcomes == [1] * 400
        assert await owner.fetchval("select count(*) from eventlog.facts") == 401
        await owner.close()

    async def test_a_server_that_is_away_is_unavailable(self) -> None:
        nowhere = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"
        async with asyncpg.create_pool(nowhere, min_size=0, max_size=1) as pool:
            log = PostgresLog(pool)
            item = an_append()
            calls = [
                log.append(item),
                log.answer(item.tenant, item.command_id),
                log.stream(item.tenant, item.stream),
                log.after(0, 10),
                log.due(10),
                log.next_due(),
                log.now(),
                log.move_clock(item.occurred_at),
            ]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * len(calls)


async def tear(owner: "asyncpg.Connection[asyncpg.Record]", times: int) -> None:
    """End every connection to this database but our own, again and again."""
    for _ in range(times):
        await asyncio.sleep(0.02)
        await owner.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()"""
        )


async def append_until_known(log: PostgresLog, n: int) -> int:
    """Send one command until its outcome is known, as a client does; return the version reached."""
    command = an_append(f"torn-{n}", expected=Expect.NEW)
    while True:
        try:
            outcome = await log.append(command)
        except Unavailable:
            continue
        assert isinstance(outcome, Appended | Repeated)
        return outcome.answer.version


async def test_a_fact_that_waited_for_its_stream_is_recorded_when_it_is_written(
    pool: Pool, log: PostgresLog, database: str
) -> None:
    """Not when the wait began: who asks for what was recorded up to now would hear another answer later."""
    for key in ("first", "second"):
        await log.append(an_append(key))
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute("select from eventlog.streams where stream = 'test-counter/second' for update")
            waiting = asyncio.gather(log.append(an_append("first")), log.append(an_append("second")))
            await until(lambda: holder.fetchval("select exists (select from pg_locks where not granted)"))
            await PostgresLog(pool).append(an_append("meanwhile"))
        await waiting
    finally:
        await holder.close()
    facts = await pool.fetch("select stream, recorded_at from eventlog.facts order by position")
    assert [fact["stream"].rpartition("/")[2] for fact in facts] == ["first", "second", "meanwhile", "first", "second"]
    assert [fact["recorded_at"] for fact in facts] == sorted(fact["recorded_at"] for fact in facts)
