"""The app as a whole: what it refuses to be built from, and what every answer has in common."""

import json
import tomllib
from pathlib import Path

import fastapi
import httpx2
import pytest
from structlog.testing import capture_logs

from tests.unit.web.town import PERMISSIONS, Town, body, key, router
from vocabulary.roles import Permissions
from web.app import VERSION, create_app
from web.messages import Messages
from web.parts import Limits
from web.routing import APIRouter


def build(
    town: Town, permissions: Permissions, *routers: APIRouter, limits: dict[str, Limits] | None = None
) -> fastapi.FastAPI:
    return create_app(
        "town",
        title="Town",
        routers=routers,
        verifier=town.verifier,
        permissions=permissions,
        messages=Messages.load(),
        health=town.health,
        limits=limits,
    )


class TestBuilding:
    def test_fails_for_a_route_nobody_may_use(self, town: Town) -> None:
        table = {name: dict(roles) for name, roles in PERMISSIONS.table["town"].items() if name != "take_down"}
        with pytest.raises(LookupError, match=r"under \[town\] of take_down"):
            build(town, Permissions(table={"town": table, "intake": {"take_down": {}}}), router)

    def test_fails_for_two_routes_of_one_name(self, town: Town) -> None:
        with pytest.raises(ValueError, match="share a name"):
            build(town, PERMISSIONS, router, router)

    def test_fails_for_a_limit_of_no_route(self, town: Town) -> None:
        with pytest.raises(LookupError, match="import_all"):
            build(town, PERMISSIONS, router, limits={"import_all": Limits()})

    def test_fails_for_a_plain_router(self, town: Town) -> None:
        plain = fastapi.APIRouter()
        plain.add_api_route("/open", lambda: None, name="take_down")
        with pytest.raises(TypeError, match="/open"):
            build(town, PERMISSIONS, plain)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_states_the_version_of_the_distribution(self) -> None:
        project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
        assert project["project"]["version"] == VERSION


class TestAnswers:
    async def test_of_unknown_paths_are_problems(self, clerk: httpx2.AsyncClient) -> None:
        for path in ("/nowhere", "/notices/", "/development/clock"):
            answer = await clerk.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        answer = await clerk.delete("/notices")
        assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
        assert set(answer.headers["allow"].split(", ")) & {"GET", "POST"}

    async def test_of_an_unexpected_error_tell_nothing(self, clerk: httpx2.AsyncClient) -> None:
        with capture_logs() as logs:
            answer = await clerk.post("/notices/break", json=body(title="canary-99"), headers=key("k1"))
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "canary-99" not in answer.text + json.dumps(logs)
        assert logs[0]["error"] == ["RuntimeError"]
        assert logs[0]["at"][-1].endswith("fall_over")

    async def test_of_a_lost_database_ask_for_patience(self, clerk: httpx2.AsyncClient) -> None:
        with capture_logs() as logs:
            answer = await clerk.post("/notices/break", json=body(title="gone"), headers=key("k1"))
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert [(line["event"], line.get("error")) for line in logs] == [
            ("unreachable", ["ConnectionRefusedError"]),
            ("request", None),
        ]

    async def test_are_logged_in_one_line_without_words(self, clerk: httpx2.AsyncClient) -> None:
        with capture_logs() as logs:
            await clerk.get("/notices?division=620724100&limit=2")
            await clerk.get("/secret-path")
            await clerk.get("/health/live")
        assert [{name: value for name, value in line.items() if name not in {"ms", "log_level"}} for line in logs] == [
            {"event": "request", "method": "GET", "route": "/notices", "status": 200, "actor": "clerk-1"},
            {"event": "request", "method": "GET", "route": "-", "status": 404, "actor": None},
        ]

    async def test_carry_a_correlation_of_ours_or_a_proper_one(self, clerk: httpx2.AsyncClient) -> None:
        given = "01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11"
        for sent, kept in ((given, True), ("x\ty", False), ("zzzzzzzz-7a52-7c3a-9f0d-6f2f1b6f0a11", False)):
            answer = await clerk.get("/nowhere", headers={"X-Correlation-Id": sent})
            assert (answer.headers["x-correlation-id"] == sent) is kept
            assert answer.json()["correlation"] == answer.headers["x-correlation-id"]

    async def test_of_two_hosts_are_none(self, clerk: httpx2.AsyncClient) -> None:
        answer = await clerk.get("/health/live", headers=[("Host", "town"), ("Host", "elsewhere")])
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")

    async def test_are_never_stored_on_the_way(self, clerk: httpx2.AsyncClient) -> None:
        answer = await clerk.get("/notices")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_speak_the_callers_language(self, town: Town) -> None:
        for accept, title, language in (
            ("", "没有找到。", "zh-CN"),
            ("zh-Hans-CN, en;q=0.8", "没有找到。", "zh-CN"),
            ("en-GB,en;q=0.9", "There is no such thing.", "en"),
            ("fr, en;q=0.5, zh;q=0.4", "There is no such thing.", "en"),
            ("tlh;q=0.9, *", "没有找到。", "zh-CN"),
            (';;q=9,,"', "没有找到。", "zh-CN"),
        ):
            async with town.client(accept=accept) as client:
                answer = await client.get("/nowhere")
            assert (answer.json()["title"], answer.headers["content-language"]) == (title, language)
