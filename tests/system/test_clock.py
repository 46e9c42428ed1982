"""A year in minutes: the clocks of all services move together, and what falls due happens on its day, once."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from deploy.local.clock import move
from deploy.local.platform import running
from deploy.local.settings import Settings
from deploy.sample.town import Town
from vocabulary.calendar import SHANGHAI, end_of_day

CODE = "620724899"


@pytest.fixture
async def town(open_directory: Path) -> AsyncGenerator[Town]:
    """A town on a platform of its own: nobody else's clock is moved."""
    async with (
        running(Settings(home=open_directory / "clock"), print) as platform,
        Town(platform.endpoints, platform.issuer, CODE, f"{CODE}701") as town,
    ):
        await town.register("高台县", "某镇", {town.village: "某村"})
        yield town


async def recorded(town: Town, service: str, name: str) -> list[asyncpg.Record]:
    """When facts of a name occurred, by a service's own log."""
    connection = await asyncpg.connect(town.endpoints.postgres_dsns[service])
    rows = await connection.fetch(
        "select occurred_at, actor from eventlog.facts where name = $1 order by position", name
    )
    await connection.close()
    return rows


async def test_what_falls_due_happens_on_its_day(town: Town) -> None:
    today = datetime.now(SHANGHAI).date()
    case = await town.open_case("工钱", "labour")
    await town.begin_mediation(case, "许长工", "贾老板")
    await town.agree(case, "十日内付清。", today + timedelta(days=10))
    issue = await town.raise_issue("路灯", "livelihood")
    await town.approve(issue, "D07")
    promise = await town.route(issue, "direct-handling")
    due = datetime.fromisoformat((await town.convener.get("deliberation", f"/commitments/{promise}")).json()["due"])

    await move(town.endpoints.services, end_of_day(today + timedelta(days=9)))
    assert await recorded(town, "mediation", "case-performance-overdue") == []

    await move(town.endpoints.services, end_of_day(today + timedelta(days=11)))
    [overdue] = await recorded(town, "mediation", "case-performance-overdue")
    assert overdue["occurred_at"] - end_of_day(today + timedelta(days=10)) < timedelta(seconds=1)
    assert await recorded(town, "deliberation", "commitment-deadline-missed") == []

    await move(town.endpoints.services, due + timedelta(days=3))
    [missed] = await recorded(town, "deliberation", "commitment-deadline-missed")
    assert (missed["occurred_at"], missed["actor"]) == (due, "timer")

    # It had been done in time and is only recorded now: the late record revokes the miss.
    done = {"proof": "已换灯头。", "done_at": (due - timedelta(days=1)).isoformat()}
    await town.villager.post("deliberation", f"/commitments/{promise}/complete", done)
    await town.rest()
    assert len(await recorded(town, "deliberation", "commitment-miss-revoked")) == 1
    assert len(await recorded(town, "mediation", "case-performance-overdue")) == 1
