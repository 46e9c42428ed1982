"""A village's issues, from what a clerk enters to the work report, in whatever copy of the house this program runs in.

They are entered over intake's HTTP and read again over reporting's; between the two, the facts are taken in by the very
effects of reporting's consumers, in one transaction. What to enter comes as JSON, what was seen is printed as JSON.
"""

import asyncio
import base64
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from pydantic import BaseModel, JsonValue

from deploy.local.issuer import Grant, Issuer
from eventlog.connections import Pool
from eventlog.facts import Stored
from services.intake import contexts
from services.intake.api import issues
from services.reporting import admin, app
from services.reporting.settings import Settings
from tests.conftest import as_application
from tests.integration.services.reporting.conftest import prepared, take_in
from tests.unit.services.desk import Desk, json_of, open_desk
from vocabulary.calendar import SHANGHAI

COUNTY, VILLAGE = "620724", "620724100701"
PRODUCTION = ("deploy", "eventlog", "facts", "services", "vocabulary", "web")
CLERK = {"role": "village-clerk", "at": "620724100"}
RAISED = {"organ": f"{VILLAGE}.village-committee", "headline": "村口旧桥", "category": "livelihood"}

Steps = Sequence[tuple[str, Mapping[str, JsonValue]]]
"""Commands to one issue: the route's last word, and the body."""


class Told(BaseModel):
    """``issues``: what is entered, by a name for each issue. ``slug``: the figure to open."""

    database: str
    keys: Path
    issues: Mapping[str, Steps]
    slug: str


class Figure(BaseModel):
    """``facts`` are shown as the ids of the issues whose registration they are; ``behind``: for each part of ``by``."""

    value: int
    by: Mapping[str, int]
    facts: Sequence[str]
    behind: Mapping[str, Sequence[str]]
    last_year: int


class Seen(BaseModel):
    """``entered``: the ids of this run's issues, by their names. ``figure`` None: the report has none of that name.

    ``listed``: what the list of issues says of each, by its id. ``verified``: the first row that is not what all facts
    in the store say, read and folded once more. ``strays``: production modules from elsewhere than this copy.
    """

    entered: Mapping[str, str]
    figure: Figure | None
    listed: Mapping[str, Mapping[str, JsonValue]]
    verified: str | None
    strays: Sequence[str]


async def run(told: Told) -> Seen:
    routers = [issues.router]
    messages = Path(contexts.__file__).with_name("messages.toml")
    async with (
        open_desk("intake", messages, routers, contexts.register, told.keys) as intake,
        prepared(told.database) as pool,
    ):
        entered = {name: await enter(intake, steps) for name, steps in told.issues.items()}
        await carry(intake, pool)
        async with reporting(told) as client:
            figure = await opened(client, told.slug)
            listed = (await get(client, "/issues"))["items"]
        return Seen(
            entered=entered,
            figure=figure,
            listed={issue["issue_id"]: issue for issue in listed},
            verified=await admin.verify(pool),
            strays=strays(),
        )


async def enter(intake: Desk, steps: Steps) -> str:
    key = str(json_of(await intake.post("/issues", RAISED, **CLERK))["id"])
    for step, body in steps:
        json_of(await intake.post(f"/issues/{key}/{step}", body, **CLERK))
    return key


async def carry(intake: Desk, pool: Pool) -> None:
    """What the relay and the consumers do, without Kafka between them. The topic goes on where it was."""
    reached = await pool.fetchval("select coalesce(max(position), 0) from facts where service = 'intake'")
    recorded, _ = await intake.log.after(0, 1_000)
    topic: list[Stored] = [replace(fact, position=fact.position + reached) for fact in recorded if fact.published]
    await take_in(pool, {"intake": topic, "deliberation": [], "mediation": []})


@asynccontextmanager
async def reporting(told: Told) -> AsyncGenerator[httpx2.AsyncClient]:
    """Reporting's app, and its county's reporter at the door."""
    secret = told.keys / "sharing"
    secret.write_bytes(base64.b64encode(bytes(32)))
    secret.chmod(0o600)
    issuer = Issuer(told.keys)
    settings = Settings.model_validate(
        {
            "dsn": as_application(told.database),
            "keys_dsn": as_application(told.database),
            "master_key_file": secret,
            "sharing_key_file": secret,
            "kafka_bootstrap": "127.0.0.1:1",
            "oidc_issuer": issuer.issuer,
            "oidc_jwks": str(issuer.jwks),
            "role": "api",
        }
    )
    built = app.build(settings)
    token = issuer.issue("somebody", [Grant(role="county-reporter", at=COUNTY)])
    async with (
        built.router.lifespan_context(built),
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(built),
            base_url="http://reporting",
            headers={"Authorization": f"Bearer {token}"},
        ) as client,
    ):
        yield client


async def opened(client: httpx2.AsyncClient, slug: str) -> Figure | None:
    """The figure of these days, with what its links list."""
    today = datetime.now(SHANGHAI).date()
    days = (today - timedelta(days=1), today + timedelta(days=1))
    found = await figure_of(client, slug, *days)
    before = await figure_of(client, slug, *(day - timedelta(days=365) for day in days))
    if found is None or before is None:
        return None
    return Figure(
        value=found["value"],
        by={value: part["value"] for value, part in found["by"].items()},
        facts=await behind(client, found["facts"]),
        behind={value: await behind(client, part["facts"]) for value, part in found["by"].items()},
        last_year=before["value"],
    )


async def figure_of(client: httpx2.AsyncClient, slug: str, first: date, last: date) -> Any:
    report = await get(client, f"/reports/work?from={first}&to={last}")
    return next((figure for figure in report["figures"] if figure["slug"] == slug), None)


async def behind(client: httpx2.AsyncClient, link: str) -> Sequence[str]:
    """The issues whose registrations a link lists."""
    facts = (await get(client, link))["items"]
    return [fact["stream"].removeprefix("issue/") for fact in facts if fact["name"] == "issue-registered"]


async def get(client: httpx2.AsyncClient, path: str) -> Any:
    return json_of(await client.get(path))


def strays() -> Sequence[str]:
    here = Path.cwd()
    return [
        name
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in PRODUCTION and not Path(str(module.__file__)).is_relative_to(here)
    ]


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(run(Told.model_validate_json(sys.stdin.read()))).model_dump_json())
