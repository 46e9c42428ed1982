"""Reactions: what follows from a fact follows once, and a refusal is written down, not tripped over."""

from collections.abc import Sequence

import pytest

from eventlog.connections import Pool
from eventlog.consumer import Consumer
from eventlog.decider import AnyDecider, Send
from eventlog.errors import Unavailable
from eventlog.facts import Recorded, Stored, Value
from eventlog.handler import Accepted, Handler, Request, timed_json
from eventlog.log import NewTimer
from eventlog.postgres_log import PostgresLog
from eventlog.reactions import React, Reactions
from eventlog.refusals import TimerRefusals
from eventlog.sources import OwnLog
from eventlog.timers import Timers
from tests.fakes.counting import (
    CloseCounter,
    Closed,
    CounterClosed,
    CounterOpened,
    CounterRaised,
    OpenCounter,
    RaiseCounter,
    an_append,
    asking,
    counter,
)
from tests.integration.eventlog.running import running, until

TENANT = "620723"
reactions = Reactions()


@reactions.to(CounterOpened)
def open_a_mirror(fact: Recorded[CounterOpened]) -> Sequence[Send]:
    """Every counter but a mirror has a mirror, which is opened and raised by one."""
    if fact.stream.key.endswith("-mirror"):
        return []
    mirror = f"{fact.stream.key}-mirror"
    return [counter.send(mirror, OpenCounter()), counter.send(mirror, RaiseCounter(by=1))]


@reactions.to(CounterRaised)
def raise_the_mirror(fact: Recorded[CounterRaised]) -> Sequence[Send]:
    if fact.stream.key.endswith("-mirror"):
        return []
    return [counter.send(f"{fact.stream.key}-mirror", RaiseCounter(by=fact.data.by))]


@reactions.to(CounterClosed)
def close_the_mirror(fact: Recorded[CounterClosed]) -> Sequence[Send]:
    return [] if "-mirror" in fact.stream.key else [counter.send(f"{fact.stream.key}-mirror", CloseCounter())]


async def members(pool: Pool, fact: Recorded[CounterClosed], batch: Sequence[Stored]) -> Sequence[str]:
    """The counters that belong to the one that was closed, by their names; and one that was never opened."""
    assert fact.fact_id in {each.fact_id for each in batch}
    rows = await pool.fetch(
        "select stream from eventlog.streams where tenant = $1 and starts_with(stream, $2) order by stream",
        fact.tenant,
        f"{fact.stream}-member-",
    )
    return [*(row["stream"].removeprefix("test-counter/") for row in rows), "never-opened"]


to_members = Reactions()


@to_members.to_each(CounterClosed, of=members)
def raise_member(fact: Recorded[CounterClosed], key: str) -> Send:
    return counter.send(key, RaiseCounter(by=fact.data.total))


@pytest.fixture
def handler(log: PostgresLog) -> Handler:
    return Handler(log)


async def caught_up(pool: Pool) -> bool:
    return await pool.fetchval("select position = eventlog.horizon() from eventlog.cursors") is True


async def test_what_follows_is_asked_for_in_the_facts_name(pool: Pool, log: PostgresLog, handler: Handler) -> None:
    consumer = Consumer("reactions", OwnLog(log), pool, [React(reactions, handler, pool)])
    async with running(consumer.run()):
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        await handler.send(counter, "1", RaiseCounter(by=4), asking())
        await handler.send(counter, "1", CloseCounter(), asking())
        await until(lambda: caught_up(pool))
    assert await handler.state(counter, TENANT, "1-mirror") == Closed(total=5)
    causes = await log.stream(TENANT, counter.stream("1"))
    mirrored = await log.stream(TENANT, counter.stream("1-mirror"))
    assert [fact.causation for fact in mirrored] == [causes[0].fact_id, *(fact.fact_id for fact in causes)]
    assert [fact.occurred_at for fact in mirrored] == [causes[0].occurred_at, *(fact.occurred_at for fact in causes)]
    assert {(fact.organ, fact.matter) for fact in mirrored} == {("office", "matter-1")}
    assert [fact.actor for fact in mirrored][:1] == ["reaction/open_a_mirror"]
    assert mirrored[0].correlation == causes[0].correlation
    assert await pool.fetchval("select count(*) from eventlog.refusals") == 0


async def test_handling_facts_again_sends_nothing_new(pool: Pool, log: PostgresLog, handler: Handler) -> None:
    react = React(reactions, handler, pool)
    await handler.send(counter, "1", OpenCounter(), asking(opens=True))
    await handler.send(counter, "1", CloseCounter(), asking())
    facts, _ = await log.after(0, 100)
    await react.act(facts)
    everything, end = await log.after(0, 100)
    assert len(everything) == 5
    await React(reactions, Handler(log), pool).act(facts)
    assert await log.after(0, 100) == (everything, end)
    assert [react_id for fact in facts for _, react_id, _ in reactions.sends(fact)] == [
        react_id for fact in facts for _, react_id, _ in reactions.sends(fact)
    ]
    assert await pool.fetchval("select count(*) from eventlog.refusals") == 0


async def test_a_refusal_is_written_down_once_and_the_next_one_goes(
    pool: Pool, log: PostgresLog, handler: Handler
) -> None:
    react = React(reactions, handler, pool)
    await log.append(an_append("lonely", by=2))  # its mirror was never opened
    await handler.send(counter, "1", OpenCounter(), asking(opens=True))
    facts, _ = await log.after(0, 100)
    await react.act(facts)
    await react.act(facts)
    assert (await handler.head(counter, TENANT, "1-mirror")).version == 2
    [(_, command_id, _)] = reactions.sends(facts[0])
    [refusal] = await pool.fetch(
        "select tenant, sender, command_id, stream, command, code, cause from eventlog.refusals"
    )
    assert dict(refusal) == {
        "tenant": TENANT,
        "sender": "raise_the_mirror",
        "command_id": command_id,
        "stream": "test-counter/lonely-mirror",
        "command": "RaiseCounter",
        "code": "counter-not-counting",
        "cause": facts[0].fact_id,
    }


async def test_what_was_refused_is_not_decided_again_when_its_batch_comes_again(
    pool: Pool, log: PostgresLog, handler: Handler
) -> None:
    react = React(reactions, handler, pool)
    await log.append(an_append("late", by=2))  # its mirror is not open yet
    facts, _ = await log.after(0, 100)
    await react.act(facts)
    await handler.send(counter, "late-mirror", OpenCounter(), asking(opens=True))
    await react.act(facts)
    assert (await handler.head(counter, TENANT, "late-mirror")).version == 1
    assert await pool.fetchval("select count(*) from eventlog.refusals") == 1


class TestToEach:
    async def test_every_stream_that_a_fact_concerns_hears_of_it_once(
        self, pool: Pool, log: PostgresLog, handler: Handler
    ) -> None:
        for key in ("1", *(f"1-member-{n}" for n in range(50)), "2-member-1"):
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        await handler.send(counter, "1", RaiseCounter(by=3), asking())
        await handler.send(counter, "1-member-7", CloseCounter(), asking())
        await handler.send(counter, "1", CloseCounter(), asking())
        *_, closed = await log.stream(TENANT, counter.stream("1"))
        await React(to_members, handler, pool).act([closed])
        everything, _ = await log.after(0, 1_000)
        raised = [fact for fact in everything if fact.causation == closed.fact_id]
        assert sorted(fact.stream.key for fact in raised) == sorted(f"1-member-{n}" for n in range(50) if n != 7)
        assert {(fact.correlation, fact.actor) for fact in raised} == {(closed.correlation, "reaction/raise_member")}
        await React(to_members, Handler(log), pool).act([closed])
        assert (await log.after(0, 1_000))[0] == everything

    async def test_one_that_refuses_and_one_that_is_not_there_are_written_down_and_hold_up_no_other(
        self, pool: Pool, log: PostgresLog, handler: Handler
    ) -> None:
        for key in ("1", "1-member-1", "1-member-2"):
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        await handler.send(counter, "1-member-1", CloseCounter(), asking())
        await handler.send(counter, "1", RaiseCounter(by=3), asking())
        await handler.send(counter, "1", CloseCounter(), asking())
        *_, closed = await log.stream(TENANT, counter.stream("1"))
        await React(to_members, handler, pool).act([closed])
        refused = await pool.fetch("select sender, stream, code from eventlog.refusals order by stream")
        assert [tuple(refusal) for refusal in refused] == [
            ("raise_member", "test-counter/1-member-1", "counter-not-counting"),
            ("raise_member", "test-counter/never-opened", "Absent"),
        ]
        assert await log.stream(TENANT, counter.stream("never-opened")) == []
        await handler.send(counter, "never-opened", OpenCounter(), asking(opens=True))
        await React(to_members, handler, pool).act([closed])
        assert len(await log.stream(TENANT, counter.stream("never-opened"))) == 1

    async def test_a_log_that_is_away_breaks_it_off_as_what_it_is(self, pool: Pool, handler: Handler) -> None:
        class Away(Handler):
            async def send(self, decider: AnyDecider, key: object, command: Value, request: Request) -> Accepted:
                raise Unavailable

        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        await handler.send(counter, "1", CloseCounter(), asking())
        facts, _ = await PostgresLog(pool).after(0, 10)
        with pytest.raises(Unavailable):
            await React(to_members, Away(PostgresLog(pool)), pool).act(facts)


async def test_a_refused_timer_is_written_down_without_its_words(
    pool: Pool, log: PostgresLog, handler: Handler
) -> None:
    due = [NewTimer(await log.now(), timed_json(CloseCounter()))]
    await log.append(an_append("never-opened", facts=0, timers=due))
    timers = Timers(log, handler, [counter], TimerRefusals(pool))
    assert await timers.fire(10) == 1
    assert await timers.fire(10) == 0
    [refusal] = await pool.fetch("select sender, stream, command, code, cause from eventlog.refusals")
    assert tuple(refusal) == ("timer", "test-counter/never-opened", "CloseCounter", "Absent", None)
