"""Inputs: what an app's routes know of their own fields, so that an error can point without repeating what was sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypedDict

from eventlog.facts import Value

Schema = Mapping[str, Any]  # a part of an OpenAPI document

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST = 100


class FieldError(Value):
    """Where (``/body/organ``, ``/query/limit``) and what kind of mistake (``missing``, ``string-too-long``)."""

    pointer: str
    code: str


class Found(TypedDict):
    """What is looked at of pydantic's errors; never the input that they carry as well."""

    loc: tuple[str | int, ...]
    type: str


@dataclass(frozen=True)
class Inputs:
    """``names``: every field name of the app. ``queries``: by path and method, each parameter and its schema."""

    names: frozenset[str]
    queries: Mapping[tuple[str, str], Mapping[str, Schema]]

    @classmethod
    def of(cls, openapi: Schema) -> "Inputs":
        """Read them from the app's own OpenAPI document."""
        queries: dict[tuple[str, str], Mapping[str, Schema]] = {}
        schemas: Mapping[str, Schema] = openapi.get("components", {}).get("schemas", {})
        names = {name for schema in schemas.values() for name in schema.get("properties", {})}
        for path, operations in openapi["paths"].items():
            for method, operation in operations.items():
                parameters: Sequence[Schema] = operation.get("parameters", ())
                names.update(parameter["name"] for parameter in parameters)
                queries[path, method.upper()] = {
                    parameter["name"]: parameter["schema"] for parameter in parameters if parameter["in"] == "query"
                }
        return cls(frozenset(names), queries)

    def errors(self, found: Sequence[Found]) -> tuple[FieldError, ...]:
        """Turn pydantic's errors into places and kinds. A place ends before any key that the caller made up."""
        errors = dict.fromkeys(FieldError(pointer=self._pointer(one["loc"]), code=_kind(one["type"])) for one in found)
        return tuple(errors)[:_MOST]

    def _pointer(self, location: Sequence[str | int]) -> str:
        source, *steps = location
        known = takewhile(lambda step: isinstance(step, int) or step in self.names, steps)
        return "/".join(("", str(source), *map(str, known)))

    def query_errors(self, path: str, method: str, given: Sequence[tuple[str, str]]) -> Iterator[FieldError]:
        """Find parameters that are unknown, repeated, oddly written numbers or no text: frameworks let them pass."""
        known = self.queries.get((path, method), {})
        seen: set[str] = set()
        for name, value in given:
            schema = known.get(name)
            if schema is None:
                yield FieldError(pointer="/query", code="unknown-field")
                continue
            if name in seen and not _takes(schema, "array"):
                yield FieldError(pointer=f"/query/{name}", code="repeated")
            if _CONTROL.search(value):
                yield FieldError(pointer=f"/query/{name}", code="text-invalid")
            elif _takes(schema, "integer") and not _INTEGER.fullmatch(value):
                yield FieldError(pointer=f"/query/{name}", code="int-parsing")
            seen.add(name)


def _takes(schema: Schema, kind: str) -> bool:
    return any(option.get("type") == kind for option in (schema, *schema.get("anyOf", ())))


def _kind(error_type: str) -> str:
    return "unknown-field" if error_type == "extra_forbidden" else error_type.replace("_", "-")
