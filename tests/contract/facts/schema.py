"""The schema of a fact as the lock keeps it: what may stand in its JSON, without Python's names and without prose."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from eventlog.facts import Fact

Schema: TypeAlias = Mapping[str, Any]  # a JSON Schema, draft 2020-12

_PROSE = frozenset({"title", "description", "examples", "$defs", "$ref"})


class Unclear(Exception):
    """The schema would not show what a stored fact says."""


def schema_of(kind: type[Fact]) -> Schema:
    """Return what a fact's JSON may be, whole: renaming, moving or explaining a class changes nothing here.

    Raises Unclear: a value contains itself, a field's default is made by a function, or we cannot compare it yet.
    """
    whole = kind.model_json_schema()
    return _plain(whole, whole.get("$defs", {}), ())


def _plain(node: Schema, defs: Mapping[str, Schema], within: tuple[str, ...]) -> Schema:
    name = node.get("$ref", "").rpartition("/")[2]
    if name in within:
        raise Unclear(f"{name} contains itself: no lock can show it whole")
    found = {**_plain(defs[name], defs, (*within, name))} if name else {}
    for key, said in node.items():
        match key:
            case "properties":
                found[key] = {field: _plain(inner, defs, within) for field, inner in sorted(said.items())}
            case "items":
                found[key] = _plain(said, defs, within)
            case "anyOf":
                found[key] = [_plain(branch, defs, within) for branch in said]
            case "enum" | "required":
                found[key] = sorted(said)
            case "const":
                found["enum"] = [said]
            case _ if key in _PROSE:
                pass
            case _ if isinstance(said, dict | list) and key != "default":
                raise Unclear(f"{key} is more than the lock can compare so far")
            case _:
                found[key] = said
    if "properties" in found:
        found.setdefault("required", [])
    _explain_itself(found)
    return dict(sorted(found.items()))


def _explain_itself(node: Schema) -> None:
    """A default that only Python can compute is a word nobody stored: what an old fact says would change unseen."""
    for field, inner in node.get("properties", {}).items():
        if field not in node["required"] and "default" not in inner:
            raise Unclear(f"{field} has a default that its schema does not show: write it as a value")
