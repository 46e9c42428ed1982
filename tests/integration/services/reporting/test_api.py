"""Reporting over HTTP: who may see what, links that list what they say, cursors, and texts that can be erased."""

import base64
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from deploy.local.issuer import Grant, Issuer
from eventlog.connections import Pool
from eventlog.facts import Recorded
from eventlog.kafka import Received
from eventlog.shared_keys import SharedKeys
from eventlog.wrapping import Wrapping
from facts.deliberation.commitment import CommitmentDeadlineMoved
from facts.intake.issue import IssueRegistered
from services.reporting import app
from services.reporting.read_models.search import FollowKeys
from services.reporting.settings import Settings
from tests.conftest import as_application
from tests.integration.services.reporting.sample import COUNTY, KEY, TOWN, VILLAGES, sample

PERIOD = {"from": "2026-01-01", "to": "2026-03-31"}
REPORTER = {"role": "county-reporter", "at": COUNTY}
SHARING = bytes([1]) * 32
FACTS = "/reports/work/figures"
WHERE = {"division": COUNTY, **PERIOD}
AT = "2026-02-01T00:00:00Z"


@dataclass(frozen=True)
class Desk:
    """Reporting's API, and somebody at it."""

    client: httpx2.AsyncClient
    issuer: Issuer
    pool: Pool
    keys: SharedKeys

    async def get(self, path: str, params: Mapping[str, str] | None = None, **headers: str) -> httpx2.Response:
        """Ask as the county's reporter; ``role`` and ``at`` ask as somebody else."""
        grant = Grant(role=headers.pop("role", REPORTER["role"]), at=headers.pop("at", REPORTER["at"]))
        token = self.issuer.issue("somebody", [grant])
        sent = {
            "Authorization": f"Bearer {token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return await self.client.get(path, params=params, headers=sent)

    async def json(self, path: str, params: Mapping[str, str] | None = None, **more: str) -> Any:
        answer = await self.get(path, params, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def listed(self, path: str, limit: int = 200) -> list[Any]:
        """Every item of a list, page after page."""
        items: list[Any] = []
        cursor = ""
        while True:
            page = await self.json(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}")
            assert len(page["items"]) <= limit
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = f"&cursor={page['next']}"


@pytest.fixture(scope="module")
async def desk(shared_database: str, filled: Pool, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Desk]:
    tmp_path = tmp_path_factory.mktemp("reporting")
    for name, secret in (("master", bytes(32)), ("sharing", SHARING)):
        (tmp_path / name).write_bytes(base64.b64encode(secret))
        (tmp_path / name).chmod(0o600)
    issuer = Issuer(tmp_path)
    settings = Settings.model_validate(
        {
            "dsn": as_application(shared_database),
            "keys_dsn": as_application(shared_database),
            "master_key_file": tmp_path / "master",
            "sharing_key_file": tmp_path / "sharing",
            "kafka_bootstrap": "127.0.0.1:1",
            "oidc_issuer": issuer.issuer,
            "oidc_jwks": str(issuer.jwks),
            "role": "api",
        }
    )
    reporting: FastAPI = app.build(settings)
    async with (
        reporting.router.lifespan_context(reporting),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(reporting), base_url="http://reporting") as client,
    ):
        yield Desk(client, issuer, filled, reporting.state.sources.keys)


class TestWorkReport:
    async def test_every_value_is_what_its_link_lists(self, desk: Desk) -> None:
        report = await desk.json("/reports/work", {"division": TOWN, **PERIOD})
        assert (report["division"], report["period"]) == (TOWN, PERIOD)
        for figure in report["figures"]:
            parts = [figure] if figure["kind"] == "count" else [figure["numerator"], figure["denominator"]]
            for part in parts:
                facts = await desk.listed(part["facts"])
                assert len({fact["fact_id"] for fact in facts}) == len(facts)
                if figure["slug"] in ("attendances", "cppcc-attendances") or part["slug"] == "eligible-raters":
                    assert len(facts) <= part["value"]
                else:
                    assert len(facts) == part["value"], part["slug"]
            if by := figure.get("by"):
                assert sum(part["value"] for part in by.values()) == figure["value"]
                for value, part in by.items():
                    assert len(await desk.listed(part["facts"])) == part["value"], (figure["slug"], value)
            if figure["kind"] == "rate" and figure["reason"] is None:
                proportion = figure["numerator"]["value"] / figure["denominator"]["value"]
                assert figure["value"] == round(proportion, 4)
                assert 0 <= figure["value"] <= 1, figure["slug"]

    async def test_names_the_positions_that_give_it_again(self, desk: Desk) -> None:
        report = await desk.json("/reports/work", {"division": COUNTY, **PERIOD})
        again = await desk.json("/reports/work", {"division": COUNTY, "at": report["at"], **PERIOD})
        early = {"division": COUNTY, "at": "intake-300,deliberation-100,mediation-90", **PERIOD}
        assert again == report
        assert (await desk.json("/reports/work", early))["positions"] == {
            "intake": 300,
            "deliberation": 100,
            "mediation": 90,
        }

    async def test_is_of_the_callers_own_division_unless_told(self, desk: Desk) -> None:
        report = await desk.json("/reports/work", PERIOD, role="village-clerk", at=VILLAGES[1])
        assert report["division"] == VILLAGES[1]
        assert report["name"] == f"{VILLAGES[1]}镇村"

    @pytest.mark.parametrize(
        ("params", "status", "code"),
        [
            ({"from": "2026-02-01", "to": "2026-01-31"}, 422, "period-invalid"),
            ({"from": "2026-02-01"}, 422, "invalid-input"),
            ({"from": "2026-02-30", "to": "2026-03-01"}, 422, "invalid-input"),
            ({**PERIOD, "at": "intake-1"}, 400, "at-invalid"),
            ({**PERIOD, "at": "intake-999999,deliberation-0,mediation-0"}, 400, "at-not-reached"),
            ({**PERIOD, "division": "62072"}, 422, "invalid-input"),
            ({**PERIOD, "division": "620725"}, 404, "not-found"),
            ({**PERIOD, "of": "everything"}, 422, "invalid-input"),
        ],
    )
    async def test_refuses(self, desk: Desk, params: Mapping[str, str], status: int, code: str) -> None:
        answer = await desk.get("/reports/work", params)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_is_not_for_other_towns_nor_for_everybody(self, desk: Desk) -> None:
        other = await desk.get("/reports/work", {"division": TOWN, **PERIOD}, role="town-officer", at="620724104")
        resident = await desk.get("/reports/work", {"division": TOWN, **PERIOD}, role="resident", at=TOWN)
        assert (other.status_code, resident.status_code) == (404, 403)

    async def test_waits_for_what_the_caller_did(self, desk: Desk) -> None:
        await desk.pool.execute(
            "insert into eventlog.cursors (consumer, source, position) values ('reporting', 'shangyi.intake', 57)"
        )
        seen = {"division": COUNTY, "after": "intake-57", **PERIOD}
        assert (await desk.get("/reports/work", seen)).status_code == 200

    async def test_is_written_in_both_languages(self, desk: Desk) -> None:
        params = {"division": TOWN, **PERIOD}
        report = await desk.json("/reports/work", params)
        key = next(figure["value"] for figure in report["figures"] if figure["slug"] == "key-issues")
        chinese = await desk.get("/reports/work.txt", params)
        english = await desk.get("/reports/work.txt", params, Accept_Language="en")
        asked = await desk.get("/reports/work.txt", {**params, "lang": "en"})
        assert chinese.headers["content-type"] == "text/plain; charset=utf-8"
        assert f"重点问题{key}件" in chinese.text
        assert f"{key} key issue" in english.text
        assert asked.text == english.text

    async def test_is_a_page_to_print(self, desk: Desk) -> None:
        params = {"division": TOWN, **PERIOD}
        text = await desk.get("/reports/work.txt", params)
        html = await desk.get("/reports/work.html", params)
        assert html.headers["content-type"] == "text/html; charset=utf-8"
        for paragraph in filter(None, text.text.split("\n")):
            assert escape(paragraph) in html.text

    async def test_names_the_documents_that_were_issued(self, desk: Desk) -> None:
        text = await desk.get("/reports/work.txt", {"division": TOWN, **PERIOD})
        assert "制定印发《实施方案》等文件" in text.text


class TestFigureFacts:
    async def test_come_in_pages_that_leave_nothing_out(self, desk: Desk) -> None:
        report = await desk.json("/reports/work", {"division": COUNTY, **PERIOD})
        link = next(figure["facts"] for figure in report["figures"] if figure["slug"] == "opinions-collected")
        assert await desk.listed(link, limit=3) == await desk.listed(link)

    async def test_show_envelopes_without_words_or_actors(self, desk: Desk) -> None:
        [first, *_] = (await desk.json(f"{FACTS}/key-issues/facts", WHERE))["items"]
        assert first["name"] == "issue-registered"
        assert "data" not in first
        assert "actor" not in first

    @pytest.mark.parametrize(
        ("path", "more", "status", "code"),
        [
            ("unknown", {}, 404, "not-found"),
            ("cadre-meetings", {"by": "x"}, 404, "not-found"),
            ("cadre-meetings", {"term": "numerator"}, 404, "not-found"),
            ("adoption-rate", {}, 422, "term-missing"),
            ("adoption-rate", {"term": "both"}, 422, "invalid-input"),
            ("key-issues", {"cursor": "?"}, 400, "cursor-invalid"),
            ("key-issues", {"limit": "201"}, 422, "invalid-input"),
        ],
    )
    async def test_refuse(self, desk: Desk, path: str, more: Mapping[str, str], status: int, code: str) -> None:
        answer = await desk.get(f"{FACTS}/{path}/facts", {**WHERE, **more})
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_of_too_few_ratings_are_not_told_apart(self, desk: Desk) -> None:
        few = {**WHERE, "from": "2025-01-01", "to": "2025-12-21"}
        figures = (await desk.json("/reports/work", few))["figures"]
        rate = next(figure for figure in figures if figure["slug"] == "satisfaction-rate")
        assert (rate["value"], rate["reason"], rate["numerator"]["value"]) == (None, "too-few", None)
        assert (await desk.get(rate["numerator"]["facts"])).json()["code"] == "figure-untold"
        assert len(await desk.listed(rate["denominator"]["facts"])) == rate["denominator"]["value"] < 5


class TestACraftedCursor:
    @pytest.mark.parametrize("path", ["/issues", "/sessions", "/cases", "/submissions"])
    @pytest.mark.parametrize(
        "place",
        [
            {"at": AT, "key": "\0"},
            {"at": AT, "key": "a" * 65},
            {"at": AT, "key": "' or true --"},
            {"at": "0001-01-01T00:00:00Z", "key": "a"},
            {"at": "9999-12-31T23:59:59Z", "key": "a"},
            {"at": 1e18, "key": "a"},
            {"at": "2026-02-01T00:00:00", "key": "a"},
            {"occurred_at": AT, "service": "intake", "pseq": 1},
        ],
        ids=["nul", "long", "quote", "first year", "last year", "number", "no zone", "of another list"],
    )
    async def test_of_a_list_is_refused(self, desk: Desk, path: str, place: Mapping[str, object]) -> None:
        assert await self.answer(desk, path, place) == (400, "cursor-invalid")

    @pytest.mark.parametrize(
        "place",
        [
            {"occurred_at": AT, "service": "\0", "pseq": 1},
            {"occurred_at": AT, "service": "reporting", "pseq": 1},
            {"occurred_at": AT, "service": "intake", "pseq": 0},
            {"occurred_at": AT, "service": "intake", "pseq": 2**63},
            {"occurred_at": AT, "service": "intake", "pseq": 10**400},
            {"occurred_at": "0001-01-01T00:00:00Z", "service": "intake", "pseq": 1},
            {"occurred_at": "9999-12-31T23:59:59-23:59", "service": "intake", "pseq": 1},
        ],
        ids=["nul", "no such service", "nought", "too large", "huge", "first year", "beyond the last year"],
    )
    async def test_of_facts_is_refused(self, desk: Desk, place: Mapping[str, object]) -> None:
        assert await self.answer(desk, f"{FACTS}/key-issues/facts", place, WHERE) == (400, "cursor-invalid")

    @pytest.mark.parametrize(
        ("path", "place"),
        [
            ("/issues", {"at": AT, "key": COUNTY}),
            (f"{FACTS}/key-issues/facts", {"occurred_at": AT, "service": "intake", "pseq": 2**63 - 1}),
        ],
    )
    async def test_that_names_a_place_is_as_good_as_ours(
        self, desk: Desk, path: str, place: Mapping[str, object]
    ) -> None:
        status, _ = await self.answer(desk, path, place, WHERE if path.startswith(FACTS) else {})
        assert status == 200

    async def answer(
        self, desk: Desk, path: str, place: Mapping[str, object], where: Mapping[str, str] | None = None
    ) -> tuple[int, str | None]:
        cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        answer = await desk.get(path, {**(where or {}), "cursor": cursor})
        return answer.status_code, answer.json().get("code")


class TestLists:
    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("/issues", "issue-registered"),
            ("/sessions", "session-planned"),
            ("/cases", "case-opened"),
            ("/submissions", "submission-received"),
            ("/moved-deadlines", "commitment-deadline-moved"),
        ],
    )
    async def test_hold_each_thing_once_however_they_are_paged(self, desk: Desk, path: str, name: str) -> None:
        there = [fact for facts in sample().topics.values() for fact in facts if fact.name == name]
        rows = await desk.listed(path)
        assert len(rows) == len(there)
        assert await desk.listed(path, limit=7) == rows

    async def test_are_filtered(self, desk: Desk) -> None:
        every = await desk.listed("/issues")
        key = await desk.listed("/issues?key=true&status=closed")
        assert key == [row for row in every if row["key"] and row["status"] == "closed"]
        assert 0 < len(key) < len(every)
        village = await desk.listed(f"/issues?division={VILLAGES[2]}")
        assert village == [row for row in every if row["division"] == VILLAGES[2]]
        matter = await desk.listed(f"/issues?matter={every[0]['matter']}")
        assert matter == every[:1]

    async def test_of_moved_deadlines_say_what_one_correction_moved(self, desk: Desk) -> None:
        moves = [fact for fact in sample().topics["deliberation"] if fact.name == "commitment-deadline-moved"]
        said = moves[0].read().data
        assert isinstance(said, CommitmentDeadlineMoved)
        [row] = await desk.listed(f"/moved-deadlines?correction={moves[0].correlation}")
        assert (row["stream"], row["matter"]) == (str(moves[0].stream), moves[0].matter)
        assert (datetime.fromisoformat(row["was"]), datetime.fromisoformat(row["due"])) == (said.was, said.due)
        assert row["correction"] == str(moves[0].correlation)
        assert await desk.listed(f"/moved-deadlines?correction={uuid4()}") == []
        in_order = [row["moved_at"] for row in await desk.listed("/moved-deadlines", limit=3)]
        assert in_order == sorted(in_order, reverse=True)

    async def test_of_cases_are_not_for_those_who_deliberate(self, desk: Desk) -> None:
        convener = await desk.get("/cases", role="exec-convener", at=TOWN)
        director = await desk.get("/cases", role="mediation-director", at=TOWN)
        assert (convener.status_code, director.status_code) == (403, 200)

    async def test_open_headlines_when_they_are_shown(self, desk: Desk) -> None:
        """Pending until the key is here, clear with it, erased for good after its tombstone."""
        newest = (await desk.json("/issues", {"limit": "1"}))["items"][0]
        assert (newest["headline"], newest["headline_state"]) == ("[…]", "pending")
        registered = next(
            fact.read()
            for fact in sample().topics["intake"]
            if fact.name == "issue-registered" and str(fact.stream) == f"issue/{newest['issue_id']}"
        )
        key_id = headline_key(registered)
        wrapped = Wrapping(SHARING).wrap(COUNTY, key_id, KEY)
        for n, (value, text, state) in enumerate(
            [(wrapped, "村道硬化", "clear"), (None, "[已删除]", "erased")], start=1
        ):
            record = Received(f"{COUNTY}/{key_id}".encode(), value, (("sent", str(n).encode()),), n)
            async with desk.pool.acquire() as connection:
                await desk.keys.take_in("shangyi.intake.keys", [record], connection)
            shown = (await desk.json("/issues", {"limit": "1"}))["items"][0]
            assert (shown["headline"], shown["headline_state"], shown["headline_id"]) == (text, state, str(key_id))
            found = [[newest["issue_id"]], []][n - 1]
            assert await self.found(desk, "村道") == []  # the row may still be there
            await follow(desk)
            assert await self.found(desk, "村道") == found
            assert await self.found(desk, "村口") == []
            assert await self.found(desk, "村道", "county-reporter", COUNTY) == found
            assert await self.found(desk, "村道", "village-clerk", "620724999701") == []

    async def found(self, desk: Desk, words: str, role: str = REPORTER["role"], at: str = COUNTY) -> list[str]:
        page = await desk.json("/issues", {"words": words}, role=role, at=at)
        return [issue["issue_id"] for issue in page["items"]]

    @pytest.mark.parametrize("words", ["", " ", "a" * 201, "一\n二"])
    async def test_are_not_searched_for_what_is_no_line(self, desk: Desk, words: str) -> None:
        assert (await desk.get("/issues", {"words": words})).status_code == 422


async def follow(desk: Desk) -> None:
    """Let the search index act on what came."""
    worker = FollowKeys(desk.pool, desk.keys)
    async with desk.pool.acquire() as connection:
        while await worker.step(connection):
            pass


def headline_key(registered: Recorded[Any]) -> Any:
    data = registered.data
    assert isinstance(data, IssueRegistered)
    return data.details.headline.key_id
