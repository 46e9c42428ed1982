"""A log in a dict: the same promises as the one in PostgreSQL, for unit tests and for thinking."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from eventlog.errors import Rejected
from eventlog.facts import Stored, StreamId
from eventlog.log import Answer, Append, Appended, Conflict, Expect, Outcome, Repeated, Timer


class MemoryLog:
    """Every append happens between two awaits, so none is ever seen half done."""

    def __init__(self) -> None:
        self._facts: list[Stored] = []
        self._versions: dict[tuple[str, StreamId], int] = {}
        self._answers: dict[tuple[str, UUID], Answer] = {}
        self._timers: dict[tuple[str, StreamId], list[Timer]] = {}
        self._ahead = timedelta()
        self._news = asyncio.Event()

    async def append(self, item: Append) -> Outcome:
        known = self._answers.get((item.tenant, item.command_id))
        if known is not None:
            return Repeated(known)
        version = self._versions.get((item.tenant, item.stream), 0)
        moved_on = any(self._versions.get((item.tenant, other), 0) != seen for other, seen in item.unchanged)
        if moved_on or not _expected(item.expected, version):
            return Conflict()
        now = await self.now()
        for n, fact in enumerate(item.facts, start=1):
            self._facts.append(
                Stored(
                    fact_id=fact.fact_id,
                    tenant=item.tenant,
                    stream=item.stream,
                    version=version + n,
                    position=len(self._facts) + 1,
                    published=item.published,
                    organ=item.organ,
                    matter=item.matter,
                    actor=item.actor,
                    occurred_at=item.occurred_at,
                    recorded_at=now,
                    correlation=item.correlation,
                    causation=item.causation,
                    name=fact.name,
                    schema=fact.schema,
                    json=fact.json,
                )
            )
        version += len(item.facts)
        self._versions[item.tenant, item.stream] = version
        self._timers[item.tenant, item.stream] = [
            Timer(item.tenant, item.stream, version, n, timer.due_at, timer.command)
            for n, timer in enumerate(item.timers)
        ]
        position = len(self._facts) if item.published and item.facts else None
        answer = Answer(version, position, item.digest, dict(item.answer))
        self._answers[item.tenant, item.command_id] = answer
        self._news.set()
        return Appended(answer)

    async def answer(self, tenant: str, command_id: UUID) -> Answer | None:
        return self._answers.get((tenant, command_id))

    async def stream(
        self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Stored]:
        facts = (
            fact
            for fact in self._facts
            if fact.tenant == tenant and fact.stream == stream and fact.version > after_version
        )
        return list(islice(facts, limit))

    async def after(self, position: int, limit: int) -> tuple[Sequence[Stored], int]:
        page = self._facts[position : position + limit]
        return page, page[-1].position if page else position

    async def due(self, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        now = await self.now()
        first = [min(timers, key=lambda timer: (timer.due_at, timer.n)) for timers in self._timers.values() if timers]
        due = [timer for timer in first if timer.due_at <= now]
        return sorted(due, key=lambda timer: timer.due_at, reverse=latest)[:limit]

    async def next_due(self) -> datetime | None:
        return min((timer.due_at for timers in self._timers.values() for timer in timers), default=None)

    async def postpone(self, timer: Timer, by: timedelta) -> bool:
        timers = self._timers.get((timer.tenant, timer.stream), [])
        for n, standing in enumerate(timers):
            if (standing.version, standing.n) == (timer.version, timer.n):
                timers[n] = replace(standing, due_at=await self.now() + by)
                return True
        return False

    async def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead  # the fake's own clock stands in for the database's

    async def move_clock(self, to: datetime) -> None:
        if to < await self.now():
            raise Rejected("clock-not-forward")
        self._ahead = to - datetime.now(UTC)

    async def appended(self, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()


def _expected(expected: int, version: int) -> bool:
    match expected:
        case Expect.ANY:
            return True
        case Expect.EXISTS:
            return version > 0
        case exact:
            return version == exact
