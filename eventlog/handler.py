"""One handler for routes, reactions and timers: load, look up the context, decide, append, and again on a lost race.

The order is fixed: permission, If-Match, context, decide, append. A command accepted before is found by the append,
or, where the state has moved on so that the rule now refuses, before the refusal is told: either way the caller gets
the stored answer. Commands for one stream queue up here and go one after the other.

A command is first decided on a guess, which saves the load: the head that this process saw last, or, for a command that
may open a stream, none. The append keeps the facts only if the stream still stands at the guessed version, and a
version never changes what led to it, so what is kept was decided on the truth. Where a guess is refused or loses, the
stream is loaded and decided upon anew.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import random
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from uuid_utils.compat import uuid7

from eventlog.decider import Actor, AnyDecider, C, Context, Decider, F, S, X
from eventlog.errors import Absent, CommandMismatch, EventLogError, Forbidden, Rejected, Unavailable, VersionConflict
from eventlog.facts import NewFact, Stored, StreamId, Value
from eventlog.log import Answer, Append, Appended, Conflict, EventLog, Expect, NewTimer, Repeated

TRIES = 30
PAGE = 2_000  # facts read at a time
REMEMBERED = 4_096  # streams whose head is kept in mind
STEP = 0.01  # seconds


@dataclass(frozen=True)
class Opening:
    """What a stream is given when its first fact is recorded: whose it is, and the matter it belongs to, for life."""

    organ: str
    matter: str | None = None


Permit = Callable[[str, str], None]
"""Asked with a stream's organ and its opener; raises Forbidden, or Absent where it must not be known."""


@dataclass(frozen=True)
class Request:
    """Everything about a command but its words.

    ``permit`` is asked with the stream's organ and whoever opened it, and raises to refuse. ``opens`` says what to open
    where no stream is yet; without it an absent stream is Absent. ``expected_version`` is the caller's If-Match.
    """

    tenant: str
    actor: Actor
    command_id: UUID
    digest: bytes
    correlation: UUID
    permit: Permit = lambda _organ, _opened_by: None
    opens: Opening | None = None
    expected_version: int | None = None
    occurred_at: datetime | None = None
    causation: UUID | None = None
    answer: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Accepted:
    """A command was accepted, now or before; ``answer`` is the same each time."""

    answer: Answer


@dataclass(frozen=True)
class Head:
    """Where a stream stands: its folded state and the words of its envelope. ``version`` 0: nothing there yet."""

    state: Any
    version: int
    organ: str
    matter: str | None
    opened_by: str


ContextOf = Callable[[Any, Any, Context, str], Awaitable[Context]]


class Contexts:
    """For each aggregate that needs more than actor and time: how its Context is looked up."""

    def __init__(self) -> None:
        self._lookups: dict[str, ContextOf] = {}

    def of(
        self, decider: Decider[C, S, F, X]
    ) -> Callable[[Callable[[C, S, Context, str], Awaitable[X]]], Callable[[C, S, Context, str], Awaitable[X]]]:
        """Register ``lookup(command, state, who_and_when, tenant)`` for the decider's streams."""

        def register(
            lookup: Callable[[C, S, Context, str], Awaitable[X]],
        ) -> Callable[[C, S, Context, str], Awaitable[X]]:
            self._lookups[decider.category] = lookup
            return lookup

        return register

    async def look_up(self, decider: AnyDecider, command: Value, state: Value, plain: Context, tenant: str) -> Context:
        lookup = self._lookups.get(decider.category)
        return plain if lookup is None else await lookup(command, state, plain, tenant)


_LOOKED_AT: ContextVar[dict[StreamId, int] | None] = ContextVar("looked_at", default=None)
"""Every stream that is folded while a context is looked up, at the version seen: what a rule reads of other streams
must still be so when its facts are kept, or two rules that read each other's streams could both hold.
"""


class Handler:
    """Takes commands to streams of one log."""

    def __init__(self, log: EventLog, contexts: Contexts | None = None) -> None:
        self._log = log
        self._contexts = contexts or Contexts()
        self._queues: WeakValueDictionary[tuple[str, StreamId], asyncio.Lock] = WeakValueDictionary()
        self._heads: OrderedDict[tuple[str, StreamId], Head] = OrderedDict()  # the one used last at the end

    async def send(self, decider: AnyDecider, key: object, command: Value, request: Request) -> Accepted:
        """Carry a command out once.

        Raises Rejected, Absent, VersionConflict, CommandMismatch, Unavailable, and whatever ``request.permit`` raises.
        """
        stream = decider.stream(key)
        async with self._queue(request.tenant, stream):
            guess = self._heads.pop((request.tenant, stream), None) or self._unopened(decider, request)
            if guess is not None:
                # What is refused on a guess is no answer yet; whatever else comes of it is.
                with suppress(Rejected, Absent, Forbidden, VersionConflict):
                    answer = await self._try(decider, stream, guess, command, request)
                    if answer is not None:
                        return _accepted(answer, request)
            return await self._send_loaded(decider, stream, guess, command, request)

    async def _send_loaded(
        self, decider: AnyDecider, stream: StreamId, head: Head | None, command: Value, request: Request
    ) -> Accepted:
        """Read on from ``head`` before each try: who reads a long stream anew each time loses every race for it."""
        for _ in range(TRIES):
            head = await self._fold(decider, request.tenant, stream, head)
            try:
                answer = await self._try(decider, stream, head, command, request)
            except Unavailable:
                raise
            except EventLogError:
                # Any refusal, also a missing right, gives way to an answer given before.
                answer = await self._log.answer(request.tenant, request.command_id)
                if answer is None:
                    raise
            if answer is not None:
                return _accepted(answer, request)
            # Two processes that race in step would let one of them lose every time: fall out of step.
            await asyncio.sleep(random() * STEP)  # noqa: S311  # no secret
        raise VersionConflict(0 if head is None else head.version)

    async def answered(self, tenant: str, command_id: UUID, digest: bytes) -> Answer | None:
        """Return what a command was told before; None when it never was carried out. Raises CommandMismatch."""
        answer = await self._log.answer(tenant, command_id)
        if answer is not None and answer.digest != digest:
            raise CommandMismatch(command_id)
        return answer

    async def head(self, decider: AnyDecider, tenant: str, key: object) -> Head:
        """Fold a stream. A stream that does not exist has version 0 and the initial state."""
        stream = decider.stream(key)
        head = await self._fold(decider, tenant, stream, None)
        looked_at = _LOOKED_AT.get()
        if looked_at is not None:
            looked_at.setdefault(stream, head.version)
        return head

    async def _fold(self, decider: AnyDecider, tenant: str, stream: StreamId, before: Head | None) -> Head:
        """Fold page by page, so that a stream may be longer than what fits into memory, from where we know it."""
        head = before if before is not None and before.version > 0 else head_of(decider, ())
        while facts := await self._log.stream(tenant, stream, head.version, PAGE):
            head = head_of(decider, facts, head)
            if len(facts) < PAGE:
                break
        return head

    async def state(self, decider: Decider[C, S, F, X], tenant: str, key: object) -> S:
        """Return a stream's present state: what contexts look at. The initial state when there is none."""
        state: S = (await self.head(decider, tenant, key)).state
        return state

    def _queue(self, tenant: str, stream: StreamId) -> asyncio.Lock:
        """The lock that commands for a stream take in turn; it is there for as long as one of them holds on to it."""
        queue = self._queues.get((tenant, stream))
        if queue is None:
            queue = self._queues[tenant, stream] = asyncio.Lock()
        return queue

    def _unopened(self, decider: AnyDecider, request: Request) -> Head | None:
        """Guess that a stream to be opened is not there: right in nearly every case, and found out by the append."""
        if request.opens is None:
            return None
        return Head(decider.initial, 0, request.opens.organ, request.opens.matter, request.actor.id)

    async def _try(
        self, decider: AnyDecider, stream: StreamId, head: Head, command: Value, request: Request
    ) -> Answer | None:
        """Decide on ``head`` and append; None when the stream does not stand there, or not any more."""
        item, state = await self._decide(decider, stream, head, command, request)
        outcome = await self._log.append(item)
        match outcome:
            case Appended(answer=answer):
                opened_by = head.opened_by or request.actor.id
                self._remember(request.tenant, stream, Head(state, answer.version, item.organ, item.matter, opened_by))
                return answer
            case Repeated(answer=answer):
                return answer
            case Conflict():
                return None

    def _remember(self, tenant: str, stream: StreamId, head: Head) -> None:
        if head.version == 0:
            return
        self._heads[tenant, stream] = head
        if len(self._heads) > REMEMBERED:
            self._heads.popitem(last=False)

    async def _decide(
        self, decider: AnyDecider, stream: StreamId, head: Head, command: Value, request: Request
    ) -> tuple[Append, Any]:
        """Return what is to be kept, and the state that it leads to."""
        opening = request.opens if head.version == 0 else Opening(head.organ, head.matter)
        if opening is None:
            raise Absent
        request.permit(opening.organ, head.opened_by or request.actor.id)
        if request.expected_version is not None and request.expected_version != head.version:
            raise VersionConflict(head.version)
        occurred_at = request.occurred_at or await self._log.now()
        plain = Context(actor=request.actor, occurred_at=occurred_at, organ=opening.organ)
        looked_at: dict[StreamId, int] = {}
        before = _LOOKED_AT.set(looked_at)
        try:
            context = await self._contexts.look_up(decider, command, head.state, plain, request.tenant)
        finally:
            _LOOKED_AT.reset(before)
        looked_at.pop(stream, None)
        facts = decider.decide(command, head.state, context)
        state = decider.fold(facts, head.state)
        item = Append(
            tenant=request.tenant,
            stream=stream,
            expected=head.version or Expect.NEW,
            published=decider.published,
            organ=opening.organ,
            matter=opening.matter,
            actor=request.actor.id,
            occurred_at=occurred_at,
            command_id=request.command_id,
            digest=request.digest,
            correlation=request.correlation,
            causation=request.causation,
            answer=request.answer,
            facts=[NewFact.of(uuid7(), fact) for fact in facts],
            timers=[NewTimer(timer.at, timed_json(timer.command)) for timer in decider.due(state)],
            unchanged=list(looked_at.items()),
        )
        return item, state


def head_of(decider: AnyDecider, facts: Sequence[Stored], before: Head | None = None) -> Head:
    """Fold what a log returned of one stream, behind ``before`` or from the beginning."""
    head = before or Head(decider.initial, 0, "", None, "")
    if not facts:
        return head
    if head.version == 0:
        head = replace(head, organ=facts[0].organ, matter=facts[0].matter, opened_by=facts[0].actor)
    state = decider.fold([fact.read().data for fact in facts], head.state)
    return replace(head, state=state, version=facts[-1].version)


def timed_json(command: Value) -> str:
    """Write a due command as a timer keeps it."""
    return f'{{"name": "{type(command).__name__}", "data": {command.model_dump_json()}}}'


def _accepted(answer: Answer, request: Request) -> Accepted:
    if answer.digest != request.digest:
        raise CommandMismatch(request.command_id)
    return Accepted(answer)
