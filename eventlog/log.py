"""EventLog: what every log promises, whether it keeps its facts in PostgreSQL or in a dict.

1. ``append`` is all or nothing: dedupe, version check, facts, answer and timers. Once it returned, it is kept.
2. A command id is accepted once per tenant; later appends under it change nothing and get the stored answer.
3. Within a stream versions are 1, 2, 3 …, and positions grow with them.
4. ``after`` never shows a position while a smaller one may still appear: a reader that remembers the last position it
   saw misses nothing, sees nothing twice, and sees the facts of a stream in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from eventlog.facts import NewFact, Stored, StreamId


class Expect(IntEnum):
    """What the writer believes of the stream; any positive number is the exact version."""

    NEW = 0
    EXISTS = -1
    ANY = -2


@dataclass(frozen=True)
class NewTimer:
    """A command of the stream itself that falls due, as JSON: ``{"name": …, "data": …}``."""

    due_at: datetime
    command: str


@dataclass(frozen=True)
class Append:
    """One command's facts. ``timers`` replaces whatever the stream had. ``digest`` tells one body from another.

    ``unchanged``: other streams that the rule looked at, each at the version it saw; when one of them has moved on by
    the time the facts are kept, that is a conflict, as if it were the stream itself. (A stream that was not there yet,
    version 0, is not held back from being opened at that very moment.)
    """

    tenant: str
    stream: StreamId
    expected: int
    published: bool
    organ: str
    matter: str | None
    actor: str
    occurred_at: datetime
    command_id: UUID
    digest: bytes
    correlation: UUID
    causation: UUID | None
    answer: Mapping[str, Any]
    facts: Sequence[NewFact]
    timers: Sequence[NewTimer] = ()
    unchanged: Sequence[tuple[StreamId, int]] = ()


@dataclass(frozen=True)
class Answer:
    """What an accepted command was told. ``position``: its last published fact, None when it has none."""

    version: int
    position: int | None
    digest: bytes
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Appended:
    """The facts are kept; the stream stands at ``answer.version``."""

    answer: Answer


@dataclass(frozen=True)
class Repeated:
    """The command id was accepted before; nothing was added."""

    answer: Answer


@dataclass(frozen=True)
class Conflict:
    """The stream is not what the writer expected; nothing was added."""


Outcome: TypeAlias = Appended | Repeated | Conflict


@dataclass(frozen=True)
class Timer:
    """A due command as stored: set by the append that made ``version``, the ``n``-th of its set."""

    tenant: str
    stream: StreamId
    version: int
    n: int
    due_at: datetime
    command: str


class EventLog(Protocol):
    """See the module's promises."""

    async def append(self, item: Append) -> Outcome:
        """Keep the facts, or say why not. Raises Unavailable when nothing is known of the outcome.

        Raises Rejected("not-storable") for text that the log cannot hold.
        """
        ...

    async def answer(self, tenant: str, command_id: UUID) -> Answer | None:
        """Return what an accepted command was told."""
        ...

    async def stream(
        self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Stored]:
        """Return a stream's facts, oldest first, at most ``limit`` of them; empty when there is none."""
        ...

    async def after(self, position: int, limit: int) -> tuple[Sequence[Stored], int]:
        """Return up to ``limit`` facts behind ``position`` in order, and the position up to which that is all there is.

        The second value lets a reader pass holes; it never exceeds what is settled.
        """
        ...

    async def due(self, limit: int, *, latest: bool = False) -> Sequence[Timer]:
        """Return the first timer of each stream that has one due by the log's clock, earliest first.

        ``latest``: those that fell due last come first, so that a long backlog does not hide what is due only now.
        It takes no lock: the command id deduplicates.
        """
        ...

    async def next_due(self) -> datetime | None:
        """Return when the earliest timer falls due; one that was put aside never does."""
        ...

    async def postpone(self, timer: Timer, by: timedelta) -> bool:
        """Put off a timer whose command was refused, so that it neither blocks others nor is forgotten.

        False when it stands no longer, because an append has replaced it or an operator put it aside meanwhile.
        """
        ...

    async def now(self) -> datetime:
        """Return the log's clock: the only time that rules ever see."""
        ...

    async def move_clock(self, to: datetime) -> None:
        """Set the clock forward (development only). Raises Rejected("clock-not-forward") for an earlier time."""
        ...

    async def appended(self, patience: float) -> None:
        """Wait until this process has appended something, at most ``patience`` seconds: a hint, never a promise."""
        ...
