"""What changed between two schemas of one fact, field by field, and whether it only ever added something.

A change adds when programs of before and of after read each other's facts: there are new fields that may be missing,
and nothing else is different. So neither a new word in a closed set adds, which readers of before refuse, nor another
default, which is what old facts say.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import jsoncompat

from tests.contract.facts.schema import Schema

_IN_PARTS = frozenset({"properties", "required", "items", "enum"})
_NOTHING: Schema = {}


class Difference(NamedTuple):
    """``field``: its path, such as ``details.category`` or ``members[].kind``; ``says``: what became of it."""

    field: str
    says: str
    adds: bool = False


def differences(before: Schema, now: Schema) -> list[Difference]:
    """Return what changed; nothing only for equal schemas. Where we see no harm, a second opinion is asked."""
    found = list(_between(before, now, ""))
    if all(difference.adds for difference in found) and not compatible(before, now):
        found.append(Difference("the whole", "is not compatible, says jsoncompat"))
    return found


def compatible(before: Schema, now: Schema) -> bool:
    """Whether, as far as jsoncompat sees, each reads the other: those of before ignore what they do not know.

    It does not compare patterns, formats and defaults; that is why this is a second opinion and not the only one.
    """
    reads_old = jsoncompat.check_compat(json.dumps(before), json.dumps(now), "deserializer")
    old_reads = jsoncompat.check_compat(json.dumps(_ignoring(before)), json.dumps(now), "serializer")
    return reads_old and old_reads


def _ignoring(schema: Schema) -> Schema:
    """The schema as a reader takes it, which ignores fields it does not know."""
    opened = {key: said for key, said in schema.items() if key != "additionalProperties"}
    if "properties" in schema:
        opened["properties"] = {name: _ignoring(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        opened["items"] = _ignoring(schema["items"])
    if "anyOf" in schema:
        opened["anyOf"] = [_ignoring(branch) for branch in schema["anyOf"]]
    return opened


def _between(before: Schema, now: Schema, at: str) -> Iterator[Difference]:
    if _shape(before) != _shape(now):
        yield Difference(at, f"was {_words(before, now)} and is {_words(now, before)}")
        return
    yield from _of_fields(before, now, at)
    yield from _of_words(before, now, at)
    for one, other in zip(before.get("anyOf", ()), now.get("anyOf", ()), strict=True):
        yield from _between(one, other, at)
    if "items" in before:
        yield from _between(before["items"], now["items"], f"{at}[]")


def _shape(schema: Schema) -> Schema:
    """What is compared as a whole. Of parts only that they are there; a default is a matter of the field."""
    shape = {key: None if key in _IN_PARTS else said for key, said in schema.items() if key != "default"}
    if "anyOf" in schema:
        shape["anyOf"] = ["null" if branch == {"type": "null"} else "value" for branch in schema["anyOf"]]
    return shape


def _of_fields(before: Schema, now: Schema, at: str) -> Iterator[Difference]:
    old, new = before.get("properties", _NOTHING), now.get("properties", _NOTHING)
    for name in sorted(old.keys() | new.keys()):
        field = f"{at}.{name}" if at else name
        was_needed, is_needed = name in before.get("required", ()), name in now.get("required", ())
        if name not in new:
            yield Difference(field, "is gone")
        elif name not in old:
            yield Difference(field, "is new and required" if is_needed else "is new", adds=not is_needed)
        else:
            yield from _of_need(old[name], new[name], field, was_needed=was_needed, is_needed=is_needed)
            yield from _between(old[name], new[name], field)


def _of_need(before: Schema, now: Schema, at: str, *, was_needed: bool, is_needed: bool) -> Iterator[Difference]:
    if is_needed and not was_needed:
        yield Difference(at, "could be missing and is required now")
    elif was_needed and not is_needed:
        yield Difference(at, "was always there and may be missing now")
    elif not is_needed and before["default"] != now["default"]:
        said, says = json.dumps(before["default"]), json.dumps(now["default"])
        yield Difference(at, f"said {said} where nothing was stored and now says {says}")


def _of_words(before: Schema, now: Schema, at: str) -> Iterator[Difference]:
    old, new = before.get("enum", ()), now.get("enum", ())
    for word in old:
        if word not in new:
            yield Difference(at, f"no longer takes {json.dumps(word)}")
    for word in new:
        if word not in old:
            yield Difference(at, f"now takes {json.dumps(word)}, which programs of before refuse")


def _words(schema: Schema, other: Schema) -> str:
    """What a schema says that the other does not."""
    said = {key: value for key, value in schema.items() if other.get(key) != value and key != "default"}
    return json.dumps(said, ensure_ascii=False)
