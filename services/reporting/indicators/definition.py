"""What a figure is: which facts stand behind it, and how they are told apart. Pure values, compiled by the fact store.

A figure is never more than its facts. A Count has as its value how many facts it lists (or what one number in each adds
up to); a Rate has two Counts. So a value equals the facts listed behind it, and taking any of them away changes it.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, Field, model_validator
from pydantic.fields import FieldInfo

from eventlog.facts import Fact, Value

Path: TypeAlias = Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]
"""A field of a fact's data: ``details.category``."""

Where: TypeAlias = Mapping[Path, tuple[StrEnum | bool, ...]]
"""Each field named has one of the values named."""

Kinds: TypeAlias = tuple[type[Fact], ...]


class Text(Value):
    """A sentence in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Unit(StrEnum):
    """What is counted; the Chinese measure word goes with it."""

    ITEM = "item"  # 件
    TIME = "time"  # 次
    BODY = "body"  # 个
    PERSON = "person"  # 人次
    ENTRY = "entry"  # 条
    DOCUMENT = "document"  # 份


class At(StrEnum):
    """Which of the facts belong to a period."""

    PERIOD = "period"  # dated within it
    PERIOD_END = "period-end"  # dated up to its last day, and not undone by then


class Having(Value):
    """The latest fact of class ``of`` on the same stream is there, and is so."""

    of: type[Fact]
    where: Where = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fields_exist(self) -> "Having":
        _check((self.of,), self.where)
        return self


class By(Value):
    """Tells facts apart by a field: their own, or that of the latest fact of class ``of`` on their stream."""

    path: Path
    of: type[Fact] | None = None


class Count(Value):
    """How many facts of the classes ``of`` there are, each of which

    - is so (``where``), with the latest of another class on its stream being so (``having``),
    - is followed on its stream by none of the classes ``unless``,
    - is the last such of its matter, if a matter counts ``once_a_matter`` (a fact without a matter: of its stream),
    - stands on a stream that ``among`` counts in the period, and is then itself of any time; otherwise
      belongs to the period by when it occurred, or by the instant or the day in its field ``dated``, or where a fact of
      class ``redated`` follows, in that field of the latest one.

    With ``adding``, the value is what that number adds up to; facts with nothing to add are not counted.
    ``by`` breaks the value down.
    """

    slug: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    title: Text
    definition: Text
    unit: Unit
    of: Kinds = Field(min_length=1)
    where: Where = Field(default_factory=dict)
    having: Having | None = None
    unless: Kinds = ()
    once_a_matter: bool = False
    among: "Count | None" = None
    dated: Path | None = None
    redated: type[Fact] | None = None
    at: At = At.PERIOD
    adding: Path | None = None
    by: By | None = None

    @model_validator(mode="after")
    def _fields_exist(self) -> "Count":
        _check(self.of, [*self.where, *(path for path in (self.dated, self.adding) if path)])
        if self.by is not None:
            _check(self.of if self.by.of is None else (self.by.of,), [self.by.path])
        if self.redated is not None:
            if self.dated is None:
                raise ValueError(f"{self.slug} has no date that could be another")
            _check((self.redated,), [self.dated])
        return self

    @model_validator(mode="after")
    def _one_way_to_belong(self) -> "Count":
        at_end = self.at is At.PERIOD_END
        if (self.among is not None) + (self.dated is not None) + at_end > 1 or (at_end and self.once_a_matter):
            raise ValueError(f"{self.slug} belongs to a period in two ways")
        return self

    @property
    def dated_by_day(self) -> bool:
        """Whether ``dated`` names a calendar day, not an instant."""
        return self.dated is not None and field(self.of[0], self.dated).annotation is date


class Term(StrEnum):
    """A rate's two Counts."""

    NUMERATOR = "numerator"
    DENOMINATOR = "denominator"


class Enough(Value):
    """A rate is told only when this term lists at least ``facts`` facts: fewer would tell who said what."""

    term: Term
    facts: int = Field(ge=1)


class Rate(Value):
    """One Count in proportion to another. Both are shown beside it, and each opens down to its facts."""

    slug: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    title: Text
    definition: Text
    numerator: Count
    denominator: Count
    enough: Enough | None = None

    def term(self, term: Term) -> Count:
        return self.numerator if term is Term.NUMERATOR else self.denominator


Indicator: TypeAlias = Count | Rate


def field(kind: type[BaseModel], path: str) -> FieldInfo:
    """Return what ``kind`` says of a field. Raises ValueError: it has none there."""
    first, _, rest = path.partition(".")
    found = kind.model_fields.get(first)
    if found is None:
        raise ValueError(f"{kind.__name__} has no {first}")
    if not rest:
        return found
    inner = found.annotation
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        raise ValueError(f"{first} of {kind.__name__} has no fields")
    return field(inner, rest)


def default_of(kinds: Sequence[type[Fact]], path: str) -> str | None:
    """What a stored fact that is older than the field ``path`` says there, as text; None: nothing."""
    for kind in kinds:
        value: object = field(kind, path).get_default()
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int):
            return str(value)
    return None


def _check(kinds: Kinds, paths: Sequence[str] | Where) -> None:
    for kind in kinds:
        for path in paths:
            field(kind, path)
