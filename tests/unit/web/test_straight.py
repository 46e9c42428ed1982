"""The short way to a route: which routes it leads to, and that a route promises there what it does on FastAPI's way."""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated
from uuid import UUID

import fastapi
import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Scope
from structlog.testing import capture_logs

from tests.unit.web.test_bad_input import BODIES, JSON
from tests.unit.web.town import TOWN, Town, body, key
from vocabulary.words import Line
from web.asking import Asking
from web.asking import asking as asks
from web.routing import APIRouter, Route
from web.straight import Straight, Way

SERVICES = Path(__file__).parents[3] / "services"
POSTED = UUID("01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11")
OF_THIS_TIME_ONLY = {"x-correlation-id"}


def routes_of(router: fastapi.APIRouter) -> Iterator[Route]:
    return (route for route in router.routes if isinstance(route, Route))


def routes_of_services() -> Iterator[Route]:
    for service in ("intake", "deliberation", "mediation", "reporting"):
        for module in iter_modules([str(SERVICES / service / "api")]):
            router = getattr(import_module(f"services.{service}.api.{module.name}"), "router", None)
            if router is not None:
                yield from routes_of(router)


def is_straight(route: Route) -> bool:
    return Way.of(route) is not None


class TestWay:
    def test_leads_to_every_command_without_a_query(self) -> None:
        commands = [route for route in routes_of_services() if route.commands]
        assert [route.name for route in commands if not is_straight(route)] == ["import_submissions"]

    def test_is_not_for_what_only_fastapi_does(self) -> None:
        router = APIRouter()

        async def narrowed(asking: Asking, at: Annotated[Line, fastapi.Query()] = "here") -> None: ...

        async def by_header(asking: Asking, x_at: Annotated[Line, fastapi.Header()] = "here") -> None: ...

        async def asks_more(at: Annotated[None, fastapi.Depends(narrowed)]) -> None: ...

        async def anew(asking: Annotated[None, fastapi.Depends(asks, use_cache=False)]) -> None: ...

        async def two(one: Annotated[Line, fastapi.Body()], other: Annotated[Line, fastapi.Body()]) -> None: ...

        async def perhaps(one: Annotated[Line | None, fastapi.Body()] = None) -> None: ...

        def in_a_thread(asking: Asking) -> None: ...

        async def text(asking: Asking) -> Line:
            return asking.tenant

        async def anything(asking: Asking): ...  # type: ignore[no-untyped-def]

        for function in (narrowed, by_header, asks_more, anew, two, perhaps, in_a_thread):
            router.post(f"/{function.__name__}", status_code=204)(function)
        router.get("/anything")(anything)
        router.get("/text", response_class=PlainTextResponse)(text)
        assert [route.name for route in routes_of(router) if is_straight(route)] == []


def scope(method: str, path: str) -> Scope:
    return {"type": "http", "method": method, "path": path}


class TestStraight:
    @pytest.fixture
    def straight(self) -> Straight:
        router = APIRouter()

        async def plain(asking: Asking) -> None: ...

        async def narrowed(asking: Asking, at: Line = "here") -> None: ...

        router.post("/a/{name}", status_code=204, name="first")(plain)
        router.post("/a/b", status_code=204, name="hidden")(plain)
        router.post("/c/d", status_code=204, name="fastapis")(narrowed)
        router.post("/c/{name}", status_code=204, name="last")(plain)
        return Straight([*routes_of(router)], self.edge)

    def edge(self, app: ASGIApp) -> ASGIApp:
        return app

    @pytest.mark.parametrize(
        ("method", "path", "name", "parameters"),
        [
            ("POST", "/a/x", "first", {"name": "x"}),
            ("POST", "/a/b", "first", {"name": "b"}),
            ("POST", "/c/d", None, None),
            ("POST", "/c/x", "last", {"name": "x"}),
            ("POST", "/a/x/y", None, None),
            ("POST", "/a/", None, None),
            ("POST", "/nowhere", None, None),
            ("GET", "/a/x", None, None),
        ],
    )
    def test_takes_the_first_route_that_fits(
        self, straight: Straight, method: str, path: str, name: str | None, parameters: dict[str, str] | None
    ) -> None:
        request = scope(method, path)
        way = straight.way(request)
        assert (way is None) is (name is None)
        assert getattr(request.get("route"), "name", None) == name
        assert request.get("path_params") == parameters


REQUESTS: dict[str, tuple[str, str, bytes | str, dict[str, str]]] = {
    **{f"body: {name}": ("POST", "/notices", sent, {**key("k1"), **JSON}) for name, (sent, _, _) in BODIES.items()},
    "another type": ("POST", "/notices", "{}", {**key("k1"), "Content-Type": "text/plain"}),
    "no key": ("POST", "/notices", "{}", JSON),
    "no token": ("POST", "/notices", "{}", {**key("k1"), **JSON, "Authorization": ""}),
    "a query": ("POST", "/notices?limit=1", "{}", {**key("k1"), **JSON}),
    "a place that is none": ("POST", "/notices/x/take-down", '{"reason": 1}', {**key("k1"), **JSON}),
    "nothing there": ("POST", f"/notices/{POSTED}/take-down", '{"reason": "x"}', {**key("k1"), **JSON}),
    "nothing to show": ("GET", f"/notices/{POSTED}", "", {}),
    "another method": ("PUT", "/notices", "{}", {**key("k1"), **JSON}),
}


class TestBothWays:
    """Two towns of the same people, one of which answers everything by FastAPI."""

    @pytest.fixture
    async def ways(self, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[httpx2.AsyncClient]]:
        towns = [Town(tmp_path_factory.mktemp(name), 0.0) for name in ("straight", "fastapi")]
        towns[1].app.straight = None
        clients = [town.client() for town in towns]
        yield clients
        for client in clients:
            await client.aclose()

    @pytest.mark.parametrize("name", REQUESTS)
    async def test_refuse_alike(self, ways: list[httpx2.AsyncClient], name: str) -> None:
        method, path, sent, headers = REQUESTS[name]
        answers = [await client.request(method, path, content=sent, headers=headers) for client in ways]
        first, second = ({**answer.json(), "correlation": None} for answer in answers)
        assert first == second
        assert shown(answers[0]) == shown(answers[1])
        assert answers[0].status_code >= 400

    async def test_accept_alike(self, ways: list[httpx2.AsyncClient]) -> None:
        posted = [await client.post("/notices", json=body(), headers=key("k1")) for client in ways]
        assert posted[0].json()["id"] == posted[1].json()["id"]
        assert shown(posted[0]) == shown(posted[1])
        assert posted[0].status_code == 201
        place = f"/notices/{posted[0].json()['id']}"
        assert [(await client.get(place)).json() for client in ways] == [{"title": "停水通知"}] * 2
        down = [
            await client.post(f"{place}/take-down", json={"reason": "x"}, headers=key("k2", If_Match='"1"'))
            for client in ways
        ]
        assert [(answer.status_code, answer.content) for answer in down] == [(204, b"")] * 2
        assert {**shown(down[1]), "content-type": None} == {**shown(down[0]), "content-type": None}

    async def test_log_and_count_alike(self, ways: list[httpx2.AsyncClient]) -> None:
        for client in ways:
            await client.post("/notices", json=body(organ=f"{TOWN}.x"), headers=key("k1"))
        told = [(await client.get("/metrics")).text for client in ways]
        assert all('action="post_notice",status="422"} 1.0' in text for text in told)

    async def test_a_caller_that_goes_away_is_told_nothing(self, town: Town) -> None:
        headers = {**town.bearer(), **key("k1"), **JSON}
        request: Scope = {
            **scope("POST", "/notices"),
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        told: list[Message] = []

        async def gone() -> Message:
            return {"type": "http.disconnect"}

        async def tell(message: Message) -> None:
            told.append(message)

        with capture_logs() as logs:
            await town.app(request, gone, tell)
        assert (told, [line["status"] for line in logs]) == ([], [499])


def shown(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THIS_TIME_ONLY}
