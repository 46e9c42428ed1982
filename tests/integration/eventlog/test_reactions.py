"""Reactions: what follows from a fact follows once, and a refusal is written down, not tripped over."""

from collections.abc import Sequence

import pytest

from eventlog.consumer import Consumer, OwnLog
from eventlog.decider import Send
from eventlog.facts import Recorded
from eventlog.handler import Handler, timed_json
from eventlog.log import NewTimer
from eventlog.postgres_log import Pool, PostgresLog
from eventlog.reactions import React, Reactions, TimerRefusals
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
