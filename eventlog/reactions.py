"""Reactions: one fact in, commands out, pure. What we do when others, or we ourselves, have spoken.

Where a fact concerns many streams, a read model says which, and the reaction what each of them is sent.

A reaction's command id is made from the fact and the reaction's name, so handling a fact again sends nothing new. A
command that a rule refuses is not poison: where the other side must know, the decider records the refusal as a fact;
otherwise it is written to ``eventlog.refusals`` for the operators, and the next one goes. What is written there stays
refused: when its fact comes again, after a crash or with a batch that could not be taken in, it is not decided again,
be it that the rule would have it by now. Only a crash before the refusal is written has it decided anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid5

import asyncpg

from eventlog import refusals
from eventlog.connections import Connection, Pool
from eventlog.decider import Actor, Send
from eventlog.errors import Absent, EventLogError, Forbidden, Rejected, Unavailable, VersionConflict
from eventlog.facts import Fact, Recorded, Stored
from eventlog.handler import Handler, Opening, Request

T = TypeVar("T", bound=Fact)
Reaction = Callable[[Recorded[Any]], Sequence[Send]]
Concerned = Callable[[Pool, Recorded[T], Sequence[Stored]], Awaitable[Sequence[str]]]
"""Looks up the keys of the streams that a fact concerns; it is given its batch, of which no row says anything yet."""
AT_ONCE = 32
"""Commands of one fact to as many streams, on their way side by side."""
REFUSALS = (Rejected, Absent, Forbidden)


class Reactions:
    """What a service does about facts, by the fact's class."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[Reaction]] = {}
        self._to_each: dict[str, list[tuple[Concerned[Any], Callable[[Recorded[Any], str], Send]]]] = {}

    def to(
        self, kind: type[T]
    ) -> Callable[[Callable[[Recorded[T]], Sequence[Send]]], Callable[[Recorded[T]], Sequence[Send]]]:
        """Register a reaction to facts of one class."""

        def register(reaction: Callable[[Recorded[T]], Sequence[Send]]) -> Callable[[Recorded[T]], Sequence[Send]]:
            self._by_name.setdefault(kind.fact_name, []).append(reaction)
            return reaction

        return register

    def to_each(
        self, kind: type[T], *, of: Concerned[T]
    ) -> Callable[[Callable[[Recorded[T], str], Send]], Callable[[Recorded[T], str], Send]]:
        """Register a reaction to facts of one class that goes to each stream whose key ``of`` looks up.

        It is looked up when the fact is taken in, and again when its batch comes again. To a stream that is not there
        nothing is sent.
        """

        def register(reaction: Callable[[Recorded[T], str], Send]) -> Callable[[Recorded[T], str], Send]:
            self._to_each.setdefault(kind.fact_name, []).append((of, reaction))
            return reaction

        return register

    async def sends_to_each(
        self, fact: Stored, batch: Sequence[Stored], pool: Pool
    ) -> Sequence[tuple[str, UUID, Send]]:
        """As ``sends``, for the reactions that go to many streams. ``batch``: what is taken in with ``fact``."""
        found: list[tuple[str, UUID, Send]] = []
        for of, reaction in self._to_each.get(fact.name, ()):
            recorded, name = fact.read(), name_of(reaction)
            keys = await of(pool, recorded, batch)
            found += [(name, uuid5(fact.fact_id, f"{name}/{key}"), reaction(recorded, key)) for key in keys]
        return found

    def sends(self, fact: Stored) -> Sequence[tuple[str, UUID, Send]]:
        """Return what follows from a fact: the reaction's name, the command's id, and the command."""
        reactions = self._by_name.get(fact.name, ())
        if not reactions:
            return ()
        recorded = fact.read()
        return [
            (name_of(reaction), uuid5(fact.fact_id, f"{name_of(reaction)}/{n}"), send)
            for reaction in reactions
            for n, send in enumerate(reaction(recorded))
        ]


def name_of(reaction: Callable[..., object]) -> str:
    """A reaction's name is part of its command ids: renaming a function would send again what was sent."""
    return reaction.__name__


class React:
    """An Effect: sends the commands that follow from facts.

    A refusal is no failure. What is one parks the fact's stream: what a stream's facts ask for is asked in order.
    """

    name = "reactions"
    essential = False

    def __init__(self, reactions: Reactions, handler: Handler, pool: Pool) -> None:
        self._reactions = reactions
        self._handler = handler
        self._pool = pool

    async def act(self, facts: Sequence[Stored]) -> None:
        following = [(fact, self._reactions.sends(fact)) for fact in facts]
        ids = [command_id for _, sends in following for _, command_id, _ in sends]
        refused = await refusals.among(self._pool, {fact.tenant for fact in facts}, ids)
        for fact, sends in following:
            for name, command_id, send in sends:
                if command_id not in refused:
                    await self._send(fact, name, command_id, send, Opening(fact.organ, fact.matter))
            await self._send_to_each(fact, facts)

    async def _send_to_each(self, fact: Stored, batch: Sequence[Stored]) -> None:
        doors = asyncio.Semaphore(AT_ONCE)

        async def send_one(name: str, command_id: UUID, send: Send) -> None:
            async with doors:
                await self._send(fact, name, command_id, send, None)

        sends = await self._reactions.sends_to_each(fact, batch, self._pool)
        refused = await refusals.among(self._pool, {fact.tenant}, [command_id for _, command_id, _ in sends])
        sends = [one for one in sends if one[1] not in refused]
        outcomes = await asyncio.gather(*(send_one(*one) for one in sends), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _send(self, fact: Stored, name: str, command_id: UUID, send: Send, opens: Opening | None) -> None:
        request = Request(
            tenant=fact.tenant,
            actor=Actor(id=f"reaction/{name}"),
            command_id=command_id,
            digest=command_id.bytes,  # the id stands for the words, also when the next program words them anew
            correlation=fact.correlation,
            causation=fact.fact_id,
            opens=opens,
            occurred_at=fact.occurred_at,
        )
        try:
            await self._handler.send(send.decider, send.key, send.command, request)
        except REFUSALS as refusal:
            await self._record(fact, name, command_id, send, refusal)
        except VersionConflict:
            # Every race for a busy stream was lost. That is no refusal: the batch comes again.
            raise Unavailable(f"{send.decider.category} streams are too busy") from None

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        del facts, connection

    async def _record(self, fact: Stored, name: str, command_id: UUID, send: Send, refusal: EventLogError) -> None:
        stream, command = str(send.decider.stream(send.key)), type(send.command).__name__
        await refusals.record(self._pool, fact.tenant, name, command_id, stream, command, refusal, fact.fact_id)
