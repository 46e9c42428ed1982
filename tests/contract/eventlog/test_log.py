"""What every log promises, asked of the one in memory and the one in PostgreSQL alike."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from eventlog.connections import Pool
from eventlog.decider import Context
from eventlog.errors import Rejected
from eventlog.facts import Stored, StreamId
from eventlog.handler import Contexts, Handler
from eventlog.log import Appended, Conflict, EventLog, Expect, NewTimer, Outcome, Repeated
from eventlog.memory_log import MemoryLog
from eventlog.postgres_log import PostgresLog
from tests.fakes.counting import (
    CloseCounter,
    Command,
    Counting,
    OpenCounter,
    RaiseCounter,
    State,
    an_append,
    asking,
    counter,
)
from web.metered_log import MeteredLog
from web.metrics import Metrics

TENANT = "620723"
ONE = StreamId("test-counter", "1")


def _stream(key: str) -> StreamId:
    return StreamId("test-counter", key)


@pytest.fixture
def memory() -> EventLog:
    return MemoryLog()


@pytest.fixture
def postgresql(pool: Pool) -> EventLog:
    return PostgresLog(pool)


@pytest.fixture
def metered(pool: Pool) -> EventLog:
    return MeteredLog(pool, Metrics())


@pytest.fixture(params=["memory", "metered", "postgresql"])
def log(request: pytest.FixtureRequest) -> EventLog:
    found: EventLog = request.getfixturevalue(request.param)
    return found


def version(outcome: Outcome) -> int:
    assert isinstance(outcome, Appended), outcome
    return outcome.answer.version


async def everything(log: EventLog, page: int = 1_000) -> Sequence[Stored]:
    facts: list[Stored] = []
    position = 0
    while True:
        found, reached = await log.after(position, page)
        facts.extend(found)
        if reached == position:
            return facts
        position = reached


class TestExpectations:
    async def test_new_opens_a_stream_once(self, log: EventLog) -> None:
        assert version(await log.append(an_append(expected=Expect.NEW))) == 1
        assert await log.append(an_append(expected=Expect.NEW)) == Conflict()

    async def test_the_exact_version_and_no_other(self, log: EventLog) -> None:
        await log.append(an_append(expected=Expect.NEW, facts=2))
        assert await log.append(an_append(expected=1)) == Conflict()
        assert await log.append(an_append(expected=3)) == Conflict()
        assert version(await log.append(an_append(expected=2))) == 3

    async def test_an_exact_version_of_a_stream_that_is_not_there(self, log: EventLog) -> None:
        assert await log.append(an_append(expected=1)) == Conflict()
        assert await log.stream(TENANT, ONE) == []

    async def test_exists_takes_any_version_but_none(self, log: EventLog) -> None:
        assert await log.append(an_append(expected=Expect.EXISTS)) == Conflict()
        await log.append(an_append(expected=Expect.NEW, facts=3))
        assert version(await log.append(an_append(expected=Expect.EXISTS))) == 4

    async def test_any_takes_them_all(self, log: EventLog) -> None:
        assert version(await log.append(an_append(expected=Expect.ANY))) == 1
        assert version(await log.append(an_append(expected=Expect.ANY, facts=2))) == 3

    async def test_a_conflict_leaves_nothing_behind(self, log: EventLog) -> None:
        await log.append(an_append(expected=Expect.NEW))
        refused = an_append(expected=Expect.NEW, timers=[NewTimer(await log.now(), "{}")])
        await log.append(refused)
        assert len(await everything(log)) == 1
        assert await log.next_due() is None
        assert await log.answer(TENANT, refused.command_id) is None

    async def test_nothing_to_record_is_remembered_as_an_answer(self, log: EventLog) -> None:
        silent = an_append(expected=Expect.NEW, facts=0, body="nothing to do")
        outcome = await log.append(silent)
        assert isinstance(outcome, Appended)
        assert (outcome.answer.version, outcome.answer.position) == (0, None)
        assert await log.answer(TENANT, silent.command_id) == outcome.answer
        assert await log.stream(TENANT, ONE) == []
        assert await log.append(an_append(expected=Expect.EXISTS)) == Conflict()
        assert version(await log.append(an_append(expected=Expect.NEW))) == 1
        later = await log.append(an_append(expected=1, facts=0))
        assert isinstance(later, Appended)
        assert (later.answer.version, later.answer.position) == (1, None)


class TestLookedAt:
    """What a rule read of other streams must still be so when its facts are kept."""

    async def test_a_stream_that_stands_still_is_no_conflict(self, log: EventLog) -> None:
        await log.append(an_append("1", expected=Expect.NEW))
        looking = replace(an_append("2", expected=Expect.NEW), unchanged=[(_stream("1"), 1), (_stream("3"), 0)])
        assert version(await log.append(looking)) == 1

    @pytest.mark.parametrize("seen", [0, 2])
    async def test_a_stream_that_is_not_as_it_was_seen_is_a_conflict(self, log: EventLog, seen: int) -> None:
        await log.append(an_append("1", expected=Expect.NEW))
        looking = replace(an_append("2", expected=Expect.NEW), unchanged=[(_stream("1"), seen)])
        assert await log.append(looking) == Conflict()
        assert len(await everything(log)) == 1

    async def test_of_two_that_look_at_each_other_one_wins(self, log: EventLog) -> None:
        for n in range(20):
            one, other = f"one-{n}", f"other-{n}"
            await log.append(an_append(one, expected=Expect.NEW))
            await log.append(an_append(other, expected=Expect.NEW))
            outcomes = await asyncio.gather(
                log.append(replace(an_append(one, expected=1), unchanged=[(_stream(other), 1)])),
                log.append(replace(an_append(other, expected=1), unchanged=[(_stream(one), 1)])),
            )
            assert Counter(type(outcome) for outcome in outcomes) == {Appended: 1, Conflict: 1}

    async def test_two_rules_that_read_each_others_streams_never_both_hold(self, log: EventLog) -> None:
        """Each counter may be closed only while the other counts: without the check both would close."""
        contexts = Contexts()
        handler = Handler(log, contexts)

        @contexts.of(counter)
        async def other_counts(command: Command, _: State, plain: Context, tenant: str) -> Context:
            if isinstance(command, CloseCounter):
                for key in ("1", "2"):
                    await asyncio.sleep(0)
                    if not isinstance(await handler.state(counter, tenant, key), Counting):
                        raise Rejected("the-other-is-closed")
            return plain

        assert other_counts is not None
        for key in ("1", "2"):
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        closing = [handler.send(counter, key, CloseCounter(), asking()) for key in ("1", "2")]
        ends = await asyncio.gather(*closing, return_exceptions=True)
        assert sum(isinstance(end, Rejected) for end in ends) == 1


class TestOnce:
    async def test_a_repeated_command_gets_its_first_answer(self, log: EventLog) -> None:
        command = an_append(expected=Expect.NEW, body="first")
        first = await log.append(command)
        assert isinstance(first, Appended)
        await log.append(an_append(expected=1))
        assert await log.append(command) == Repeated(first.answer)
        assert await log.answer(TENANT, command.command_id) == first.answer
        assert first.answer.body == {"said": "first"}
        assert len(await log.stream(TENANT, ONE)) == 2

    async def test_other_words_under_the_same_id_show_by_their_digest(self, log: EventLog) -> None:
        command_id = uuid4()
        first = an_append(expected=Expect.NEW, command_id=command_id, body="first")
        other = an_append("2", command_id=command_id, body="other")
        await log.append(first)
        outcome = await log.append(other)
        assert isinstance(outcome, Repeated)
        assert outcome.answer.digest == first.digest != other.digest
        assert await log.stream(TENANT, other.stream) == []

    async def test_an_unknown_command_has_no_answer(self, log: EventLog) -> None:
        assert await log.answer(TENANT, uuid4()) is None

    @pytest.mark.parametrize("expected", [Expect.NEW, Expect.ANY])
    async def test_one_command_sent_twenty_times_at_once_acts_once(self, log: EventLog, expected: int) -> None:
        command = an_append(expected=expected)
        outcomes = await asyncio.gather(*(log.append(command) for _ in range(20)))
        assert Counter(type(outcome) for outcome in outcomes) == {Appended: 1, Repeated: 19}
        assert len(await everything(log)) == 1

    async def test_one_command_sent_to_twenty_streams_at_once_reaches_one(self, log: EventLog) -> None:
        command_id = uuid4()
        sent = [an_append(str(n), command_id=command_id) for n in range(20)]
        outcomes = await asyncio.gather(*(log.append(item) for item in sent))
        assert Counter(type(outcome) for outcome in outcomes) == {Appended: 1, Repeated: 19}
        assert len(await everything(log)) == 1


class TestReading:
    async def test_a_fact_comes_back_as_it_went(self, log: EventLog) -> None:
        item = an_append(expected=Expect.NEW, published=False)
        before = await log.now()
        await log.append(item)
        [found] = await log.stream(TENANT, item.stream)
        assert before - timedelta(seconds=1) <= found.recorded_at <= await log.now() + timedelta(seconds=1)
        assert json.loads(found.json) == {"by": 1}
        assert found == Stored(
            fact_id=item.facts[0].fact_id,
            tenant=TENANT,
            stream=item.stream,
            version=1,
            position=1,
            published=False,
            organ="office",
            matter="matter-1",
            actor="somebody",
            occurred_at=item.occurred_at,
            recorded_at=found.recorded_at,
            correlation=item.correlation,
            causation=None,
            name="test-counter-raised",
            schema=1,
            json=found.json,
        )

    async def test_a_stream_from_a_version_on(self, log: EventLog) -> None:
        await log.append(an_append(facts=5))
        await log.append(an_append("2", facts=2))
        assert [fact.version for fact in await log.stream(TENANT, ONE, 3)] == [4, 5]
        assert await log.stream(TENANT, ONE, 5) == []
        assert [fact.version for fact in await log.stream(TENANT, ONE, 1, 2)] == [2, 3]

    async def test_positions_grow_with_versions_across_streams(self, log: EventLog) -> None:
        for n in range(12):
            await log.append(an_append(str(n % 3), facts=n % 4))
        facts = await everything(log)
        assert [fact.position for fact in facts] == sorted({fact.position for fact in facts})
        for key in ("0", "1", "2"):
            versions = [fact.version for fact in facts if fact.stream.key == key]
            assert versions == list(range(1, len(versions) + 1))

    async def test_paging_shows_all_once_whatever_the_page(self, log: EventLog) -> None:
        for n in range(7):
            await log.append(an_append(str(n), facts=3))
        whole = await everything(log)
        assert len(whole) == 21
        for page in (1, 2, 5, 20, 21, 22):
            assert await everything(log, page) == whole

    async def test_a_full_page_reaches_its_last_fact_and_the_rest_reaches_the_end(self, log: EventLog) -> None:
        await log.append(an_append(facts=5))
        page, reached = await log.after(0, 3)
        assert reached == page[-1].position
        rest, end = await log.after(reached, 3)
        assert len(rest) == 2
        assert end >= rest[-1].position
        assert await log.after(end, 3) == ([], end)

    async def test_a_tenant_sees_nothing_of_another(self, log: EventLog) -> None:
        command_id = uuid4()
        here = an_append(expected=Expect.NEW, command_id=command_id, timers=[NewTimer(await log.now(), "{}")])
        there = an_append(expected=Expect.NEW, command_id=command_id, tenant="620102", facts=2)
        assert version(await log.append(here)) == 1
        assert version(await log.append(there)) == 2
        assert [fact.tenant for fact in await log.stream("620102", ONE)] == ["620102"] * 2
        assert len(await log.stream(TENANT, ONE)) == 1
        assert await log.answer("620723", command_id) != await log.answer("620102", command_id)
        assert [timer.tenant for timer in await log.due(10)] == [TENANT]


class TestPublished:
    async def test_the_answer_names_the_last_published_fact(self, log: EventLog) -> None:
        public = await log.append(an_append("1", facts=3))
        private = await log.append(an_append("2", facts=2, published=False))
        assert isinstance(public, Appended)
        assert isinstance(private, Appended)
        assert public.answer.position == (await log.stream(TENANT, ONE))[-1].position
        assert private.answer.position is None


class TestTimers:
    async def test_each_append_replaces_the_streams_set(self, log: EventLog) -> None:
        now = await log.now()
        early, late = NewTimer(now - timedelta(hours=1), '{"n": 1}'), NewTimer(now + timedelta(hours=1), '{"n": 2}')
        await log.append(an_append(expected=Expect.NEW, timers=[late, early]))
        await log.append(an_append("2", timers=[NewTimer(now, '{"n": 3}')]))
        assert [(t.stream.key, t.version, t.n, json.loads(t.command)) for t in await log.due(10)] == [
            ("1", 1, 1, {"n": 1}),
            ("2", 1, 0, {"n": 3}),
        ]
        assert [t.stream.key for t in await log.due(1)] == ["1"]
        await log.append(an_append(expected=1, timers=[late]))
        assert [t.stream.key for t in await log.due(10)] == ["2"]
        await log.append(an_append("2", timers=[]))
        assert await log.due(10) == []
        assert await log.next_due() == late.due_at

    async def test_of_a_stream_its_first_is_due_however_many_are(self, log: EventLog) -> None:
        now = await log.now()
        for key, hours in ("many", 3), ("one", 2):
            ago = [NewTimer(now - timedelta(hours=h), f'{{"n": {h}}}') for h in range(1, hours + 1)]
            await log.append(an_append(key, timers=ago))
        other = an_append("one", tenant="620724", timers=[NewTimer(now - timedelta(hours=9), "{}")])
        await log.append(other)
        assert [(t.tenant, t.stream.key, t.n) for t in await log.due(10)] == [
            ("620724", "one", 0),
            (TENANT, "many", 2),
            (TENANT, "one", 1),
        ]

    async def test_what_fell_due_last_can_be_asked_for_first(self, log: EventLog) -> None:
        now = await log.now()
        for n in range(5):
            await log.append(an_append(str(n), timers=[NewTimer(now - timedelta(minutes=n), "{}")]))
        await log.append(an_append("later", timers=[NewTimer(now + timedelta(hours=1), "{}")]))
        assert [t.stream.key for t in await log.due(3)] == ["4", "3", "2"]
        assert [t.stream.key for t in await log.due(3, latest=True)] == ["0", "1", "2"]

    async def test_nothing_is_due_before_its_time(self, log: EventLog) -> None:
        at = await log.now() + timedelta(days=30)
        await log.append(an_append(timers=[NewTimer(at, "{}")]))
        await log.move_clock(at - timedelta(minutes=1))
        assert await log.due(10) == []
        await log.move_clock(at)
        assert [timer.due_at for timer in await log.due(10)] == [at]

    async def test_a_refused_one_is_put_off(self, log: EventLog) -> None:
        await log.append(
            an_append(timers=[NewTimer(await log.now(), '{"n": 0}'), NewTimer(await log.now(), '{"n": 1}')])
        )
        [first] = await log.due(10)
        assert first.n == 0
        assert await log.postpone(first, timedelta(minutes=10))
        [second] = await log.due(10)
        assert second.n == 1
        assert await log.postpone(second, timedelta(minutes=20))
        assert await log.due(10) == []
        await log.move_clock(await log.now() + timedelta(minutes=11))
        assert [timer.n for timer in await log.due(10)] == [0]

    async def test_one_that_was_replaced_cannot_be_put_off(self, log: EventLog) -> None:
        await log.append(an_append(timers=[NewTimer(await log.now(), "{}")]))
        [timer] = await log.due(10)
        await log.append(an_append(expected=1, timers=[NewTimer(await log.now(), "{}")]))
        assert not await log.postpone(timer, timedelta(minutes=10))
        assert [timer.version for timer in await log.due(10)] == [2]


class TestClock:
    async def test_it_moves_forward_and_goes_on(self, log: EventLog) -> None:
        start = await log.now()
        await log.move_clock(start + timedelta(days=365))
        assert timedelta(days=365) <= await log.now() - start < timedelta(days=365, minutes=1)
        with pytest.raises(Rejected, match="clock-not-forward"):
            await log.move_clock(start)
        await log.append(an_append())
        [fact] = await log.stream(TENANT, ONE)
        assert fact.recorded_at - start >= timedelta(days=365)

    async def test_it_never_goes_back_between_two_looks(self, log: EventLog) -> None:
        looks = [await log.now() for _ in range(50)]
        assert looks == sorted(looks)


class TestMany:
    async def test_ten_thousand_and_one_facts_in_one_append(self, log: EventLog) -> None:
        outcome = await log.append(an_append(expected=Expect.NEW, facts=10_001))
        assert version(outcome) == 10_001
        assert [fact.version for fact in await log.stream(TENANT, ONE)] == list(range(1, 10_002))
        assert len(await everything(log)) == 10_001

    async def test_one_conflict_among_many_is_one_conflict(self, log: EventLog) -> None:
        await log.append(an_append("7", expected=Expect.NEW))
        outcomes = await asyncio.gather(*(log.append(an_append(str(n), expected=Expect.NEW)) for n in range(50)))
        assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Conflict)] == [7]
        assert len(await everything(log)) == 50

    async def test_of_many_who_expect_the_same_version_one_wins(self, log: EventLog) -> None:
        await log.append(an_append(expected=Expect.NEW))
        outcomes = await asyncio.gather(*(log.append(an_append(expected=1)) for _ in range(50)))
        assert Counter(type(outcome) for outcome in outcomes) == {Appended: 1, Conflict: 49}

    async def test_two_hundred_writers_of_one_stream_all_get_through(self, log: EventLog) -> None:
        handler = Handler(log)
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        await asyncio.gather(*(handler.send(counter, "1", RaiseCounter(), asking()) for _ in range(200)))
        state = await handler.state(counter, TENANT, "1")
        assert isinstance(state, Counting)
        assert state.total == 200

    async def test_so_they_do_from_two_processes(self, log: EventLog) -> None:
        handlers = [Handler(log), Handler(log)]  # queues of their own: they race each other at every step
        await handlers[0].send(counter, "1", OpenCounter(), asking(opens=True))
        await asyncio.gather(*(handlers[n % 2].send(counter, "1", RaiseCounter(), asking()) for n in range(60)))
        assert (await handlers[0].head(counter, TENANT, "1")).version == 61
