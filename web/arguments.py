"""Arguments: what a route's function is called with, worked out when the app is built and not at every request.

FastAPI works it out anew for each request, which costs more than the whole command. Its own description of the route is
what is read here, so that a function is written, and documented, as for any other FastAPI.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from inspect import iscoroutinefunction
from typing import Any

from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo
from starlette.responses import Response

from web.incoming import Incoming
from web.inputs import Found

_REQUEST, _RESPONSE = 0, 1  # the first two slots; each dependency's result takes the next one
_OF_A_DEPENDENCY = frozenset(
    {"dependencies", "name", "call", "request_param_name", "response_param_name", "use_cache", "path"}
)
_OF_A_ROUTE = _OF_A_DEPENDENCY | {"path_params", "body_params", "scope"}
_MISSING: Found = {"loc": ("body",), "type": "missing"}


@dataclass(frozen=True)
class _Call:
    """A dependency, and the slot of each of its arguments."""

    function: Callable[..., Awaitable[object]]
    slots: Mapping[str, int]


class Arguments:
    """A route's: its path's parameters, its body, and what its dependencies make of the request, each called once."""

    def __init__(self, route: APIRoute) -> None:
        """``route``: one for which they ``suffice``."""
        self._path = [(field.alias, field.name, field) for field in route.dependant.path_params]
        self._body = route.body_field
        self._calls: list[_Call] = []
        self._slots = self._slots_of(route.dependant, {})

    async def of(self, incoming: Incoming, response: Response) -> Mapping[str, Any]:
        """Return the arguments by name; ``response``: on which dependencies set headers.

        Raises RequestValidationError before any dependency is asked, and what reading a body and those raise.
        """
        found: dict[str, Any] = {}
        errors: list[Any] = []
        for alias, name, field in self._path:
            found[name], wrong = field.validate(incoming.path_params[alias], loc=("path", alias))
            errors += wrong
        if self._body is not None:
            if await incoming.body():
                found[self._body.name], wrong = self._body.validate(await incoming.json(), loc=("body",))
                errors += wrong
            else:
                errors.append(_MISSING)
        if errors:
            raise RequestValidationError(errors)
        known: list[object] = [incoming, response]
        for call in self._calls:
            known.append(await call.function(**{name: known[slot] for name, slot in call.slots.items()}))
        for name, slot in self._slots.items():
            found[name] = known[slot]
        return found

    def _slots_of(self, dependant: Dependant, made: dict[Callable[..., Any], int]) -> Mapping[str, int]:
        """Put the calls that a function needs before it, none twice, and return where its arguments then lie."""
        slots: dict[str, int] = {}
        if dependant.request_param_name is not None:
            slots[dependant.request_param_name] = _REQUEST
        if dependant.response_param_name is not None:
            slots[dependant.response_param_name] = _RESPONSE
        for needed in dependant.dependencies:
            function = needed.call
            if function is None:
                raise TypeError("arguments do not suffice here")
            if function not in made:
                inner = self._slots_of(needed, made)
                made[function] = _RESPONSE + 1 + len(self._calls)
                self._calls.append(_Call(function, inner))
            if needed.name is not None:
                slots[needed.name] = made[function]
        return slots


def suffice(route: APIRoute) -> bool:
    """Whether a route needs no more than ``Arguments``; else FastAPI has to call it."""
    top = route.dependant
    return (
        not _asks_for_more(top, _OF_A_ROUTE)
        and [*top.body_params] == ([] if route.body_field is None else [route.body_field])  # not several that share it
        and all(_is_plain_body(field.field_info) for field in top.body_params)
        and all(_is_plain(needed) for needed in top.dependencies)
    )


def _is_plain_body(field: FieldInfo) -> bool:
    """Whether it is no form, and may not be missing."""
    return field.is_required() and not isinstance(field, params.Form)


def _is_plain(dependency: Dependant) -> bool:
    return not _asks_for_more(dependency, _OF_A_DEPENDENCY) and all(map(_is_plain, dependency.dependencies))


def _asks_for_more(dependant: Dependant, known: frozenset[str]) -> bool:
    """Whether anything is set in FastAPI's description of a function that is not ``known`` here."""
    set_ = (field.name for field in fields(Dependant) if field.name not in known and getattr(dependant, field.name))
    return any(set_) or not dependant.use_cache or not iscoroutinefunction(dependant.call)
