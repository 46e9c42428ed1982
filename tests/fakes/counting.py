"""A sample aggregate for the log's own tests: a counter that can be raised and closed, and closes when it is time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID, uuid4

from eventlog.decider import Actor, Context, Decider, Due
from eventlog.errors import Rejected
from eventlog.facts import Fact, NewFact, StreamId, Value
from eventlog.handler import Opening, Request
from eventlog.log import Append, Expect, NewTimer

LIFETIME = timedelta(days=7)


class CounterOpened(Fact, name="test-counter-opened"):
    until: datetime


class CounterRaised(Fact, name="test-counter-raised"):
    by: int


class CounterClosed(Fact, name="test-counter-closed"):
    total: int


class OpenCounter(Value):
    pass


class RaiseCounter(Value):
    by: int = 1


class CloseCounter(Value):
    pass


class Unopened(Value):
    pass


class Counting(Value):
    total: int
    until: datetime


class Closed(Value):
    total: int


Command: TypeAlias = OpenCounter | RaiseCounter | CloseCounter
CounterFact: TypeAlias = CounterOpened | CounterRaised | CounterClosed
State: TypeAlias = Unopened | Counting | Closed


def decide(command: Command, counter: State, context: Context) -> Sequence[CounterFact]:
    match command:
        case OpenCounter():
            if not isinstance(counter, Unopened):
                raise Rejected("counter-open")
            return [CounterOpened(until=context.occurred_at + LIFETIME)]
        case RaiseCounter(by=by):
            if not isinstance(counter, Counting):
                raise Rejected("counter-not-counting")
            return [CounterRaised(by=by)] if by else []
        case CloseCounter():
            if not isinstance(counter, Counting):
                raise Rejected("counter-not-counting")
            return [CounterClosed(total=counter.total)]


def evolve(counter: State, fact: CounterFact) -> State:
    match fact:
        case CounterOpened(until=until):
            return Counting(total=0, until=until)
        case CounterRaised(by=by):
            if not isinstance(counter, Counting):
                raise TypeError("raised while not counting")
            return Counting(total=counter.total + by, until=counter.until)
        case CounterClosed(total=total):
            return Closed(total=total)


def due(counter: State) -> Sequence[Due[Command]]:
    match counter:
        case Counting(until=until):
            return [Due[Command](at=until, command=CloseCounter())]
        case Unopened() | Closed():
            return []


counter: Decider[Command, State, CounterFact, Context] = Decider(
    "test-counter", Unopened(), decide, evolve, due, timed=(CloseCounter,)
)


def asking(
    tenant: str = "620723",
    command_id: UUID | None = None,
    body: str = "",
    opens: bool = False,
    expected_version: int | None = None,
    occurred_at: datetime | None = None,
) -> Request:
    """A request of somebody of organ ``office``."""
    return Request(
        tenant=tenant,
        actor=Actor(id="somebody"),
        command_id=command_id or uuid4(),
        digest=sha256(body.encode()).digest(),
        correlation=uuid4(),
        opens=Opening("office", "matter-1") if opens else None,
        expected_version=expected_version,
        occurred_at=occurred_at,
    )


def an_append(
    key: str = "1",
    expected: int = Expect.ANY,
    facts: int = 1,
    *,
    tenant: str = "620723",
    published: bool = True,
    command_id: UUID | None = None,
    body: str = "",
    timers: Sequence[NewTimer] = (),
    by: int = 1,
    at: datetime | None = None,
) -> Append:
    """``facts`` raises of one counter, under a command id of their own unless one is given."""
    return Append(
        tenant=tenant,
        stream=StreamId("test-counter", key),
        expected=expected,
        published=published,
        organ="office",
        matter="matter-1",
        actor="somebody",
        occurred_at=at or datetime.fromisoformat("2026-03-02T09:00:00+00:00"),
        command_id=command_id or uuid4(),
        digest=sha256(body.encode()).digest(),
        correlation=uuid4(),
        causation=None,
        answer={"said": body},
        facts=[NewFact.of(uuid4(), CounterRaised(by=by)) for _ in range(facts)],
        timers=timers,
    )
