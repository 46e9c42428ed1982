"""A county corrects its calendar: what is due moves with it in another service, and falls due on the new day, once."""

from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from deploy.local.clock import move
from deploy.local.platform import running
from deploy.local.settings import Settings
from deploy.sample.town import Town
from vocabulary.calendar import Span, WorkingCalendar, YearTable, day_of, end_of_day, shipped_tables

CODE = "620724898"


@pytest.fixture
async def town(open_directory: Path) -> AsyncGenerator[Town]:
    """A town on a platform of its own: nobody else's calendar and clock are moved."""
    async with (
        running(Settings(home=open_directory / "calendar"), print) as platform,
        Town(platform.endpoints, platform.issuer, CODE, f"{CODE}701") as town,
    ):
        await town.register("高台县", "某镇", {town.village: "某村"})
        yield town


async def promised(town: Town, headline: str) -> str:
    """Hand an issue to direct handling; return the promise's id."""
    issue = await town.raise_issue(headline, "livelihood")
    await town.approve(issue, "D07")
    return await town.route(issue, "direct-handling")


async def due(town: Town, promise: str) -> datetime:
    answer = await town.convener.get("deliberation", f"/commitments/{promise}")
    return datetime.fromisoformat(answer.json()["due"])


async def recorded(town: Town, service: str, name: str) -> list[asyncpg.Record]:
    """Facts of a name, by a service's own log."""
    connection = await asyncpg.connect(town.endpoints.postgres_dsns[service])
    rows = await connection.fetch(
        "select stream, occurred_at, correlation from eventlog.facts where name = $1 order by position", name
    )
    await connection.close()
    return rows


def with_a_day_off(day: date) -> YearTable:
    table = shipped_tables().get(day.year, YearTable(rest=(), work=()))
    return YearTable(rest=(*table.rest, Span(first=day, last=day)), work=tuple(set(table.work) - {day}))


def said(table: YearTable, source: str) -> dict[str, Any]:
    return {**table.model_dump(mode="json"), "source": source}


async def test_a_corrected_calendar_moves_what_is_due(town: Town) -> None:
    promises = [await promised(town, headline) for headline in ("路灯", "水渠")]
    was = await due(town, promises[0])
    day = day_of(was)
    kept = shipped_tables().get(day.year, YearTable(rest=(), work=()))

    await town.registrar.post("intake", "/calendars", {**said(kept, "国办发明电"), "year": day.year})
    await town.rest()
    assert [await due(town, promise) for promise in promises] == [was, was]

    corrected = with_a_day_off(day)
    await town.registrar.post("intake", f"/calendars/{day.year}/correct", said(corrected, "更正"))
    await town.rest()
    calendar = WorkingCalendar.of({**shipped_tables(), day.year: corrected}).in_every_year()
    now = end_of_day(calendar.add_working_days(day, 1))
    assert now > was
    assert [await due(town, promise) for promise in promises] == [now, now]

    [correction] = await recorded(town, "intake", "calendar-corrected")
    asked = {"correction": str(correction["correlation"]), "division": CODE}
    listed = (await town.reader.get("reporting", "/moved-deadlines", asked)).json()["items"]
    assert sorted(row["stream"] for row in listed) == sorted(f"commitment/{promise}" for promise in promises)
    assert {(datetime.fromisoformat(row["was"]), datetime.fromisoformat(row["due"])) for row in listed} == {(was, now)}
    assert {UUID(row["correction"]) for row in listed} == {correction["correlation"]}

    await town.villager.post("deliberation", f"/commitments/{promises[1]}/complete", {"proof": "已清淤。"})
    await move(town.endpoints.services, was + timedelta(hours=1))
    assert await recorded(town, "deliberation", "commitment-deadline-missed") == []
    await move(town.endpoints.services, now + timedelta(days=1))
    [missed] = await recorded(town, "deliberation", "commitment-deadline-missed")
    assert (missed["stream"], missed["occurred_at"]) == (f"commitment/{promises[0]}", now)
