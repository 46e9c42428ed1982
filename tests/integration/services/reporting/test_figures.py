"""Every figure equals what is counted by hand, opens down to exactly its facts, and hangs on each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import asyncpg
import pytest

from eventlog.connections import Connection, Pool
from eventlog.facts import Stored
from services.reporting.fact_store.figures import Reads, amount, facts_behind
from services.reporting.fact_store.question import Positions, Question
from services.reporting.fact_store.store import positions
from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import Count, Rate
from tests.integration.services.reporting import reference
from tests.integration.services.reporting.conftest import take_in, topics
from tests.integration.services.reporting.reference import Reference
from tests.integration.services.reporting.sample import COUNTY, OTHER_COUNTY, TOWN, VILLAGES, Sample, sample

QUARTER = (date(2026, 1, 1), date(2026, 3, 31))
MONTH = (date(2026, 2, 1), date(2026, 2, 28))
DAY = (date(2026, 1, 31), date(2026, 1, 31))
QUESTIONS = [
    (COUNTY, *QUARTER),
    (TOWN, *QUARTER),
    (VILLAGES[0], *QUARTER),
    (COUNTY, *MONTH),
    (TOWN, *MONTH),
    (COUNTY, *DAY),
]


def counts() -> Mapping[str, Count]:
    """Every count there is, terms of rates included, by slug."""
    found: dict[str, Count] = {}
    for indicator in INDICATORS:
        match indicator:
            case Count():
                found[indicator.slug] = indicator
            case Rate(numerator=numerator, denominator=denominator):
                found |= {numerator.slug: numerator, denominator.slug: denominator}
    return found


COUNTS = counts()


def question(division: str, first: date, last: date, at: Positions, tenant: str = COUNTY) -> Question:
    return Question(tenant=tenant, division=division, first=first, last=last, at=at)


def by_hand(q: Question, facts: Mapping[str, Sequence[Stored]]) -> Mapping[str, list[reference.Listed]]:
    return reference.figures(Reference(facts, q.tenant, q.division, q.first, q.last, q.at.model_dump()))


async def all_facts(reads: Reads, count: Count, q: Question, by: str | None = None) -> set[UUID]:
    return {fact.fact_id for fact in await facts_behind(reads, count, q, by=by, limit=10_000)}


def test_the_reference_knows_every_count() -> None:
    nothing = Reference({}, COUNTY, COUNTY, *QUARTER, at={})
    assert set(reference.figures(nothing)) == set(COUNTS)


class TestFigures:
    @pytest.mark.parametrize(("division", "first", "last"), QUESTIONS)
    async def test_equal_what_is_counted_by_hand(self, filled: Pool, division: str, first: date, last: date) -> None:
        q = question(division, first, last, await positions(filled))
        expected = by_hand(q, topics())
        for slug, count in COUNTS.items():
            found = await amount(filled, count, q)
            assert found.value == sum(one.adds for one in expected[slug]), slug
            assert found.facts == len(expected[slug]), slug
            assert found.by == ({} if count.by is None else reference.by(expected[slug])), slug

    async def test_open_down_to_exactly_their_facts(self, filled: Pool) -> None:
        q = question(COUNTY, *QUARTER, at=await positions(filled))
        expected = by_hand(q, topics())
        for slug, count in COUNTS.items():
            assert expected[slug], f"the sample has nothing for {slug}"
            assert await all_facts(filled, count, q) == {one.fact_id for one in expected[slug]}, slug
            for value in (await amount(filled, count, q)).by:
                behind = {one.fact_id for one in expected[slug] if one.by == value}
                assert await all_facts(filled, count, q, by=value) == behind, (slug, value)

    async def test_hang_on_each_of_their_facts(self, filled: Pool) -> None:
        q = question(COUNTY, *QUARTER, at=await positions(filled))
        async with filled.acquire() as connection:
            for slug, count in COUNTS.items():
                before = await amount(connection, count, q)
                for fact in await all_facts(connection, count, q):
                    after = await amount_without(connection, fact, count, q)
                    assert after < before.value, (slug, fact)

    async def test_of_another_county_leave_ours_alone(self, filled: Pool) -> None:
        q = question(OTHER_COUNTY, *QUARTER, at=await positions(filled), tenant=OTHER_COUNTY)
        expected = by_hand(q, topics())
        across = question(OTHER_COUNTY, *QUARTER, at=q.at, tenant=COUNTY)
        for slug, count in COUNTS.items():
            assert await all_facts(filled, count, q) == {one.fact_id for one in expected[slug]}, slug
            assert (await amount(filled, count, across)).value == 0, slug


async def amount_without(connection: "Connection[asyncpg.Record]", fact: UUID, count: Count, q: Question) -> int:
    """Compute a count as if one fact had never been, and put the fact back."""
    undo = connection.transaction()
    await undo.start()
    try:
        await connection.execute("delete from facts where fact_id = $1", fact)
        return (await amount(connection, count, q)).value
    finally:
        await undo.rollback()


class TestPositions:
    async def test_asked_again_give_the_same_answer(self, store: Pool) -> None:
        whole = sample().topics
        half = {service: facts[: len(facts) // 2] for service, facts in whole.items()}
        rest = {service: facts[len(facts) // 2 :] for service, facts in whole.items()}
        await take_in(store, half)
        q = question(COUNTY, *QUARTER, at=await positions(store))
        before = {slug: await amount(store, count, q) for slug, count in COUNTS.items()}
        await take_in(store, rest)
        assert {slug: await amount(store, count, q) for slug, count in COUNTS.items()} == before
        now = question(COUNTY, *QUARTER, at=await positions(store))
        assert {slug: await amount(store, count, now) for slug, count in COUNTS.items()} != before

    async def test_are_nothing_in_an_empty_store(self, store: Pool) -> None:
        q = question(COUNTY, *QUARTER, at=await positions(store))
        assert q.at == Positions()
        assert {(await amount(store, count, q)).value for count in COUNTS.values()} == {0}


class TestPeriod:
    async def test_begins_and_ends_at_midnight_in_shanghai(self, filled: Pool) -> None:
        """A day moved by one moves exactly the facts of the days between, down to the microsecond."""
        at = await positions(filled)
        first, last = QUARTER
        for moved in (timedelta(days=-1), timedelta(0), timedelta(days=1)):
            q = question(COUNTY, first + moved, last + moved, at)
            expected = by_hand(q, topics())
            for slug, count in COUNTS.items():
                assert await all_facts(filled, count, q) == {one.fact_id for one in expected[slug]}, (slug, moved)

    async def test_holds_its_first_and_its_last_microsecond(self, store: Pool) -> None:
        made, tick = Sample(), timedelta(microseconds=1)
        q = question(COUNTY, *MONTH, at=Positions())
        data = next(fact for fact in sample().topics["intake"] if fact.name == "submission-received").read().data
        for n, at in enumerate((q.begins - tick, q.begins, q.ends - tick, q.ends)):
            made.record("intake", f"submission/{n}", data, at)
        await take_in(store, made.topics)
        inside = {fact.fact_id for fact in made.topics["intake"][1:3]}
        q = question(COUNTY, *MONTH, at=await positions(store))
        assert q.begins.isoformat() == "2026-02-01T00:00:00+08:00"
        assert await all_facts(store, COUNTS["opinions-collected"], q) == inside


class TestDisputesResolved:
    async def test_count_a_matter_once_where_it_was_last_settled(self, store: Pool) -> None:
        made = Sample()
        matter = made.matter()
        resolved = [fact for fact in sample().topics["mediation"] if fact.name == "dispute-resolved-by-mediation"][:2]
        days = (date(2026, 1, 10), date(2026, 2, 10))
        for n, (fact, day) in enumerate(zip(resolved, days, strict=True)):
            at = question(COUNTY, day, day, Positions()).begins
            made.record("mediation", f"case/{n}", fact.read().data, at, matter=matter)
        await take_in(store, made.topics)
        q = question(COUNTY, *QUARTER, at=await positions(store))
        january = question(COUNTY, date(2026, 1, 1), date(2026, 1, 31), q.at)
        count = COUNTS["disputes-resolved"]
        assert await all_facts(store, count, q) == {made.topics["mediation"][1].fact_id}
        assert await all_facts(store, count, january) == set()


class TestOlderFacts:
    async def test_say_the_default_of_a_field_they_lack(self, store: Pool) -> None:
        """A breakdown by a field that came later reads facts recorded before it existed."""
        made = Sample()
        received = next(fact for fact in sample().topics["intake"] if fact.name == "submission-received")
        data = received.read().data
        at = question(COUNTY, *DAY, at=Positions()).begins
        made.record("intake", "submission/1", data, at)
        older = made.topics["intake"][0]
        made.topics["intake"][0] = replace(older, json=data.model_dump_json(exclude={"backfilled"}))
        await take_in(store, made.topics)
        count = COUNTS["opinions-collected"].model_copy(update={"where": {"backfilled": (False,)}})
        q = question(COUNTY, *DAY, at=await positions(store))
        assert (await amount(store, count, q)).value == 1
