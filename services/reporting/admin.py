"""What operators may ask of reporting."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from pydantic import ValidationError

from eventlog import parked
from eventlog.comparing import Comparison
from eventlog.copies import Copy, Told, topic_differs
from eventlog.effect import Key
from eventlog.election import Connection
from eventlog.facts import Stored, Value
from eventlog.kafka import AioKafka, Topics
from eventlog.making import Feed
from eventlog.postgres_log import Pool
from eventlog.read_model import ReadModel
from eventlog.rebuild import Rebuild
from eventlog.verify import looking
from eventlog.versions import CannotRebuild
from services.reporting.fact_store.store import StoredHistory, facts_numbered, facts_of
from services.reporting.read_models.by_service import CONSUMER, READ_MODELS
from web.migrating import migrate_both
from web.operating import ask_again as ask_again
from web.operating import parked_facts as parked_facts
from web.operating import parked_streams as parked_streams
from web.operating import publish_keys_again as publish_keys_again
from web.operating import read_topics_again as read_topics_again
from web.operating import refusals as refusals
from web.operating import topics_begin_anew as topics_begin_anew
from web.operating import write_topics_again as write_topics_again

MIGRATIONS = sorted(Path(__file__).with_name("migrations").glob("*.sql"))


async def verify_all(dsn: str, kafka_bootstrap: str, told: Told) -> str | None:
    """Compare the fact store with the topics, and the read models with it; return the first difference."""
    async with looking(dsn) as pool:
        difference = await verify_facts(pool, AioKafka(kafka_bootstrap), told)
        return difference or await verify(pool, told)


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    return await migrate_both(dsn, keys_dsn, application, MIGRATIONS)


async def rebuild(dsn: str, name: str, told: Told) -> Comparison:
    """Make a read model anew and let the new version live; return how it differs from the one before.

    ``dsn`` is the owner's. Run again after a break it goes on. Raises CannotRebuild.
    """
    async with _rebuilding(dsn, name, told) as rebuilding:
        return await rebuilding.run()


async def go_back(dsn: str, name: str, told: Told) -> int:
    """Let the version of a read model live again that was before; return its number. Raises CannotRebuild."""
    async with _rebuilding(dsn, name, told) as rebuilding:
        return (await rebuilding.back()).version


async def forget(dsn: str, name: str) -> int:
    """Drop all versions of a read model but the live one; return how many. Raises CannotRebuild."""
    async with _rebuilding(dsn, name, lambda _phase, _done, _of: None) as rebuilding:
        return await rebuilding.forget()


@asynccontextmanager
async def _rebuilding(dsn: str, name: str, told: Told) -> AsyncGenerator[Rebuild[Any]]:
    of = {model.table: (service, model) for service, models in READ_MODELS.items() for model in models}
    if name not in of:
        raise CannotRebuild(f"there is no read model {name}: there are {', '.join(sorted(of))}")
    service, model = of[name]
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        source: str | None = await connection.fetchval(
            "select source from eventlog.cursors where consumer = $1 and source like '%.' || $2", CONSUMER, service
        )
        if source is None:
            raise CannotRebuild(f"nothing of {service} was ever taken in")
        yield Rebuild(connection, model, Feed(CONSUMER, source, StoredHistory(service)), told)


class KeptFacts(Copy):
    """The facts that reporting keeps of a service, by the numbers it gave them."""

    def __init__(self, connection: "Connection[asyncpg.Record]", service: str) -> None:
        super().__init__("the fact store", to_the_byte=False)
        self._connection = connection
        self._service = service

    async def piece(self, number: int, size: int) -> Sequence[Stored]:
        return await facts_numbered(self._service, number * size + 1, size, self._connection)


async def verify_facts(pool: Pool, kafka: Topics, told: Told) -> str | None:
    """Compare what is kept of each topic with the topic, while facts arrive; return the first difference."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        taken_in = await connection.fetch(
            "select source, pseq from eventlog.cursors where consumer = $1 order by source", CONSUMER
        )
        ends = await kafka.ends([row["source"] for row in taken_in])
        for topic, pseq in taken_in:
            service = topic.rpartition(".")[2]
            difference = await _hole(service, pseq, connection) or await topic_differs(
                KeptFacts(connection, service), kafka, topic, ends[topic], told, reaches=pseq, further=True
            )
            if difference is not None:
                return difference
    return None


async def _hole(service: str, taken_in: int, connection: "Connection[asyncpg.Record]") -> str | None:
    missing: int | None = await connection.fetchval(
        """select min(before + 1) from (
               select pseq, lag(pseq, 1, 0::bigint) over (order by pseq) as before from facts where service = $1
           ) f where pseq <> before + 1""",
        service,
    )
    if missing is not None:
        return f"the fact store: fact {missing} of {service} is missing"
    kept: int = await connection.fetchval("select coalesce(max(pseq), 0) from facts where service = $1", service)
    return (
        None if kept == taken_in else f"the fact store: {service} is taken in up to {taken_in}, and kept up to {kept}"
    )


async def verify(pool: Pool, told: Told = lambda _what, _done, _of: None) -> str | None:
    """Compare every read model with its fold over the fact store, at one moment; return the first difference."""
    all_ = [(service, model) for service, models in READ_MODELS.items() for model in models]
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        for done, (service, model) in enumerate(all_, start=1):
            difference = await _difference(service, model, connection)
            if difference is not None:
                return difference
            told("read models", done, len(all_))
    return None


async def _difference(service: str, model: ReadModel[Any], connection: "Connection[asyncpg.Record]") -> str | None:
    folded: dict[Key, Value | None] = {}
    waiting = await parked.first_of_effect(connection, model.name)
    async for facts in facts_of(service, connection):
        touched = model.touched([fact for fact in facts if not parked.waits(fact, waiting)])
        folded |= model.fold({key: folded.get(key) for key, _ in touched}, touched)
    kept: dict[Key, Value | None] = {}
    # The table's and the column's names are constants of the program, never input.
    rows = f"select tenant, {model.key}::text as key, to_jsonb(t)::text as row from {model.table} t"  # noqa: S608
    async for row in connection.cursor(rows):
        key = row["tenant"], row["key"]
        kept[key] = _row(model, row["row"])
        if kept[key] is None:
            return f"{model.table} {key[1]} of {key[0]} is no row that its facts could say"
    for key in sorted(folded.keys() | kept.keys()):
        if folded.get(key) != kept.get(key):
            return f"{model.table} {key[1]} of {key[0]} is not what its facts say"
    return None


def _row(model: ReadModel[Any], text: str) -> Value | None:
    """A kept row, None when no fold could have written it."""
    try:
        row: Value = model.row.model_validate_json(text, extra="ignore")
    except ValidationError:
        return None
    return row
