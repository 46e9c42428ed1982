"""Access: the app's edge. A correlation id in, one log line out, and no error goes further than here."""

import time
from collections.abc import Sequence

import structlog
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
_CORRELATION = correlation.HEADER.lower().encode()
_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


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
        sent: Sequence[tuple[bytes, bytes]] = scope["headers"]
        given = next((value.decode("latin-1") for name, value in sent if name == _CORRELATION), None)
        state: dict[str, object] = scope.setdefault("state", {})
        state["correlation"] = known_as = correlation.given_or_new(given)
        known_as_text = str(known_as)
        ours = [(_CORRELATION, known_as_text.encode()), *_HEADERS]
        began, status = time.perf_counter(), 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _completed(message["headers"], ours)
            await send(message)

        noted = structlog.contextvars.bind_contextvars(correlation=known_as_text)
        try:
            if len([name for name, _ in sent if name == b"host"]) > 1:  # two readers could take it for two places
                await answer(Request(scope), Refusal(400, "bad-request"))(scope, receive, tell)
            else:
                await self._app(scope, receive, tell)
        except ClientDisconnect:
            status = status or _CLOSED_BY_CLIENT
        except Exception as error:  # the process's edge: told to the caller as a code, to us as a place in the code
            self._logger.error("unexpected", **described(error))  # noqa: TRY400 - a traceback repeats values
            if status:
                raise ConnectionError("the answer was broken off") from None
            await answer(Request(scope), Refusal(500, "internal"))(scope, receive, tell)
        finally:
            took = time.perf_counter() - began
            self._metrics.answered(getattr(scope.get("route"), "name", "-"), status, took)
            self._log(scope, status, took)
            structlog.contextvars.reset_contextvars(**noted)

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


def _completed(said: Sequence[tuple[bytes, bytes]], ours: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """An answer's headers with ours, where it did not say something else."""
    names = {name for name, _ in said}
    return [*said, *(header for header in ours if header[0] not in names)]
