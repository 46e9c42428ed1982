"""Facts: what was recorded, the envelope it travels in, and how both are read back for ever."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from eventlog.errors import CorruptHistory, Rejected

LARGEST = 3_500_000  # bytes of a fact as the log writes it; a topic takes 4 MiB with the envelope

Data: TypeAlias = dict[str, Any]
"""A fact's JSON, on its way from an older shape to the newest."""


class Value(BaseModel):
    """An immutable value, compared by its content. Writers forbid unknown fields; readers of history ignore them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Fact(Value):
    """Something that happened. ``name`` is storage format: once released it never changes its meaning.

    A class states both: ``class IssueRouted(Fact, name="issue-routed")``; ``schema=2`` marks a changed shape, and
    its ``upcast`` turns the data of older ones into the newest. ``facts/lock`` keeps every shape there ever was.
    """

    fact_name: ClassVar[str] = ""
    fact_schema: ClassVar[int] = 1

    def __init_subclass__(cls, name: str = "", schema: int = 1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.fact_name, cls.fact_schema = name, schema

    @classmethod
    def __pydantic_init_subclass__(cls, name: str = "", **kwargs: Any) -> None:
        if name:
            known = REGISTRY.setdefault(name, cls)
            if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
                raise TypeError(f"fact name {name!r} is taken by {known.__module__}.{known.__qualname__}")

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        """Turn data written under an older ``schema`` into the newest shape; by default nothing has to be turned."""
        del schema
        return data


REGISTRY: dict[str, type[Fact]] = {}
"""Every fact class of this process by its stored name."""

F_co = TypeVar("F_co", bound=Fact, covariant=True)


class StreamId(NamedTuple):
    """One aggregate's history: what it is, and which one."""

    category: str
    key: str

    def __str__(self) -> str:
        return f"{self.category}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> "StreamId":
        category, _, key = text.partition("/")
        return cls(category, key)


@dataclass(frozen=True)
class Envelope:
    """What is known of every fact, whatever it says.

    ``position`` orders the facts of one log and may have holes; ``version`` counts 1, 2, 3 … within ``stream``.
    ``occurred_at`` is when it happened, ``recorded_at`` when the log heard of it; both aware, UTC.
    """

    fact_id: UUID
    tenant: str
    stream: StreamId
    version: int
    position: int
    published: bool
    organ: str
    matter: str | None
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    correlation: UUID
    causation: UUID | None


E = TypeVar("E", bound=Envelope)


@dataclass(frozen=True)
class Recorded(Envelope, Generic[F_co]):
    """A fact with its envelope. (A dataclass: a pydantic generic loses its type variable at run time.)"""

    data: F_co


@dataclass(frozen=True)
class Stored(Envelope):
    """A fact as it lies in the log or a topic: its name, schema and JSON text."""

    name: str
    schema: int
    json: str

    def read(self) -> Recorded[Fact]:
        """Give the fact its class back. Raises CorruptHistory when no version of the code understands it."""
        values = {**vars(self), "data": self._data()}
        del values["name"], values["schema"], values["json"]
        return made(cast("type[Recorded[Fact]]", Recorded), values)

    def _data(self) -> Fact:
        kind = REGISTRY.get(self.name)
        if kind is None:
            raise CorruptHistory(f"no class reads {self.name!r} at position {self.position}")
        if self.schema > kind.fact_schema:
            raise CorruptHistory(f"{self.name} v{self.schema} at position {self.position} is newer than this program")
        try:
            if self.schema == kind.fact_schema:
                return kind.model_validate_json(self.json, extra="ignore")
            return kind.model_validate_json(json.dumps(kind.upcast(self.schema, json.loads(self.json))), extra="ignore")
        except (ValueError, LookupError, TypeError) as error:
            # Not chained, and only the kinds of error: their words repeat the data, and history may hold what must
            # not reach a log file.
            raise CorruptHistory(
                f"{self.name} v{self.schema} at position {self.position} cannot be read: {_kinds_of(error)}"
            ) from None


def _kinds_of(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return ", ".join(sorted({each["type"] for each in error.errors(include_input=False, include_url=False)}))
    return type(error).__name__


def made(kind: type[E], values: Mapping[str, Any]) -> E:
    """Return an envelope with ``values``, which name every field.

    The __init__ of a frozen dataclass sets one after the other, for five times the cost; history is read by millions.
    """
    envelope = object.__new__(kind)
    vars(envelope).update(values)
    return envelope


ENVELOPE_FIELDS: tuple[str, ...] = tuple(Envelope.__dataclass_fields__)


@dataclass(frozen=True)
class NewFact:
    """A fact on its way into a log. Raises Rejected("fact-too-large"): no topic takes it, and a relay would halt."""

    fact_id: UUID
    name: str
    schema: int
    json: str

    def __post_init__(self) -> None:
        if len(self.json) > LARGEST // 8 and _stored_size(self.json) > LARGEST:
            raise Rejected("fact-too-large")

    @classmethod
    def of(cls, fact_id: UUID, fact: Fact) -> "NewFact":
        return cls(fact_id, fact.fact_name, fact.fact_schema, fact.model_dump_json())


def _stored_size(text: str) -> int:
    """Bytes of JSON at most once the log has written it anew, with a space behind each comma and colon."""
    return len(text.encode()) + text.count(",") + text.count(":")
