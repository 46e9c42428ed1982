"""App: how a service's ASGI application is put together. Everything it uses is built by the service and handed in."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eventlog.handler import Handler
from vocabulary.roles import Permissions
from web import problems
from web.access import Access
from web.actor import Verifier
from web.health import Development, Health, development_router, health_router
from web.inputs import Inputs
from web.messages import Messages
from web.metrics import CONTENT_TYPE, Metrics
from web.openapi import App
from web.parts import Digest, Limits, Now, Parts, Reached
from web.routing import APIRouter, Route
from web.straight import Straight

VERSION = "0.1.0"  # that of pyproject.toml, which a source tree cannot ask for; a test compares them

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class Straightened(App):
    """FastAPI, asked only for what ``straight`` does not lead to: few routes, its own pages, and what is not there."""

    straight: Straight | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self.straight.way(scope) if self.straight is not None and scope["type"] == "http" else None
        if way is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await way(scope, receive, send)


def create_app(
    service: str,
    *,
    title: str,
    description: str = "",
    routers: Sequence[APIRouter],
    verifier: Verifier,
    permissions: Permissions,
    messages: Messages,
    health: Health,
    metrics: Metrics | None = None,
    handler: Handler | None = None,
    now: Now | None = None,
    digest: Digest | None = None,
    lifespan: Lifespan | None = None,
    reached: Reached | None = None,
    development: Development | None = None,
    limits: Mapping[str, Limits] | None = None,
) -> Straightened:
    """Build a service's app.

    ``metrics`` are those that parts beside the app count in, too; without any the app has its own.
    ``now`` is the log's clock; ``digest``, keyed, tells requests apart. ``reached`` answers whether a position is seen,
    for ``?after=``. ``limits`` names the actions that take in more than usual. ``development`` adds the routes that
    move time.
    Raises LookupError: a route whose function is not in permissions.toml under ``service``, or a limit without a route.
    Raises ValueError: two routes of one action, or a body no example can be made of.
    Raises TypeError: a route that is not one of web.routing.
    """
    app = Straightened(
        title=title,
        version=VERSION,
        description=description,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
        # Spans of every dependency cost three quarters of the speed; the framework's own logs repeat error texts.
        telemetry={"operation_spans": False, "logs": False, "auto_configure": False},
    )
    limits, metrics = limits or {}, metrics or Metrics()
    _check(service, routers, permissions, limits)
    app.include_router(health_router(health))
    _tell(app, metrics, health)
    if development is not None:
        app.include_router(development_router(development))
    for router in routers:
        app.include_router(router)
    app.state.parts = Parts(
        service=service,
        verifier=verifier,
        permissions=permissions,
        messages=messages,
        inputs=Inputs.of(app.openapi()),
        handler=handler,
        now=now,
        digest=digest,
        reached=reached,
        limits=limits,
    )
    problems.install(app)
    app.add_middleware(Access, metrics=metrics)
    routes = [route for router in routers for route in router.routes if isinstance(route, Route)]
    app.straight = Straight(routes, partial(Access, metrics=metrics))
    return app


def actions(routers: Sequence[APIRouter]) -> Iterator[str]:
    """The action of every route: its function's name."""
    for router in routers:
        for route in router.routes:
            if not isinstance(route, Route):
                raise TypeError(f"{getattr(route, 'path', route)} is no route of web.routing.APIRouter")
            yield route.name


def _tell(app: FastAPI, metrics: Metrics, health: Health) -> None:
    @app.get("/metrics", include_in_schema=False)
    async def told() -> Response:
        """What Prometheus asks for. Open to anybody: nothing in it is about a person."""
        return Response(metrics.told(await health.look()), media_type=CONTENT_TYPE)

    del told  # the decorator registers it


def _check(service: str, routers: Sequence[APIRouter], permissions: Permissions, limits: Mapping[str, Limits]) -> None:
    named = list(actions(routers))
    if missing := sorted({*named} - permissions.actions(service)):
        raise LookupError(f"permissions.toml says nothing under [{service}] of {', '.join(missing)}")
    if unknown := sorted({*limits} - {*named}):
        raise LookupError(f"limits for {', '.join(unknown)}, which no route is called")
    if len({*named}) != len(named):
        raise ValueError(f"two routes share a name in {service}: {', '.join(sorted(named))}")
