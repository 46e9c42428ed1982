"""Matters on their whole way through real servers, each ending in reporting's figures and the facts behind them."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from deploy.local.person import Refused
from deploy.sample.town import Town
from services.reporting.fact_store.figures import amount, facts_behind
from services.reporting.fact_store.question import Positions, Question
from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import Count
from tests.system.towns import NewTown
from vocabulary.calendar import SHANGHAI

TODAY = datetime.now(SHANGHAI).date()
SOON = TODAY + timedelta(days=20)


@pytest.fixture
async def here(town: NewTown) -> Town:
    """A town nobody else in these tests speaks of, with a committee in its village."""
    here = await town()
    await here.establish_committee(here.village, "某村协商议事委员会", size=7)
    return here


async def values(town: Town) -> Mapping[str, Any]:
    """Today's figures by slug, after proving that every one of them is its facts."""
    figures = await town.figures(TODAY, TODAY)
    for figure in figures.values():
        if figure["value"]:
            await prove(town, figure)
    return {slug: figure["value"] for slug, figure in figures.items()}


async def prove(town: Town, figure: Mapping[str, Any]) -> None:
    """A count lists exactly its facts, each value of its breakdown too; a rate links both its terms."""
    if figure["kind"] == "rate":
        numerator, denominator = figure["numerator"], figure["denominator"]
        listed = len(await facts(town, denominator["facts"]))
        assert (listed > 0) == (denominator["value"] > 0)
        if figure["value"] is not None:
            assert figure["value"] == round(numerator["value"] / denominator["value"], 4)
        return
    listed = len(await facts(town, figure["facts"]))
    assert (listed > 0) == (figure["value"] > 0)
    if figure["unit"] != "person":
        assert listed == figure["value"]
    assert figure["value"] == sum(part["value"] for part in figure["by"].values()) or not figure["by"]
    for part in figure["by"].values():
        assert await facts(town, part["facts"])


async def facts(town: Town, link: str) -> list[Mapping[str, Any]]:
    """Follow a figure's link to the last page."""
    found: list[Mapping[str, Any]] = []
    page: Mapping[str, Any] = {"next": None}
    while True:
        cursor = f"&cursor={page['next']}" if page["next"] else ""
        page = (await town.reader.get("reporting", f"{link}&limit=3{cursor}")).json()
        found += page["items"]
        if page["next"] is None:
            return found


async def deliberated(town: Town, dispute: str | None = None) -> tuple[str, str]:
    """An issue out of a submission, on its way to a deliberation; their ids."""
    said = await town.receive("路不好走。", name="周大山")
    issue = await town.raise_issue("村道硬化", "rural-construction", [said], dispute)
    await town.approve(issue, "D05")
    return issue, await town.route(issue, "deliberation")


async def mediated(town: Town) -> tuple[str, str]:
    """A dispute on its way to mediation; the issue's and the case's ids."""
    said = await town.receive("邻居占了我的地。", name="冯土生")
    issue = await town.raise_issue("宅基地界", "conflict-mediation", [said], "homestead-house")
    await town.approve(issue, "D09")
    return issue, await town.route(issue, "mediation")


async def status(town: Town, service: str, path: str) -> str:
    person = town.director if service == "mediation" else town.clerk
    return str((await person.get(service, path)).json()["status"])


async def test_deliberated_and_kept(here: Town) -> None:
    issue, deliberation = await deliberated(here)
    await here.convener.post("deliberation", f"/deliberations/{deliberation}/open")
    session = await here.hold_session(deliberation, {"三社": "要修。", "沿路": "让地。"})
    [road] = await here.adopt(deliberation, session, "修路。", {"铺路面": SOON})
    assert (await values(here))["commitments-closed"] == 0
    await here.keep(road, "已验收。")
    await here.rest()
    await here.rate(deliberation, ["very-satisfied", "satisfied", "satisfied", "satisfied", "dissatisfied"], 10)
    await here.answer(issue)
    assert await status(here, "intake", f"/issues/{issue}") == "closed"
    told = await values(here)
    expected = {
        "opinions-collected": 1,
        "key-issues": 1,
        "issues-admitted": 1,
        "micro-consultations": 1,
        "sessions": 1,
        "outcomes-submitted": 1,
        "adoption-rate": 1.0,
        "commitments-closed": 1,
        "disputes-resolved": 0,
        "satisfaction-rate": 0.8,
        "participation-rate": 0.5,
        "committees": 1,
    }
    assert {slug: told[slug] for slug in expected} == expected


async def test_deliberated_and_declined(here: Town) -> None:
    issue, deliberation = await deliberated(here)
    await here.convener.post("deliberation", f"/deliberations/{deliberation}/decline", {"reason": "应由部门办理"})
    await here.rest()
    assert await status(here, "intake", f"/issues/{issue}") == "approved"
    await here.route(issue, "department")
    await here.clerk.post("intake", f"/issues/{issue}/reply", {"reply": "已列入计划。"})
    await here.answer(issue)
    told = await values(here)
    assert (told["key-issues"], told["sessions"], told["issue-closure-rate"]) == (1, 0, 1.0)


async def test_a_village_without_a_committee_declines_by_itself(town: NewTown) -> None:
    bare = await town()
    issue, deliberation = await deliberated(bare)
    await bare.rest()
    assert await status(bare, "deliberation", f"/deliberations/{deliberation}") == "declined"
    assert await status(bare, "intake", f"/issues/{issue}") == "approved"
    assert (await values(bare))["committees"] == 0


async def test_a_dispute_is_settled_in_deliberation(here: Town) -> None:
    _, deliberation = await deliberated(here, dispute="land-forest-water")
    await here.convener.post("deliberation", f"/deliberations/{deliberation}/open")
    session = await here.hold_session(deliberation, {"上游": "错峰。", "下游": "同意。"}, "dialogue")
    await here.adopt(deliberation, session, "轮灌。", {})
    told = await values(here)
    assert (told["disputes-resolved"], told["disputes-accepted"]) == (1, 0)


async def test_mediated_and_settled(here: Town) -> None:
    issue, case = await mediated(here)
    await here.begin_mediation(case, "冯土生", "何有田")
    await here.agree(case, "埋设界桩。", SOON)
    await here.mediator.post("mediation", f"/cases/{case}/performance", {})
    await here.mediator.post("mediation", f"/cases/{case}/close")
    await here.answer(issue)
    told = await values(here)
    expected = {
        "disputes-resolved": 1,
        "disputes-accepted": 1,
        "mediation-success-rate": 1.0,
        "issue-closure-rate": 1.0,
    }
    assert {slug: told[slug] for slug in expected} == expected


async def test_mediation_is_refused_by_a_party(here: Town) -> None:
    issue, case = await mediated(here)
    _, neighbour = await here.seat_parties(case, "冯土生", "何有田")
    await here.consent(case, neighbour, given=False)
    await here.rest()
    assert await status(here, "mediation", f"/cases/{case}") == "declined"
    assert await status(here, "intake", f"/issues/{issue}") == "approved"
    told = await values(here)
    assert (told["disputes-resolved"], told["disputes-accepted"], told["mediation-success-rate"]) == (0, 0, None)


async def test_a_breach_takes_a_settlement_back(here: Town) -> None:
    _, case = await mediated(here)
    await here.begin_mediation(case, "冯土生", "何有田")
    await here.agree(case, "埋设界桩。", SOON)
    assert (await values(here))["disputes-resolved"] == 1
    await here.mediator.post("mediation", f"/cases/{case}/breach")
    assert (await values(here))["disputes-resolved"] == 0
    await here.mediator.post("mediation", f"/cases/{case}/performance", {})
    assert (await values(here))["disputes-resolved"] == 1


@pytest.mark.parametrize("route", ["deliberation", "mediation", "direct-handling"])
async def test_withdrawn_after_routing(here: Town, route: str) -> None:
    said = await here.receive("渠水漫到地里。", name="高长河")
    issue = await here.raise_issue("渠道漫水", "environment", [said], "land-forest-water")
    await here.approve(issue, "D06")
    answering = await here.route(issue, route)
    await here.clerk.post("intake", f"/issues/{issue}/withdraw", {"reason": "已自行解决"})
    await here.rest()
    ended = {
        "deliberation": ("deliberation", "deliberations", "cancelled"),
        "mediation": ("mediation", "cases", "terminated"),
        "direct-handling": ("deliberation", "commitments", "cancelled"),
    }
    service, kind, end = ended[route]
    assert await status(here, service, f"/{kind}/{answering}") == end
    told = await values(here)
    assert (told["opinions-collected"], told["key-issues"]) == (1, 0)


async def test_direct_handling_resolves_the_issue(here: Town) -> None:
    said = await here.receive("路灯坏了。")
    issue = await here.raise_issue("路灯", "livelihood", [said])
    await here.approve(issue, "D07")
    promise = await here.route(issue, "direct-handling")
    await here.villager.post("deliberation", f"/commitments/{promise}/complete", {"proof": "已换灯头。"})
    await here.supervisor.post("deliberation", f"/commitments/{promise}/verify")
    await here.answer(issue)
    told = await values(here)
    assert (told["commitments-closed"], told["issue-closure-rate"]) == (1, 1.0)


async def test_taking_any_fact_away_changes_its_figure(here: Town) -> None:
    issue, deliberation = await deliberated(here)
    await here.convener.post("deliberation", f"/deliberations/{deliberation}/open")
    session = await here.hold_session(deliberation, {"三社": "要修。"})
    [road] = await here.adopt(deliberation, session, "修路。", {"铺路面": SOON})
    await here.keep(road, "已验收。")
    await here.answer(issue)
    _, case = await mediated(here)
    await here.begin_mediation(case, "冯土生", "何有田")
    await here.agree(case, "埋设界桩。", SOON)
    await here.figures(TODAY, TODAY)  # reporting has seen it all
    everything = Positions(intake=10**15, deliberation=10**15, mediation=10**15)
    question = Question(tenant=here.code[:6], division=here.code, first=TODAY, last=TODAY, at=everything)
    taken = 0
    connection = await asyncpg.connect(here.endpoints.postgres_dsns["reporting"])
    for count in (one for one in INDICATORS if isinstance(one, Count)):
        whole = (await amount(connection, count, question)).value
        for fact in await facts_behind(connection, count, question, limit=50):
            with suppress(_Undo):
                async with connection.transaction():
                    await connection.execute("delete from facts where fact_id = $1", fact.fact_id)
                    assert (await amount(connection, count, question)).value < whole, (count.slug, fact.name)
                    taken += 1
                    raise _Undo
    await connection.close()
    assert taken > 20


class _Undo(Exception):
    """Rolls a trial back."""


async def test_another_towns_matters_are_neither_shown_nor_touched(here: Town, town: NewTown) -> None:
    there = await town()
    mine = await here.receive("路灯坏了。")
    with pytest.raises(Refused) as refused:
        await there.clerk.get("intake", f"/submissions/{mine}")
    assert (refused.value.status, refused.value.code) == (404, "not-found")
    assert (await there.figures(TODAY, TODAY))["opinions-collected"]["value"] == 0
