"""OpenAPI: what FastAPI cannot know of our routes: their headers, their refusals, their tokens, and an example each."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter

from vocabulary.words import Line, Words
from web.correlation import HEADER
from web.examples import example
from web.idempotency import IF_MATCH, KEY
from web.problems import MEDIA_TYPE, ProblemShown
from web.routing import SAFE

Json = dict[str, Any]  # a part of an OpenAPI document

_REFUSALS: Mapping[int, str] = {
    400: "Malformed: headers, JSON or cursor",
    401: "No token, or none that is valid here",
    403: "You may know of it, but not do this to it",
    404: "There is no such thing, or none you may know of",
    409: "A rule says no; the code says which",
    412: "It has changed since the version in If-Match",
    413: "The body is too large",
    415: "The body is not application/json in UTF-8",
    422: "The input is not valid, or the Idempotency-Key was used for something else",
    500: "Something went wrong on our side",
    503: "Not just now; send the same again",
    504: "Not caught up to the position in after",
}
_ASKED = (400, 401, 403, 404, 422, 500, 503)
_COMMANDED = (*_ASKED, 409, 412, 413, 415)
_NO_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_NO_LINE = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_SAID: tuple[tuple[Json, Json], ...] = (
    (TypeAdapter(Line).json_schema(), {"pattern": rf"^[^{_NO_LINE}]*[^\s{_NO_LINE}][^{_NO_LINE}]*$"}),
    (TypeAdapter(Words).json_schema(), {"pattern": rf"^[^{_NO_TEXT}]*[^\s{_NO_TEXT}][^{_NO_TEXT}]*$"}),
    ({"type": "string", "format": "date"}, {"description": "1900-2200, Asia/Shanghai"}),
    ({"type": "string", "format": "date-time"}, {"description": "With its zone, 1900-2200"}),
)
"""By a field's own schema, what its words refuse besides: control characters, nothing but blanks, other centuries."""

_OF_FRAMEWORK = ("HTTPValidationError", "ValidationError")


class App(FastAPI):
    """FastAPI with our OpenAPI document."""

    def openapi(self) -> Json:
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def completed(document: Json) -> Json:
    """Complete FastAPI's document in place, and return it. Raises ValueError: a body no example can be made of."""
    components: Json = document.setdefault("components", {})
    schemas: Json = components.setdefault("schemas", {})
    for name in _OF_FRAMEWORK:
        schemas.pop(name, None)
    problem: Json = ProblemShown.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    components["responses"] = {f"Problem{status}": _refusal(words) for status, words in _REFUSALS.items()}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    _say_all([*schemas.values(), *document["paths"].values()])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if path.startswith(("/health/", "/development/")):
                operation["responses"].pop("422", None)
            else:
                _complete(operation, commands=method.upper() not in SAFE)
            _give_example(operation, schemas, f"{method.upper()} {path}")
    return document


def _say_all(nodes: Sequence[Any]) -> None:
    """Write into every field's schema what its words refuse besides."""
    for node in nodes:
        match node:
            case {"type": "string"}:
                for schema, more in _SAID:
                    if all(node.get(name) == value for name, value in schema.items() if name != "examples"):
                        node.update({name: value for name, value in more.items() if name not in node})
            case {**inner}:
                _say_all([*inner.values()])
            case [*items]:
                _say_all(items)
            case _:
                continue


def _refusal(words: str) -> Json:
    return {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _complete(operation: Json, *, commands: bool) -> None:
    operation["security"] = [{"token": []}]
    parameters: list[Json] = operation.setdefault("parameters", [])
    waits = any(parameter["name"] == "after" for parameter in parameters)
    if commands:
        parameters.append(_header(KEY, {"type": "string", "minLength": 1, "maxLength": 255}, "7c1b2f", required=True))
        parameters.append(_header(IF_MATCH, {"type": "string", "pattern": '^"[1-9][0-9]*"$'}, '"3"'))
    parameters.append(_header("Accept-Language", {"type": "string"}, "zh-CN"))
    parameters.append(_header(HEADER, {"type": "string", "description": "A UUID; anything else counts as none"}))
    responses: Json = operation["responses"]
    for status, response in responses.items():
        if commands and status.startswith("2"):
            response["headers"] = {
                "ETag": {"schema": {"type": "string"}, "description": "The version, for If-Match"},
                "Shangyi-Position": {"schema": {"type": "string"}, "description": "For ?after= of a query"},
            }
    for status in (*(_COMMANDED if commands else _ASKED), *((504,) if waits else ())):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def _header(name: str, schema: Json, sample: str | None = None, *, required: bool = False) -> Json:
    header: Json = {"name": name, "in": "header", "required": required, "schema": schema}
    return header if sample is None else {**header, "example": sample}


def _give_example(operation: Json, schemas: Json, route: str) -> None:
    content: Json | None = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return
    try:
        content["example"] = example(content["schema"], schemas)
    except ValueError as error:
        raise ValueError(f"{route}: {error}") from None
