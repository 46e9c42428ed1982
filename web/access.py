"""Access: the app's edge. A correlation id in, one log line out, and no error goes further than here."""

import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import correlation
from web.actor import Caller
from web.health import PREFIXES
from web.logging import described
from web.metrics import Metrics
from web.problems import answer
from web.refusal import Refusal

_CLOSED_BY_CLIENT = 499
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Access:
    """Pure ASGI, so that context variables reach the routes. Logs neither path, query, body nor token.

    What it counts bears the name of a route's function; whatever no route was found for has none.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._logger = structlog.get_logger("access").bind()  # once, not at every line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.correlation = correlation.given_or_new(request.headers.get(correlation.HEADER))
        began, status = time.perf_counter(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(raw=message["headers"])
                headers[correlation.HEADER] = str(request.state.correlation)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation=str(request.state.correlation)):
            try:
                if len(request.headers.getlist("host")) > 1:  # two readers of one request could take it for two places
                    await answer(request, Refusal(400, "bad-request"))(scope, receive, tell)
                else:
                    await self._app(scope, receive, tell)
            except ClientDisconnect:
                status = status or _CLOSED_BY_CLIENT
            except Exception as error:  # the process's edge: told to the caller as a code, to us as a place in the code
                self._logger.error("unexpected", **described(error))  # noqa: TRY400 - a traceback repeats values
                if status:
                    raise ConnectionError("the answer was broken off") from None
                await answer(request, Refusal(500, "internal"))(scope, receive, tell)
            finally:
                took = time.perf_counter() - began
                self._count(scope, status, took)
                self._log(scope, status, took)

    def _count(self, scope: Scope, status: int, took: float) -> None:
        action: str = getattr(scope.get("route"), "name", "-")
        self._metrics.requests.labels(action, str(status)).inc()
        self._metrics.request_seconds.labels(action).observe(took)

    def _log(self, scope: Scope, status: int, took: float) -> None:
        route: str = getattr(scope.get("route"), "path", "-")
        if route.startswith(PREFIXES) and status < 400:
            return
        caller = scope["state"].get("caller")
        self._logger.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(took * 1000, 1),
            actor=caller.id if isinstance(caller, Caller) else None,
        )
