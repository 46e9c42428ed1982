"""The gate against itself: each change that would break stored facts is planted, and seen."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import Field

from tests.contract.facts.differences import Difference, compatible, differences
from tests.contract.facts.freeze import Refused, frozen
from tests.contract.facts.gate import findings
from tests.contract.facts.kinds import Kinds, kinds
from tests.contract.facts.lock import Lock
from tests.contract.facts.parcels import (
    ADDING,
    BREAKING,
    FIELDS,
    LETTER,
    NAME,
    SAME,
    UNSEEN_BY_JSONCOMPAT,
    Fields,
    parcel,
)
from tests.contract.facts.schema import schema_of

ADD = "Run `make facts-freeze`, and commit the lock with it."
WITH_WEIGHT, _ = ADDING["a field that may be missing"]
CHANGE = "Put it back, or make it schema=2 with an upcast, see docs/how-to-change-a-fact.md."


def says(lock: Lock, kinds: Kinds) -> list[str]:
    return [str(finding) for finding in findings(lock, kinds)]


def schema(fields: Fields) -> Any:
    return schema_of(parcel(fields)[NAME])


def removals(whole: Any, node: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every field, and the whole schema without it."""
    for name, inner in node.get("properties", {}).items():
        field = f"{at}.{name}" if at else name
        left = {other: node["properties"][other] for other in node["properties"] if other != name}
        needed = [other for other in node["required"] if other != name]
        yield field, replaced(whole, node, {**node, "properties": left, "required": needed})
        yield from removals(whole, inner, field)
    if "items" in node:
        yield from removals(whole, node["items"], f"{at}[]")
    for branch in node.get("anyOf", ()):
        yield from removals(whole, branch, at)


def replaced(node: Any, part: Any, by: Any) -> Any:
    """The schema with one of its parts, which is found by identity, replaced."""
    if node is part:
        return by
    match node:
        case {**fields}:
            return {name: replaced(inner, part, by) for name, inner in fields.items()}
        case [*items]:
            return [replaced(item, part, by) for item in items]
        case _:
            return node


REMOVED = [
    (name, field, lock, without)
    for name, lock in ((name, schema_of(kind)) for name, kind in kinds().items())
    for field, without in removals(lock, lock)
]


def gone(before: Any, now: Any) -> list[str]:
    return [difference.field for difference in differences(before, now) if difference.says == "is gone"]


class TestAChangeThatBreaks:
    @pytest.mark.parametrize(("fields", "sentence"), BREAKING.values(), ids=BREAKING)
    def test_is_told_by_fact_and_field_with_what_to_do(self, fields: Fields, sentence: str) -> None:
        lock = frozen(Lock(), parcel())
        assert f"{NAME} v1: {sentence}. {CHANGE}" in says(lock, parcel(fields))

    @pytest.mark.parametrize(("fields", "sentence"), BREAKING.values(), ids=BREAKING)
    def test_is_not_frozen_after_a_release(self, fields: Fields, sentence: str) -> None:
        lock = frozen(Lock(released="1.0"), parcel())
        with pytest.raises(Refused) as refused:
            frozen(lock, parcel(fields))
        assert f"{NAME} v1: {sentence}. {CHANGE}" in str(refused.value)

    @pytest.mark.parametrize("what", BREAKING)
    def test_is_frozen_before_one(self, what: str) -> None:
        fields, _ = BREAKING[what]
        lock = frozen(frozen(Lock(), parcel()), parcel(fields))
        assert says(lock, parcel(fields)) == []
        assert lock.facts[NAME].versions[1].schema == schema(fields)

    @pytest.mark.parametrize("what", BREAKING)
    def test_is_seen_by_jsoncompat_too_where_it_looks(self, what: str) -> None:
        fields, _ = BREAKING[what]
        assert compatible(schema(FIELDS), schema(fields)) is (what in UNSEEN_BY_JSONCOMPAT)


class TestAChangeThatAdds:
    @pytest.mark.parametrize(("fields", "sentence"), ADDING.values(), ids=ADDING)
    def test_has_to_be_frozen(self, fields: Fields, sentence: str) -> None:
        lock = frozen(Lock(released="1.0"), parcel())
        assert says(lock, parcel(fields)) == [f"{NAME} v1: {sentence}. {ADD}"]

    @pytest.mark.parametrize("what", ADDING)
    def test_passes_once_it_is_frozen_and_keeps_every_sample(self, what: str) -> None:
        fields, _ = ADDING[what]
        before = frozen(Lock(released="1.0"), parcel())
        lock = frozen(before, parcel(fields))
        assert says(lock, parcel(fields)) == []
        [first] = before.facts[NAME].versions[1].samples
        [kept, added] = lock.facts[NAME].versions[1].samples
        assert (kept, frozen(lock, parcel(fields))) == (first, lock)
        assert added != kept


@pytest.mark.parametrize("fields", SAME.values(), ids=SAME)
def test_what_no_reader_can_tell_is_no_change(fields: Fields) -> None:
    lock = frozen(Lock(released="1.0"), parcel())
    assert says(lock, parcel(fields)) == []
    assert frozen(lock, parcel(fields)) == lock


class TestDifferences:
    def test_of_a_nullable_value_are_those_inside_it(self) -> None:
        before = {"anyOf": [schema({"a": int, "b": int}), {"type": "null"}]}
        now = {"anyOf": [schema({"a": int}), {"type": "null"}]}
        assert differences(before, now) == [Difference("b", "is gone")]

    def test_ask_a_second_opinion_where_they_see_no_harm(self) -> None:
        """Who lets any field in may have stored one of the new name, which then need not be what the new one is."""
        before, now = ({**schema(fields), "additionalProperties": True} for fields in (FIELDS, WITH_WEIGHT))
        assert differences(before, now) == [
            Difference("weight", "is new", adds=True),
            Difference("the whole", "is not compatible, says jsoncompat"),
        ]


class TestEveryFieldOfEveryFact:
    """The same for the facts there really are, in every place they have."""

    def test_is_missed_when_it_is_gone(self) -> None:
        assert [(name, field) for name, field, lock, now in REMOVED if gone(lock, now) != [field]] == []

    def test_is_missed_by_jsoncompat_too(self) -> None:
        assert [(name, field) for name, field, lock, now in REMOVED if compatible(lock, now)] == []


class TestTheNameOfAFact:
    def test_that_changed_leaves_facts_without_a_class(self) -> None:
        lock = frozen(Lock(released="1.0"), parcel())
        renamed = parcel(name=LETTER)
        assert says(lock, renamed) == [
            f"{NAME} has no class any more. It is stored for ever: bring its class back.",
            f"{LETTER} v1 is new. {ADD}",
        ]
        with pytest.raises(Refused, match=f"{NAME} has no class any more"):
            frozen(lock, renamed)

    def test_that_is_new_passes_once_it_is_frozen(self) -> None:
        lock = frozen(Lock(released="1.0"), parcel())
        both = {**parcel(), **parcel({"letter_id": int}, name=LETTER)}
        assert says(lock, both) == [f"{LETTER} v1 is new. {ADD}"]
        assert says(frozen(lock, both), both) == []


class TestTheVersionOfAFact:
    def test_goes_up_one_by_one(self) -> None:
        assert says(Lock(), parcel(schema=2)) == [f"{NAME} v2 leaves out v1. Versions are counted one by one."]
        lock = frozen(Lock(), parcel())
        with pytest.raises(Refused, match="v3 leaves out v2"):
            frozen(lock, parcel(schema=3))

    def test_never_goes_down_once_released(self) -> None:
        lock = frozen(frozen(Lock(released="1.0"), parcel()), parcel(schema=2))
        assert says(lock, parcel()) == [f"{NAME} v1 is older than v2. That is stored for ever: keep it."]
        with pytest.raises(Refused, match="older than v2"):
            frozen(lock, parcel())


class TestASchemaThatWouldHideSomething:
    def test_a_default_made_by_a_function(self) -> None:
        kinds = parcel({**FIELDS, "tags": (tuple[str, ...], Field(default_factory=tuple))})
        assert says(Lock(), kinds) == [
            f"{NAME} v1 is unclear. tags has a default that its schema does not show: write it as a value."
        ]

    def test_a_shape_that_we_cannot_compare(self) -> None:
        kinds = parcel({"pair": tuple[int, int]})
        assert says(Lock(), kinds) == [f"{NAME} v1 is unclear. prefixItems is more than the lock can compare so far."]
