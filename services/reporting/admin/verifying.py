"""Verifying: the fact store is held to the topics, and every read model to its fold over the fact store."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from pydantic import ValidationError

from eventlog import parked
from eventlog.connections import Connection, Pool
from eventlog.copies import Copy, Told, topic_differs
from eventlog.effect import Key
from eventlog.facts import Stored, Value
from eventlog.kafka import AioKafka, Topics
from eventlog.read_model import ReadModel
from eventlog.verify import looking
from services.reporting.fact_store.store import facts_numbered, facts_of
from services.reporting.read_models.by_service import CONSUMER, READ_MODELS


async def verify_all(dsn: str, kafka_bootstrap: str, told: Told) -> str | None:
    """Compare the fact store with the topics, and the read models with it; return the first difference."""
    async with looking(dsn) as pool:
        difference = await verify_facts(pool, AioKafka(kafka_bootstrap), told)
        return difference or await verify(pool, told)


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
