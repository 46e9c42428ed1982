"""Testing: what each service's own tests ask of its messages and its OpenAPI document."""

import ast
import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter, ValidationError


def codes_raised_in(path: Path) -> set[str]:
    """Return every code that a ``Rejected("…")`` or ``Refusal(4…, "…")`` in a file or package may carry.

    Raises ValueError: a code that is computed, so that nobody could check its sentence.
    """
    codes: set[str] = set()
    for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = {"Rejected": 0, "Refusal": 1}.get(_name(node.func))
            if place is None:
                continue
            match node.args[place : place + 1]:
                case [ast.Constant(value=str(code))]:
                    codes.add(code)
                case _:
                    raise ValueError(f"{file.name}:{node.lineno} computes its code")
    return codes


def wrong_examples(app: FastAPI) -> list[str]:
    """Return the routes whose example in the OpenAPI document their own model refuses, with the reason's place."""
    wrong: list[str] = []
    paths = app.openapi()["paths"]
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or route.body_field is None:
            continue
        for method in route.methods or ():
            content = paths[route.path_format][method.lower()]["requestBody"]["content"]["application/json"]
            body: Any = route.body_field.field_info.annotation  # whatever the route takes in
            try:
                TypeAdapter(body).validate_json(json.dumps(content["example"]))
            except ValidationError as error:
                wrong.append(f"{method} {route.path}: {[found['loc'] for found in error.errors()]}")
    return wrong


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
