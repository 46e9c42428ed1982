"""Straight: the short way from a request to a route's function.

FastAPI documents every route, and calls those that need more of it than is done here. Most need nothing more: they are
found in a table, called with ready-made ``Arguments``, and what they return is written down as it is. What a route
promises is the same either way; the tests send the same requests both ways.
"""

from collections.abc import Callable, Sequence

from fastapi.datastructures import DefaultPlaceholder
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from web import problems
from web.arguments import Arguments, suffice
from web.incoming import Incoming
from web.routing import Route

_EMPTY = 204


class Way:
    """One route as an ASGI app of its own."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._status = _status(route)
        self._said = route.response_field
        self._arguments = Arguments(route)

    @classmethod
    def of(cls, route: Route) -> "Way | None":
        """None: FastAPI has to call it."""
        json = isinstance(route.response_class, DefaultPlaceholder)
        modelled = (route.response_field is None) == (_status(route) == _EMPTY)
        return cls(route) if json and modelled and suffice(route) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = Incoming(scope, receive)
        try:
            response = await self._answer(incoming)
        except problems.HANDLED as error:
            response = await problems.refuse(incoming, error)
        await response(scope, receive, send)

    async def _answer(self, incoming: Incoming) -> Response:
        await self._route.admit(incoming)
        response = Response(status_code=_EMPTY)  # without a length until there is a body
        said = await self._route.endpoint(**await self._arguments.of(incoming, response))
        if self._said is not None:
            checked, wrong = self._said.validate(said, loc=("response",))
            if wrong:
                raise TypeError(f"{self._route.name} does not answer what it promises")
            response.status_code, response.body = self._status, self._said.serialize_json(checked)
            response.raw_headers.append((b"content-length", b"%d" % len(response.body)))
            response.raw_headers.append((b"content-type", b"application/json"))
        return response


class Straight:
    """The table of all routes, in the order in which FastAPI looks at them."""

    def __init__(self, routes: Sequence[Route], edge: Callable[[ASGIApp], ASGIApp]) -> None:
        """``edge`` is put around each."""
        self._ways: dict[tuple[str, int], list[tuple[Route, ASGIApp | None]]] = {}
        for route in routes:
            way = Way.of(route)
            for method in route.methods or ():
                alike = self._ways.setdefault((method, route.path_format.count("/")), [])
                alike.append((route, None if way is None else edge(way)))

    def way(self, scope: Scope) -> ASGIApp | None:
        """Return the way to a request's route, and name the route in ``scope`` as FastAPI would; None: ask FastAPI."""
        path: str = scope["path"]
        for route, way in self._ways.get((scope["method"], path.count("/")), ()):
            match = route.path_regex.match(path)
            if match is not None:
                if way is not None:
                    scope["route"], scope["path_params"] = route, match.groupdict()
                return way
        return None


def _status(route: Route) -> int:
    return route.status_code or 200
