"""Decider: one aggregate's rules, pure. What may be asked, what follows from it, and what falls due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from eventlog.facts import Fact, StreamId, Value

C = TypeVar("C", bound=Value)
S = TypeVar("S", bound=Value)
F = TypeVar("F", bound=Fact)
X = TypeVar("X", bound="Context")


class Actor(Value):
    """Who asks: a person's id, the roles held, and the organ spoken for. Reactions and timers ask under their name."""

    id: str
    roles: frozenset[str] = frozenset()
    organ: str | None = None


class Context(Value):
    """Who asks, when it happened, and (in subclasses) what was in force. Looked up fresh on every attempt.

    ``occurred_at`` is the business time: now; earlier only with the right to backfill; the fact's own time for a
    reaction; the due time for a timer. ``organ`` is whose stream it is.
    """

    actor: Actor
    occurred_at: datetime
    organ: str = ""


class Due(Value, Generic[C]):
    """A command that the aggregate wants sent to itself at ``at``."""

    at: datetime
    command: C


@dataclass(frozen=True)
class Decider(Generic[C, S, F, X]):
    """The rules of one kind of stream.

    ``decide`` raises Rejected or returns the facts that follow; ``evolve`` folds one fact into the state;
    ``due`` names what falls due in a state, and ``timed`` the command classes it uses, so that stored timers can be
    read back. With ``published=False`` the streams never leave the service, not even their timing.
    Each due command, decided at its time, yields facts and leaves ``due``.
    """

    category: str
    initial: S
    decide: Callable[[C, S, X], Sequence[F]]
    evolve: Callable[[S, F], S]
    due: Callable[[S], Sequence[Due[C]]] = lambda _: ()
    timed: tuple[type[C], ...] = field(default=(), kw_only=True)
    published: bool = field(default=True, kw_only=True)

    def stream(self, key: object) -> StreamId:
        return StreamId(self.category, str(key))

    def fold(self, facts: Sequence[F], state: S | None = None) -> S:
        """Return the state after ``facts``, from ``state`` or from the beginning."""
        current = self.initial if state is None else state
        for fact in facts:
            current = self.evolve(current, fact)
        return current

    def send(self, key: object, command: C) -> "Send":
        """Address a command to one of these streams; for reactions, which open it where it does not exist yet."""
        return Send(self, str(key), command)


AnyDecider = Decider[Any, Any, Any, Any]


@dataclass(frozen=True)
class Send:
    """A command and the stream it is for."""

    decider: AnyDecider
    key: str
    command: Value
