"""A fact made up for the gate's own tests, and one change of each kind to plant in it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import Field, create_model

from eventlog.facts import REGISTRY, Data, Fact, Value
from tests.contract.facts.freeze import frozen
from tests.contract.facts.kinds import Kinds
from tests.contract.facts.lock import Lock
from vocabulary.words import Account, Code, Count, Day, Flag, Instant, Line

Fields: TypeAlias = Mapping[str, Any]  # as create_model takes them: a type, or a type and a default

MaybeLine: TypeAlias = Line | None
MaybeShorter: TypeAlias = Annotated[Line, Field(max_length=100)] | None
MaybeLonger: TypeAlias = Annotated[Line, Field(max_length=300)] | None
MaybeCode: TypeAlias = Code | None
MaybeCount: TypeAlias = Count | None
MaybeFlag: TypeAlias = Flag | None

NAME = "test-parcel-sent"
LETTER = "test-letter-sent"


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Sizes(StrEnum):
    SMALL = "small"
    LARGE = "large"
    HUGE = "huge"


class OneSize(StrEnum):
    SMALL = "small"


class Item(Value):
    what: Line
    fragile: Flag


class RenamedItem(Value):
    """An item by another name in Python, which nobody stores."""

    fragile: Flag
    what: Annotated[Line, Field(description="What it is.")]


class ItemWithoutFlag(Value):
    what: Line


class Address(Value):
    village: Line
    house: Count | None = None


class AddressWithoutHouse(Value):
    village: Line


FIELDS: Fields = {
    "parcel_id": UUID,
    "size": Size,
    "to": Address,
    "items": tuple[Item, ...],
    "carrier": Code,
    "due": Day,
    "note": (MaybeLine, None),
    "insured": (Flag, False),
}

BREAKING: Mapping[str, tuple[Fields, str]] = {
    "a removed field": (
        {name: kind for name, kind in FIELDS.items() if name != "carrier"},
        "carrier is gone",
    ),
    "a removed field that may be missing": (
        {name: kind for name, kind in FIELDS.items() if name != "note"},
        "note is gone",
    ),
    "a renamed field": (
        {("sender" if name == "carrier" else name): kind for name, kind in FIELDS.items()},
        "carrier is gone",
    ),
    "a new required field": ({**FIELDS, "weight": Count}, "weight is new and required"),
    "a field required from now on": ({**FIELDS, "insured": Flag}, "insured could be missing and is required now"),
    "a field that may be missing from now on": (
        {**FIELDS, "carrier": (Code, "post")},
        "carrier was always there and may be missing now",
    ),
    "another default": (
        {**FIELDS, "insured": (Flag, True)},
        "insured said false where nothing was stored and now says true",
    ),
    "another type": (
        {**FIELDS, "carrier": Count},
        'carrier was {"maxLength": 80, "minLength": 1, "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$", "type": "string"} '
        'and is {"maximum": 1000000, "minimum": 0, "type": "integer"}',
    ),
    "a day that becomes an instant": (
        {**FIELDS, "due": Instant},
        'due was {"format": "date"} and is {"format": "date-time"}',
    ),
    "another pattern": (
        {**FIELDS, "carrier": Annotated[Account, Field(min_length=1, max_length=80)]},
        'carrier was {"pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$"} and is {"pattern": "^[\\\\x21-\\\\x7e]{1,255}$"}',
    ),
    "a shorter text": (
        {**FIELDS, "note": (MaybeShorter, None)},
        'note was {"maxLength": 200} and is {"maxLength": 100}',
    ),
    "a longer text": (
        {**FIELDS, "note": (MaybeLonger, None)},
        'note was {"maxLength": 200} and is {"maxLength": 300}',
    ),
    "a field that may be null": (
        {**FIELDS, "carrier": MaybeCode},
        'carrier was {"maxLength": 80, "minLength": 1, "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$", "type": "string"} '
        'and is {"anyOf": [{"maxLength": 80, "minLength": 1, "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]*$", '
        '"type": "string"}, {"type": "null"}]}',
    ),
    "a narrowed set of words": ({**FIELDS, "size": OneSize}, 'size no longer takes "large"'),
    "a widened set of words": ({**FIELDS, "size": Sizes}, 'size now takes "huge", which programs of before refuse'),
    "a field removed deep inside": ({**FIELDS, "to": AddressWithoutHouse}, "to.house is gone"),
    "a field removed from each of several": (
        {**FIELDS, "items": tuple[ItemWithoutFlag, ...]},
        "items[].fragile is gone",
    ),
}
"""What a fact cannot do under one version, and the sentence about it."""

UNSEEN_BY_JSONCOMPAT = {"another default", "a day that becomes an instant", "another pattern"}
"""Why jsoncompat alone is no gate."""


class AddressWithStreet(Address):
    street: Line | None = None


class ItemWithValue(Item):
    worth: Count = 0


ADDING: Mapping[str, tuple[Fields, str]] = {
    "a field that may be missing": ({**FIELDS, "weight": (MaybeCount, None)}, "weight is new"),
    "one with a default": ({**FIELDS, "cooled": (Flag, False)}, "cooled is new"),
    "one deep inside": ({**FIELDS, "to": AddressWithStreet}, "to.street is new"),
    "one in each of several": ({**FIELDS, "items": tuple[ItemWithValue, ...]}, "items[].worth is new"),
}
"""What it can do."""

SAME: Mapping[str, Fields] = {
    "the same": FIELDS,
    "fields in another order": dict(reversed(list(FIELDS.items()))),
    "a value of another name, explained": {**FIELDS, "items": tuple[RenamedItem, ...]},
}
"""What nobody who reads a log can tell."""


FIRST: Fields = {"parcel_id": UUID, "to": Line, "size": Sizes, "heavy": (MaybeFlag, None)}
SECOND: Fields = {**FIRST, "to": Address}
THIRD: Fields = {"parcel_id": UUID, "to": Address, "size": Size}


class Second(Fact):
    """What the class said while version 2 was the newest."""

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        return {**data, "to": {"village": data["to"]}}


class Third(Fact):
    """Each step leads from one version to the next, and is never touched again."""

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        if schema < 2:
            data = {**data, "to": {"village": data["to"]}}
        if schema < 3:
            heavy, size = data.pop("heavy", None), data["size"]
            data = {**data, "size": "large" if heavy or size == "huge" else size}
        return data


def third(base: type[Fact] = Third) -> Kinds:
    """The fact at its third version."""
    return parcel(THIRD, 3, base=base)


def grown() -> Lock:
    """Frozen at every version on its way to the third, after the first release."""
    lock = frozen(Lock(released="1.0"), parcel(FIRST, 1))
    lock = frozen(lock, parcel(SECOND, 2, base=Second))
    return frozen(lock, third())


def parcel(fields: Fields = FIELDS, schema: int = 1, name: str = NAME, base: type[Fact] = Fact) -> Kinds:
    """Define the fact anew, as editing its file does, so that it is what this process reads under its name."""
    REGISTRY.pop(name, None)
    kind = create_model("ParcelSent", __base__=base, __cls_kwargs__={"name": name, "schema": schema}, **fields)
    return {name: kind}
