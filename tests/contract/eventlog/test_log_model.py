"""Whatever is done to a log, it holds what a few dicts would: the one in memory and the one in PostgreSQL alike."""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar, NamedTuple, TypeVar
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from eventlog.connections import pool_of
from eventlog.facts import Fact, NewFact, Stored, StreamId
from eventlog.log import Append, Appended, Conflict, EventLog, Expect, NewTimer, Outcome, Repeated, Timer
from eventlog.memory_log import MemoryLog
from eventlog.postgres_log import PostgresLog
from tests.conftest import as_application
from tests.fakes.counting import an_append

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)  # without tracing every line to explain a failure
HOUR = timedelta(hours=1)
T = TypeVar("T")
_examples = count(1)


class Weighed(Fact, name="test-weighed", schema=2):
    """In grams; its first schema said kilograms."""

    grams: int

    @classmethod
    def upcast(cls, schema: int, data: dict[str, Any]) -> dict[str, Any]:
        return {"grams": 1000 * data["kilograms"]} if schema == 1 else data


class Place(NamedTuple):
    """A stream of one of two tenants; both have streams of the same names."""

    tenant: int
    key: str


class Weight(NamedTuple):
    """What a fact says, and the schema it is written in."""

    schema: int
    kilograms: int

    def written(self) -> NewFact:
        data = {"kilograms": self.kilograms} if self.schema == 1 else {"grams": 1000 * self.kilograms}
        return NewFact(uuid4(), "test-weighed", self.schema, json.dumps(data))


class Held(NamedTuple):
    """A fact as the dicts hold it."""

    fact_id: UUID
    grams: int


class Standing(NamedTuple):
    """A timer that stands."""

    version: int
    n: int
    due_at: datetime


@dataclass(frozen=True)
class World:
    """A log, and the loop that its calls run in."""

    log: EventLog
    loop: asyncio.AbstractEventLoop

    def __call__(self, call: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(call)


@dataclass(frozen=True)
class Wanted:
    """An append as the rules below ask for it. ``expects``: a word of Expect, or how far off the exact version."""

    place: Place
    expects: Expect | str
    weights: Sequence[Weight]
    published: bool
    hours: Sequence[int]  # from now until its timers fall due
    off: Mapping[str, int]  # other streams of the tenant that it looked at, and how far off their version


places = st.builds(Place, st.sampled_from([0, 1]), st.sampled_from(["1", "2", "3"]))
wanted = st.builds(
    Wanted,
    places,
    st.sampled_from([Expect.NEW, Expect.EXISTS, Expect.ANY, "exactly", "exactly", "one more", "one less"]),
    st.lists(st.builds(Weight, st.sampled_from([1, 2]), st.integers(0, 9)), max_size=3),
    st.booleans(),
    st.lists(st.sampled_from([-2, -1, 1, 2]), max_size=2),
    st.dictionaries(st.sampled_from(["1", "2", "3"]), st.sampled_from([0, 0, 0, 1, -1]), max_size=2),
)


class LogModel(RuleBasedStateMachine):
    """Each example has tenants of its own, so that one log serves them all."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.log, self.run = self.world.log, self.world
        example = next(_examples)
        self.tenants = (f"{example}-a", f"{example}-b")
        self.position = self.run(self.log.after(0, 1_000_000))[1]  # behind what earlier examples left
        self.seen: list[tuple[int, UUID]] = []  # by a reader that goes on from where it was
        self.streams: dict[Place, list[Held]] = {}
        self.order: list[tuple[int, UUID]] = []  # position and id of every fact
        self.accepted: list[tuple[Append, Appended]] = []
        self.timers: dict[Place, list[Standing]] = {}
        self.timers_seen: list[Timer] = []

    @rule(one=wanted)
    def append(self, one: Wanted) -> None:
        item = self.item(one)
        self.check(one, item, self.run(self.log.append(item)))

    @rule(several=st.lists(wanted, min_size=2, max_size=6, unique_by=lambda one: one.place))
    def append_at_once(self, several: Sequence[Wanted]) -> None:
        """They share a batch; none looks at another's stream, which would make it a race."""
        several = [replace(one, off={}) for one in several]
        items = [self.item(one) for one in several]

        async def all_at_once() -> Sequence[Outcome]:
            return await asyncio.gather(*map(self.log.append, items))

        for one, item, outcome in zip(several, items, self.run(all_at_once()), strict=True):
            self.check(one, item, outcome)
        self.order.sort()

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), other_body=st.booleans(), elsewhere=st.none() | places)
    def send_again(self, data: st.DataObject, other_body: bool, elsewhere: Place | None) -> None:
        item, first = data.draw(st.sampled_from(self.accepted))
        again = an_append(command_id=item.command_id, tenant=item.tenant, body="other" if other_body else "")
        if elsewhere is not None:
            again = replace(again, stream=self.stream(elsewhere))
        assert self.run(self.log.append(again)) == Repeated(first.answer)
        assert (first.answer.digest == again.digest) is not other_body
        assert self.run(self.log.answer(item.tenant, item.command_id)) == first.answer

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), one=wanted)
    def send_its_id_in_the_other_tenant(self, data: st.DataObject, one: Wanted) -> None:
        item, _ = data.draw(st.sampled_from(self.accepted))
        there = self.tenants.index(item.tenant) ^ 1
        one = replace(one, place=one.place._replace(tenant=there))
        if all(
            (other.tenant, other.command_id) != (self.tenants[there], item.command_id) for other, _ in self.accepted
        ):
            same_id = replace(self.item(one), command_id=item.command_id)
            self.check(one, same_id, self.run(self.log.append(same_id)))

    @rule(pages=st.lists(st.integers(1, 5), min_size=1, max_size=4))
    def read_on(self, pages: Sequence[int]) -> None:
        """Go on from the last position; a page that is not full is the end for now."""
        for page in pages:
            facts, self.position = self.run(self.log.after(self.position, page))
            self.seen.extend((fact.position, fact.fact_id) for fact in facts)
            assert self.seen == (self.order[: len(self.seen)] if len(facts) == page else self.order)

    @rule(place=places, cut=st.integers(0, 5))
    def fold(self, place: Place, cut: int) -> None:
        """A fold of the whole, one that goes on from a part, and the sum of what was said are one."""
        held = self.streams.get(place, [])
        whole = self.read(place)
        assert [fact.fact_id for fact in whole] == [fact.fact_id for fact in held]
        assert [fact.version for fact in whole] == list(range(1, len(held) + 1))
        assert [fact.position for fact in whole] == sorted({fact.position for fact in whole})
        part = grams(whole[:cut])
        assert part + grams(self.read(place, cut)) == grams(whole) == sum(fact.grams for fact in held)

    @rule()
    def what_is_due(self) -> None:
        now = self.run(self.log.now())
        due = [timer for timer in self.run(self.log.due(100_000)) if timer.tenant in self.tenants]
        first = [
            (place, min(timers, key=lambda timer: (timer.due_at, timer.n)))
            for place, timers in self.timers.items()
            if timers
        ]
        assert sorted((t.tenant, str(t.stream), t.version, t.n) for t in due) == sorted(
            (self.tenants[place.tenant], str(self.stream(place)), timer.version, timer.n)
            for place, timer in first
            if timer.due_at <= now
        )
        assert [timer.due_at for timer in due] == sorted(timer.due_at for timer in due)
        assert all(json.loads(timer.command) == {"n": timer.n} for timer in due)
        self.timers_seen.extend(due)

    @precondition(lambda self: self.timers_seen)
    @rule(data=st.data())
    def put_off(self, data: st.DataObject) -> None:
        timer = data.draw(st.sampled_from(self.timers_seen))
        place = Place(self.tenants.index(timer.tenant), timer.stream.key)
        standing = self.timers.get(place, [])
        stands = [(each.version, each.n) for each in standing]
        found = (timer.version, timer.n) in stands
        # Not by whole hours: it must not fall due at the very moment that another does.
        assert self.run(self.log.postpone(timer, 1.5 * HOUR)) is found
        if found:
            n = stands.index((timer.version, timer.n))
            standing[n] = standing[n]._replace(due_at=self.run(self.log.now()) + 1.5 * HOUR)

    @rule()
    def an_hour_later(self) -> None:
        self.run(self.log.move_clock(self.run(self.log.now()) + HOUR))

    def stream(self, place: Place) -> StreamId:
        return StreamId("test-scale", place.key)

    def version(self, place: Place) -> int:
        return len(self.streams.get(place, ()))

    def read(self, place: Place, after_version: int = 0) -> Sequence[Stored]:
        return self.run(self.log.stream(self.tenants[place.tenant], self.stream(place), after_version))

    def item(self, one: Wanted) -> Append:
        now = self.run(self.log.now())
        exact = {"exactly": 0, "one more": 1, "one less": -1}
        looked_at = [(key, Place(one.place.tenant, key)) for key in one.off if key != one.place.key]
        return replace(
            an_append(
                expected=one.expects
                if isinstance(one.expects, Expect)
                else max(0, self.version(one.place) + exact[one.expects]),
                tenant=self.tenants[one.place.tenant],
                published=one.published,
                timers=[NewTimer(now + hours * HOUR, json.dumps({"n": n})) for n, hours in enumerate(one.hours)],
            ),
            stream=self.stream(one.place),
            facts=[weight.written() for weight in one.weights],
            unchanged=[(self.stream(place), max(0, self.version(place) + one.off[key])) for key, place in looked_at],
        )

    def check(self, one: Wanted, item: Append, outcome: Outcome) -> None:
        """Compare what came of it with what the dicts say, and take it into them."""
        before = self.version(one.place)
        as_seen = all(self.version(Place(one.place.tenant, other.key)) == seen for other, seen in item.unchanged)
        if not (as_seen and as_expected(item.expected, before)):
            assert outcome == Conflict()
            assert self.run(self.log.answer(item.tenant, item.command_id)) is None
            return
        assert isinstance(outcome, Appended)
        new = self.read(one.place, before)
        assert [fact.fact_id for fact in new] == [fact.fact_id for fact in item.facts]
        assert outcome.answer.version == before + len(new)
        assert outcome.answer.position == (new[-1].position if new and one.published else None)
        self.order.extend((fact.position, fact.fact_id) for fact in new)
        self.streams.setdefault(one.place, []).extend(
            Held(fact.fact_id, 1000 * weight.kilograms) for fact, weight in zip(item.facts, one.weights, strict=True)
        )
        self.timers[one.place] = [
            Standing(outcome.answer.version, n, timer.due_at) for n, timer in enumerate(item.timers)
        ]
        self.accepted.append((item, outcome))


def as_expected(expected: int, version: int) -> bool:
    return expected in (Expect.ANY, version) or (expected == Expect.EXISTS and version > 0)


def grams(facts: Sequence[Stored]) -> int:
    total = 0
    for fact in facts:
        data = fact.read().data
        assert isinstance(data, Weighed)
        total += data.grams
    return total


@pytest.fixture
def memory() -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(MemoryLog(), runner.get_loop())


@pytest.fixture
def postgresql(database: str) -> Iterator[World]:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()

        async def open_pool() -> "asyncpg.Pool[asyncpg.Record]":
            return await pool_of(as_application(database), 4)

        pool = loop.run_until_complete(open_pool())
        yield World(PostgresLog(pool), loop)
        loop.run_until_complete(pool.close())


@pytest.mark.parametrize("kept_in", ["memory", "postgresql"])
def test_a_log_holds_what_dicts_would(request: pytest.FixtureRequest, kept_in: str) -> None:
    class OfThisLog(LogModel):
        world = request.getfixturevalue(kept_in)

    some = settings(max_examples=40, stateful_step_count=25, deadline=None, report_multiple_bugs=False, phases=PHASES)
    run_state_machine_as_test(OfThisLog, settings=some)
