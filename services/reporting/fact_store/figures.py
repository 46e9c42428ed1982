"""Figures: what an indicator amounts to for a question, and the very facts behind it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import asyncpg

from eventlog.facts import Value
from services.reporting.fact_store.compiler import FactPlace, Service, Statement
from services.reporting.fact_store.question import Question
from services.reporting.indicators.definition import Count
from vocabulary.organs import OrganId


class Reads(Protocol):
    """A pool, or one connection of it."""

    async def fetch(self, query: str, *args: object) -> "list[asyncpg.Record]": ...


class Amount(Value):
    """``value`` is what the ``facts`` behind it amount to; ``by``: the same for each value of the breakdown."""

    value: int
    facts: int
    by: Mapping[str, int]


class FactShown(Value):
    """One fact behind a figure, by its envelope. Neither what it says nor who recorded it: a rating's actor rated."""

    service: Service
    pseq: int
    position: int
    fact_id: UUID
    name: str
    stream: str
    version: int
    organ: OrganId
    matter: str | None
    occurred_at: datetime
    recorded_at: datetime
    correlation: UUID
    causation: UUID | None

    @property
    def place(self) -> FactPlace:
        return FactPlace(occurred_at=self.occurred_at, service=self.service, pseq=self.pseq)


async def amount(reads: Reads, count: Count, question: Question) -> Amount:
    """Compute a count."""
    statement = Statement(question)
    rows = await reads.fetch(statement.value(count), *statement.parameters)
    return Amount(
        value=sum(row["value"] for row in rows),
        facts=sum(row["facts"] for row in rows),
        by={} if count.by is None else {row["by"]: row["value"] for row in rows},
    )


async def facts_behind(
    reads: Reads, count: Count, question: Question, *, by: str | None = None, after: FactPlace | None = None, limit: int
) -> Sequence[FactShown]:
    """Return the facts a count is made of, oldest first; those of one value of its breakdown with ``by``."""
    statement = Statement(question)
    rows = await reads.fetch(statement.facts(count, by, after, limit), *statement.parameters)
    shown = FactShown.model_fields
    return [FactShown.model_validate({name: row[name] for name in shown}) for row in rows]


async def words_behind(reads: Reads, count: Count, question: Question, path: str, *, limit: int) -> Sequence[str]:
    """Return what the facts behind a count say in a field, oldest first, each once."""
    statement = Statement(question)
    rows = await reads.fetch(statement.words(count, path, limit), *statement.parameters)
    return [row["words"] for row in rows]
