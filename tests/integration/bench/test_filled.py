"""Filled: a log made in bulk is one that appends could have made, and takes more of them."""

from uuid_utils.compat import uuid7

from bench.filled import fill, key_of, records_of
from bench.submissions import CATEGORY, TENANT, append_of, json_of, opening
from eventlog.connections import Pool
from eventlog.facts import StreamId
from eventlog.kafka import Received
from eventlog.log import Appended, Conflict
from eventlog.postgres_log import PostgresLog
from eventlog.records import from_record


def stream(no: int) -> StreamId:
    return StreamId(CATEGORY, str(key_of(no)))


class TestFill:
    async def test_makes_streams_whose_facts_lie_apart(self, database: str, pool: Pool) -> None:
        await fill(database, facts=40, a_stream=4)
        log = PostgresLog(pool)
        facts = await log.stream(TENANT, stream(3))
        assert [(fact.version, fact.position) for fact in facts] == [(1, 3), (2, 13), (3, 23), (4, 33)]
        everything, reached = await log.after(0, 100)
        assert [fact.position for fact in everything] == list(range(1, 41))
        assert reached == 40
        assert len({fact.fact_id for fact in everything}) == 40

    async def test_makes_what_appends_would(self, database: str, pool: Pool) -> None:
        await fill(database, facts=4, a_stream=2)
        log = PostgresLog(pool)
        [made, _] = await log.stream(TENANT, stream(1))
        item = opening(uuid7())
        assert isinstance(await log.append(item), Appended)
        [kept] = await log.stream(TENANT, item.stream)
        assert (made.name, made.schema, made.organ, made.actor) == (kept.name, kept.schema, kept.organ, kept.actor)
        assert (made.published, made.matter, made.causation) == (kept.published, kept.matter, kept.causation)
        assert made.json == await as_stored(pool, json_of(key_of(1)))
        answer = await log.answer(TENANT, made.correlation)
        assert answer is not None
        assert (answer.version, answer.position) == (1, 1)

    async def test_leaves_a_log_that_goes_on(self, database: str, pool: Pool) -> None:
        await fill(database, facts=8, a_stream=4)
        log = PostgresLog(pool)
        assert isinstance(await log.append(append_of(key_of(2), uuid7(), expected=3)), Conflict)
        assert isinstance(await log.append(append_of(key_of(2), uuid7(), expected=4)), Appended)
        assert isinstance(await log.append(opening(uuid7())), Appended)
        assert [fact.version for fact in await log.stream(TENANT, stream(2))] == [1, 2, 3, 4, 5]
        assert [fact.position for fact in (await log.after(8, 9))[0]] == [9, 10]


class TestRecordsOf:
    async def test_are_all_facts_as_the_relay_sends_them(self, database: str, pool: Pool) -> None:
        await fill(database, facts=4, a_stream=2)
        records = [Received(record.key, record.value, record.headers) for record in await records_of(pool, piece=3)]
        facts, _ = await PostgresLog(pool).after(0, 9)
        assert [from_record(record) for record in records] == [(fact, n) for n, fact in enumerate(facts, start=1)]


async def as_stored(pool: Pool, json: str) -> str:
    """JSON as the server writes it."""
    text: str = await pool.fetchval("select $1::jsonb::text", json)
    return text
