"""History: what the client saw, one line an event, in the order in which it saw it.

A timeout, a torn connection and a 503 are ``info``: nothing is known, and nothing may be concluded. Only an answer that
decides is ``ok`` or ``fail``.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Command:
    """What was sent, and will be sent again in the very same words. ``key`` is its Idempotency-Key and its name here.

    ``route`` is the template of ``path``. ``correlation`` marks the facts that follow.
    """

    key: str
    tenant: str
    principal: str
    service: str
    route: str
    path: str
    correlation: str
    body: str


@dataclass(frozen=True)
class Invoked:
    """``n`` counts the attempts, from 1; two may be under way at once."""

    t: float
    key: str
    n: int


@dataclass(frozen=True)
class Ok:
    """``version`` as the ETag has it, ``position`` as Shangyi-Position has it; None where the answer has none."""

    t: float
    key: str
    n: int
    status: int
    version: int | None
    position: str | None
    body: str


@dataclass(frozen=True)
class Failed:
    t: float
    key: str
    n: int
    status: int
    code: str


@dataclass(frozen=True)
class Unsure:
    t: float
    key: str
    n: int
    why: str


@dataclass(frozen=True)
class Looked:
    """A query with ``?after=`` the position of the command ``key``: whether its own row was there."""

    t: float
    key: str
    position: str
    status: int
    seen: bool


@dataclass(frozen=True)
class Reused:
    """Other words under the key of a command that was accepted, and how they were decided."""

    t: float
    key: str
    status: int
    code: str


@dataclass(frozen=True)
class Stuck:
    """An actor gave up: what had to follow did not, or what had to be accepted was refused."""

    t: float
    actor: str
    why: str


Event: TypeAlias = Command | Invoked | Ok | Failed | Unsure | Looked | Reused | Stuck
_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Command, Invoked, Ok, Failed, Unsure, Looked, Reused, Stuck)
}


class Writer:
    """Writes events as they happen. ``clock`` is monotonic and counts from the run's beginning."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._out = file.open("w", encoding="utf-8", buffering=1)
        self.clock = clock

    def write(self, event: Event) -> None:
        told = {"event": type(event).__name__.lower(), **asdict(event)}
        self._out.write(json.dumps(told, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._out.close()


def read(file: Path) -> Iterator[Event]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            yield _KINDS[told.pop("event")](**told)


@dataclass
class Story:
    """All that was seen of one command."""

    command: Command
    invoked: list[Invoked] = field(default_factory=list[Invoked])
    oks: list[Ok] = field(default_factory=list[Ok])
    fails: list[Failed] = field(default_factory=list[Failed])
    unsure: list[Unsure] = field(default_factory=list[Unsure])

    @property
    def answered(self) -> float | None:
        """When it was first decided."""
        return min([*(ok.t for ok in self.oks), *(failed.t for failed in self.fails)], default=None)


@dataclass(frozen=True)
class History:
    """A run as the client saw it, by command."""

    stories: dict[str, Story]
    looks: Sequence[Looked]
    reused: Sequence[Reused]
    stuck: Sequence[Stuck]


def gathered(events: Iterator[Event] | Sequence[Event]) -> History:
    """Put together what belongs to one command."""
    stories: dict[str, Story] = {}
    looks: list[Looked] = []
    reused: list[Reused] = []
    stuck: list[Stuck] = []
    for event in events:
        match event:
            case Command():
                stories[event.key] = Story(event)
            case Invoked():
                stories[event.key].invoked.append(event)
            case Ok():
                stories[event.key].oks.append(event)
            case Failed():
                stories[event.key].fails.append(event)
            case Unsure():
                stories[event.key].unsure.append(event)
            case Looked():
                looks.append(event)
            case Reused():
                reused.append(event)
            case Stuck():
                stuck.append(event)
    return History(stories, looks, reused, stuck)
