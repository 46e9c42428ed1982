"""A read model is a fold with a table: however a history is cut into batches, the rows are those of one fold."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlog.connections import Pool
from eventlog.consumer import Consumer
from eventlog.effect import Key
from eventlog.facts import Fact, NewFact, Recorded, Stored, StreamId, Value
from eventlog.postgres_log import PostgresLog
from eventlog.read_model import ReadModel
from eventlog.sources import OwnLog
from tests.fakes.counting import CounterRaised, an_append
from tests.integration.eventlog.running import running, until

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
TABLE = """
    create table shelves (
        tenant text not null, shelf text not null, books int not null, last_book uuid, filled_at timestamptz,
        day date not null, weight numeric not null, words jsonb not null, full_up boolean not null,
        primary key (tenant, shelf));
    create table raises (tenant text not null, stream text not null, total int not null, primary key (tenant, stream));
    grant all on shelves, raises to public"""


class ShelfFilled(Fact, name="test-shelf-filled"):
    shelf: str
    book: UUID
    grams: Decimal
    words: tuple[str, ...]


class ShelfCleared(Fact, name="test-shelf-cleared"):
    shelf: str


class ShelvesSwapped(Fact, name="test-shelves-swapped"):
    shelves: tuple[str, str]


class ShelfDusted(Fact, name="test-shelf-dusted"):
    """Of no interest to the model."""

    shelf: str


class Shelf(Value):
    shelf: str
    books: int = 0
    last_book: UUID | None = None
    filled_at: datetime | None = None
    day: date
    weight: Decimal = Decimal(0)
    words: tuple[str, ...] = ()
    full_up: bool = False


shelves = ReadModel(Shelf, table="shelves", key="shelf")


@shelves.on(ShelfFilled, key=lambda fact: fact.shelf)
def fills(before: Shelf | None, fact: Recorded[ShelfFilled]) -> Shelf:
    shelf = before or Shelf(shelf=fact.data.shelf, day=fact.occurred_at.date())
    return shelf.model_copy(
        update={
            "books": shelf.books + 1,
            "last_book": fact.data.book,
            "filled_at": fact.occurred_at,
            "weight": shelf.weight + fact.data.grams,
            "words": shelf.words + fact.data.words,
            "full_up": shelf.books >= 2,
        }
    )


@shelves.on(ShelfCleared, key=lambda fact: fact.shelf)
def clears(_: Shelf | None, __: Recorded[ShelfCleared]) -> None:
    return None


@shelves.on_each(ShelvesSwapped, keys=lambda fact: fact.shelves)
def marks(before: Shelf | None, _: Recorded[ShelvesSwapped]) -> Shelf | None:
    return before and before.model_copy(update={"words": (*before.words, "换")})


class Raises(Value):
    stream: str
    total: int


raises = ReadModel(Raises, table="raises", key="stream")


@raises.on(CounterRaised, key=lambda _: "all")
def counts(before: Raises | None, fact: Recorded[CounterRaised]) -> Raises:
    return Raises(stream="all", total=(before.total if before else 0) + fact.data.by)


names = st.sampled_from(["一", "二", "'三'", ""])
facts_of_shelves: TypeAlias = ShelfFilled | ShelfCleared | ShelvesSwapped | ShelfDusted
some_facts = st.lists(
    st.tuples(
        st.sampled_from(["620723", "620102"]),
        st.one_of(
            st.builds(
                ShelfFilled,
                shelf=names,
                book=st.uuids(),
                grams=st.decimals(0, 9_999, places=3),
                words=st.tuples(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)),
            ),
            st.builds(ShelfCleared, shelf=names),
            st.builds(ShelvesSwapped, shelves=st.tuples(names, names)),
            st.builds(ShelfDusted, shelf=names),
        ),
    ),
    max_size=25,
)


def history(facts: Sequence[tuple[str, facts_of_shelves]]) -> Sequence[Stored]:
    return [stored(tenant, fact, n) for n, (tenant, fact) in enumerate(facts, start=1)]


def stored(tenant: str, fact: Fact, n: int) -> Stored:
    new = NewFact.of(uuid4(), fact)
    return Stored(
        fact_id=new.fact_id,
        tenant=tenant,
        stream=StreamId("test-shelf", "1"),
        version=n,
        position=n,
        published=True,
        organ="office",
        matter=None,
        actor="somebody",
        occurred_at=AT + timedelta(hours=7 * n),
        recorded_at=AT,
        correlation=new.fact_id,
        causation=None,
        name=new.name,
        schema=new.schema,
        json=new.json,
    )


def of_one_fold(facts: Sequence[Stored]) -> dict[Key, Shelf]:
    return {key: row for key, row in shelves.fold({}, shelves.touched(facts)).items() if row is not None}


@pytest.fixture(autouse=True)
async def tables(database: str) -> None:
    owner = await asyncpg.connect(database)
    await owner.execute(TABLE)
    await owner.close()


async def rows(pool: Pool) -> dict[Key, Shelf]:
    found = await pool.fetch("select tenant, shelf, to_jsonb(shelves)::text as row from shelves")
    return {(r["tenant"], r["shelf"]): Shelf.model_validate_json(r["row"], extra="ignore") for r in found}


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example empties the table
)
@given(facts=some_facts, cuts=st.lists(st.integers(0, 25), max_size=6))
async def test_any_batching_gives_the_rows_of_one_fold(
    pool: Pool, facts: Sequence[tuple[str, facts_of_shelves]], cuts: Sequence[int]
) -> None:
    stored_facts = history(facts)
    edges = [0, *sorted(min(cut, len(stored_facts)) for cut in cuts), len(stored_facts)]
    async with pool.acquire() as connection:
        await connection.execute("delete from shelves")
        for start, end in pairwise(edges):
            async with connection.transaction():
                await shelves.write(stored_facts[start:end], connection)
    assert await rows(pool) == of_one_fold(stored_facts)


async def test_a_live_one_equals_the_fold_of_the_log(pool: Pool) -> None:
    log = PostgresLog(pool)
    async with running(Consumer("raises", OwnLog(log), pool, [raises]).run()):
        await asyncio.gather(*(log.append(an_append(str(n % 7), facts=n % 4, by=n)) for n in range(60)))
        facts, end = await log.after(0, 1_000)
        await until(lambda: at(pool, end))
    [row] = await pool.fetch("select total from raises")
    assert raises.fold({}, raises.touched(facts)) == {("620723", "all"): Raises(stream="all", total=row["total"])}
    assert row["total"] == sum(n * (n % 4) for n in range(60))


async def at(pool: Pool, position: int) -> bool:
    return await pool.fetchval("select position >= $1 from eventlog.cursors", position) is True


def test_a_fact_is_folded_in_one_way() -> None:
    with pytest.raises(TypeError, match="shelves folds test-shelf-cleared twice"):
        shelves.on(ShelfCleared, key=lambda fact: fact.shelf)(clears)
