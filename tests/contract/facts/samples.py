"""Samples: a fact's JSON as the log holds it, made up from the examples that fields carry; and what one stands for."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError

from eventlog.facts import Data, Fact, Stored, StreamId
from eventlog.sealed import seal
from tests.contract.facts.schema import Schema
from web.examples import example

COUNTY = "620724"
KEY = bytes(range(32))
"""What every sealed sample is sealed with: nobody's words, so nobody's secret."""

_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def made_up(kind: type[Fact]) -> Data:
    """Return a fact of this class that says something in every field. One word for one id: facts of a stream agree."""
    schema = kind.model_json_schema()
    schemas = {name: _told(inner, name) for name, inner in schema.get("$defs", {}).items()}
    made = example(_told(schema, ""), schemas)
    return written(kind, made)


def written(kind: type[Fact], data: object) -> Data:
    """The same as the class writes it. Raises ValidationError: it would not write that."""
    return kind.model_validate_json(json.dumps(data)).model_dump(mode="json")


def fits(kind: type[Fact], sample: Data) -> bool:
    """Whether the class would write that, give or take what may be missing."""
    try:
        written(kind, sample)
    except ValidationError:
        return False
    return True


def filled(sample: Any, other: Any) -> Any:
    """The sample, with what it leaves open taken from another."""
    match sample, other:
        case {**said}, {**more}:
            return {**more, **{name: filled(said[name], more.get(name)) for name in said}}
        case [*items], [first, *_]:
            return [filled(item, first) for item in items] or other
        case None, _:
            return other
        case _:
            return sample


def say_all(samples: Sequence[Data], made: Data) -> bool:
    """Whether each field of ``made`` has something to say in one of the samples at least."""
    together = reduce(filled, samples, None)
    return bool(filled(together, made) == together)


def all_of(schema: Schema, sample: Data) -> Iterator[Data]:
    """The sample, and whatever else the log may hold that differs from it in little."""
    yield sample
    yield least(schema, sample)
    yield from variants(schema, sample)


def variants(schema: Schema, value: Any) -> Iterator[Any]:
    """What else the schema lets stand there, one change each: a field left out, nothing, none, another word."""
    if value is None:
        return
    if {"type": "null"} in schema.get("anyOf", ()):
        yield None
    for branch in schema.get("anyOf", [schema]):
        yield from _of_branch(branch, value)


def least(schema: Schema, value: Any) -> Any:
    """The value without anything that may be missing: what was stored before those fields were thought of."""
    match value:
        case {**fields}:
            [branch] = [branch for branch in schema.get("anyOf", [schema]) if "properties" in branch]
            return {name: least(branch["properties"][name], fields[name]) for name in branch["required"]}
        case [*items]:
            [branch] = [branch for branch in schema.get("anyOf", [schema]) if "items" in branch]
            return [least(branch["items"], item) for item in items]
        case _:
            return value


def stored(name: str, schema: int, json: str, category: str = "sample") -> Stored:
    """A sample with an envelope round it."""
    return Stored(
        fact_id=uuid5(NAMESPACE_URL, f"{name}/{schema}"),
        tenant=COUNTY,
        stream=StreamId(category, "1"),
        version=1,
        position=1,
        published=True,
        organ=f"{COUNTY}103.town-government",
        matter=f"{COUNTY}-20260302-7K3M9QXA",
        actor="somebody",
        occurred_at=_AT,
        recorded_at=_AT,
        correlation=UUID(int=1),
        causation=None,
        name=name,
        schema=schema,
        json=json,
    )


def _told(node: Schema, name: str) -> Schema:
    """The schema, where an id is the one of its name and sealed words can be opened."""
    match node:
        case {"title": "Sealed[str]"}:
            return {"examples": [_sealed("words", "样本")]}
        case {"format": "uuid"}:
            return {"examples": [str(uuid5(NAMESPACE_URL, name))]}
        case {"properties": properties}:
            return {**node, "properties": {field: _told(inner, field) for field, inner in properties.items()}}
        case {"items": items}:
            return {**node, "items": _told(items, name)}
        case {"anyOf": branches}:
            return {**node, "anyOf": [_told(branch, name) for branch in branches]}
        case _:
            return node


def _sealed(kind: str, text: str) -> Mapping[str, Any]:
    return seal(KEY, COUNTY, uuid5(NAMESPACE_URL, kind), kind, text).model_dump(mode="json")


def _of_branch(schema: Schema, value: Any) -> Iterator[Any]:
    match value:
        case {**fields} if "properties" in schema:
            for name, said in fields.items():
                rest = {other: fields[other] for other in fields if other != name}
                if name not in schema["required"]:
                    yield rest
                for variant in variants(schema["properties"][name], said):
                    yield {**rest, name: variant}
        case [first, *others] if "items" in schema:
            yield from ([variant, *others] for variant in variants(schema["items"], first))
            if not schema.get("minItems"):
                yield []
        case bool():
            yield not value
        case str() if value in schema.get("enum", ()):
            yield from (word for word in schema["enum"] if word != value)
        case _:
            pass
