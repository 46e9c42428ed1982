"""A person and a published text are erased on a whole platform: nothing opens them, nothing else is missing."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.changing_secrets import keys_of
from deploy.local.endpoints import Endpoints
from deploy.local.person import Person
from deploy.local.platform import OWNER, Platform
from deploy.local.rest import at_rest
from deploy.sample.town import Town, person_id
from eventlog.keys import PostgresKeys
from eventlog.rotation import share_again
from eventlog.sealed import Clear, Erased, Sealed
from eventlog.wrapping import SecretFile
from services.reporting import admin
from tests.system.copies import agree, fetch, records
from tests.system.processes import until
from tests.system.towns import COUNTY, NewTown
from vocabulary.calendar import SHANGHAI

PROGRAM = Path(sys.executable).with_name("shangyi")
WRITERS = ("intake", "deliberation", "mediation")
TODAY = datetime.now(SHANGHAI).date()
NAME, PHONE, PLACE = "柯南鸟", "13955577713", "金丝雀巷九号"
WORDS, STATEMENT, CASE = "金丝雀说路灯坏了", "金丝雀说让地半米", "金丝雀家院墙占地"
OF_THE_PERSON = (NAME, PHONE, PLACE, WORDS)
HEADLINE = "金丝雀渠口漫水"
KEY_TOPIC = "shangyi.intake.keys"
COMPACTED = 180.0  # seconds in which a key that was taken back is gone from the broker's files


@dataclass(frozen=True)
class Story:
    """What was said, by whom, and where it went. ``text``: the headline's id; ``other`` stays as it is.

    ``director``: of the village's own mediation, who is shown names.
    """

    town: Town
    director: Person
    subject: UUID
    speaker: UUID
    case: UUID
    issue: UUID
    text: UUID
    other: UUID


@pytest.fixture
async def story(platform: Platform, town: NewTown) -> AsyncGenerator[Story]:
    here = await town()
    await here.establish_committee(here.village, "某村协商议事委员会", size=7)
    said = await here.receive(WORDS, name=NAME, phone=PHONE, place=PLACE)
    subject = (await here.clerk.get("intake", f"/submissions/{said}")).json()["subject"]
    issue = await here.raise_issue(HEADLINE, "environment", [said])
    other = await here.raise_issue("无关的路灯", "livelihood")
    await here.approve(issue, "D06")
    deliberation = await here.route(issue, "deliberation")
    await here.convener.post("deliberation", f"/deliberations/{deliberation}/open")
    await here.hold_session(deliberation, {"上游": STATEMENT})
    case = await here.open_case(CASE, "neighbour")
    await here.director.post("mediation", f"/cases/{case}/parties", {"name": NAME, "person": subject})
    await here.rest()
    text = (await here.clerk.get("intake", f"/issues/{issue}")).json()["headline_id"]
    speaker = person_id(f"{deliberation}-上游")
    async with Person(
        platform.endpoints, platform.issuer, "village-director", {"mediation-director": here.village}
    ) as director:
        yield Story(here, director, *(UUID(one) for one in (subject, speaker, case, issue, text, other)))


async def test_erased_for_good_and_nothing_else_missing(platform: Platform, story: Story) -> None:
    endpoints, town = platform.endpoints, story.town
    figures = await town.figures(TODAY, TODAY)
    opened = await opened_by_a_new_process(platform)
    assert {*OF_THE_PERSON, STATEMENT, CASE, HEADLINE} <= opened
    assert await searched(town, "渠口") == [str(story.issue)]
    assert await names_shown(story) == [NAME]
    seen = {*await in_clear(platform, (str(story.issue),))}  # the search itself finds what does stand in clear
    assert {"shangyi_intake.facts", "shangyi_reporting.issues", "shangyi.intake"} <= seen
    assert await in_clear(platform, (*OF_THE_PERSON, STATEMENT, CASE)) == []
    assert await in_clear(platform, (HEADLINE,)) == ["shangyi_reporting.texts"]
    assert in_files(platform.home.postgres.resolve(), (HEADLINE,)) != []
    assert in_files(platform.home.postgres.resolve(), (*OF_THE_PERSON, STATEMENT, CASE)) == []

    for subject in (story.subject, story.speaker, story.case):
        assert "erased" in await shangyi(platform, "erase", str(subject), "--county", COUNTY)
    told = await shangyi(platform, "erase", "--text", str(story.text), "--county", COUNTY, "--reason", "unlawful")
    assert [line.split()[-1] for line in told.splitlines()[:3]] == ["erased", "sealed", "sealed"]
    await at_rest(endpoints.services)
    await until(lambda: nothing_is_searched(town, "渠口"), 10)

    opened = await opened_by_a_new_process(platform)
    assert opened.isdisjoint({*OF_THE_PERSON, STATEMENT, CASE, HEADLINE})
    assert "无关的路灯" in opened
    assert await names_shown(story) == ["[已删除]"]
    shown = (await town.clerk.get("intake", f"/issues/{story.issue}")).json()
    assert (shown["headline"], shown["status"]) == ("[已删除]", "routed")
    listed = {issue["issue_id"]: issue for issue in await issues(town)}
    assert [listed[str(story.issue)][field] for field in ("headline", "headline_state")] == ["[已删除]", "erased"]
    assert listed[str(story.other)]["headline"] == "无关的路灯"
    assert await in_clear(platform, (*OF_THE_PERSON, STATEMENT, CASE, HEADLINE)) == []
    assert values(await town.figures(TODAY, TODAY)) == values(figures)
    for service in WRITERS:
        await agree(endpoints, service)
    async with asyncpg.create_pool(endpoints.postgres_dsns["reporting"], min_size=0) as pool:
        assert await admin.verify(pool) is None
    erased = "select actor, data ->> 'reason' as why from eventlog.facts where name = 'subject-erased' and stream = $1"
    for service in WRITERS:
        [row] = await fetch(endpoints.postgres_dsns[service], erased, f"erasure/{story.subject}")
        assert tuple(row) == ("operator", "asked")


async def test_a_key_is_gone_from_the_brokers_files_and_does_not_come_back(platform: Platform, story: Story) -> None:
    data = platform.home.kafka
    [wrapped] = [r.value for r in await records(platform.endpoints, KEY_TOPIC) if names(r, story.text)]
    await until(lambda: lies_in(data, wrapped), 10)
    await shangyi(platform, "erase", "--text", str(story.text), "--county", COUNTY)
    await at_rest(platform.endpoints.services)
    await until(lambda: lies_nowhere_in(data, wrapped), COMPACTED)
    async with keys_of(platform.endpoints) as pools:
        for pool in pools:
            await share_again(pool)
    await at_rest(platform.endpoints.services)
    said = await records(platform.endpoints, KEY_TOPIC)
    assert {r.value for r in said if names(r, story.text)} == {None}
    assert any(r.value is not None for r in said)
    listed = {issue["issue_id"]: issue["headline"] for issue in await issues(story.town)}
    assert [listed[str(one)] for one in (story.issue, story.other)] == ["[已删除]", "无关的路灯"]


async def test_what_is_done_again_or_asked_wrongly_is_told(platform: Platform, story: Story) -> None:
    await shangyi(platform, "erase", str(story.subject), "--county", COUNTY)
    assert "erased" in await shangyi(platform, "erase", str(story.subject), "--county", COUNTY)
    nobody = str(uuid4())
    assert "has ever sealed anything" in await shangyi(platform, "erase", nobody, "--county", COUNTY, code=1)
    assert "has ever sealed anything" in await shangyi(platform, "erase", "--text", nobody, "--county", COUNTY, code=1)
    assert "has ever sealed" in await shangyi(platform, "erase", str(story.subject), "--county", "620725", code=1)
    assert "no county" in await shangyi(platform, "erase", nobody, "--county", "62072", code=1)
    assert "Name a subject" in await shangyi(platform, "erase", "--county", COUNTY, code=1)


@pytest.mark.parametrize("which", [(), ("--sharing",)], ids=["master", "sharing"])
async def test_a_secret_is_changed_while_everything_goes_on(
    platform: Platform, story: Story, which: Sequence[str]
) -> None:
    town = story.town
    done = 0

    async def work() -> None:
        """Seal, publish and open, one after another; what is refused ends the test."""
        nonlocal done
        while True:
            await town.receive("路不好走。", name="周大山")
            await town.clerk.post(
                "intake", "/issues", {"organ": town.village_organ, "headline": f"第{done}件", "category": "livelihood"}
            )
            shown = (await town.clerk.get("intake", f"/issues/{story.issue}")).json()["headline"]
            [listed] = [issue for issue in await issues(town) if issue["issue_id"] == str(story.issue)]
            assert (shown, listed["headline"], await names_shown(story)) == (HEADLINE, HEADLINE, [NAME])
            done += 1

    async with going_on(work):
        before = await shangyi(platform, "keys", "status", *which)
        assert "keys moved" in await shangyi(platform, "keys", "rotate", *which)
        changed = done
        assert "is gone" in await shangyi(platform, "keys", "retire", *which)
        after = await shangyi(platform, "keys", "status", *which)
        await until(lambda: truth(done > changed), 60)
    assert secrets_in(before).isdisjoint(secrets_in(after))
    assert (len(secrets_in(before)), len(secrets_in(after))) == (1, 1)
    await at_rest(platform.endpoints.services)
    assert {NAME, WORDS, HEADLINE, f"第{done - 1}件"} <= await opened_by_a_new_process(platform)
    assert len(await searched(town, "第")) >= done


async def shangyi(platform: Platform, *words: str, code: int = 0) -> str:
    """Run a command of an operator of this platform."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "SHANGYI_HOME": str(platform.home.path), "COLUMNS": "200"},
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == code, said.decode()
    return said.decode()


@asynccontextmanager
async def going_on(work: Any) -> AsyncGenerator[None]:
    """Do something all the while; raises what went wrong with it."""
    task = asyncio.create_task(work())
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def issues(town: Town, **params: str) -> Sequence[Mapping[str, Any]]:
    asked = {"division": town.code, "limit": 200, **params}
    found: list[Mapping[str, Any]] = []
    while True:
        page = (await town.reader.get("reporting", "/issues", asked)).json()
        found += page["items"]
        if page["next"] is None:
            return found
        asked["cursor"] = page["next"]


async def searched(town: Town, words: str) -> list[str]:
    return [issue["issue_id"] for issue in await issues(town, words=words)]


async def nothing_is_searched(town: Town, words: str) -> bool:
    return await searched(town, words) == []


async def names_shown(story: Story) -> list[str]:
    """What mediation shows of the parties' names to those who may see them."""
    shown = (await story.director.get("mediation", f"/cases/{story.case}")).json()
    return [party["name"] for party in shown["parties"]]


def values(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    return {slug: figure["value"] for slug, figure in figures.items()}


async def opened_by_a_new_process(platform: Platform) -> set[str]:
    """Every text that anybody with all databases and the master can open, out of every fact of every log."""
    found: set[str] = set()
    master = SecretFile(platform.home.keys / "master.key")
    for service in WRITERS:
        rows = await fetch(platform.endpoints.postgres_dsns[service], "select tenant, data::text from eventlog.facts")
        async with asyncpg.create_pool(platform.endpoints.postgres_dsns[f"{service}-keys"], min_size=0) as pool:
            keys = PostgresKeys(pool, master)
            for row in rows:
                for opened in await keys.open_many(row["tenant"], sealed_in(row["data"])):
                    assert isinstance(opened, Clear | Erased) or service != "intake", "intake opens all that it has"
                    if isinstance(opened, Clear):
                        found.add(opened.text)
    return found


def sealed_in(text: str) -> Sequence[Sealed[str]]:
    """Every sealed value in a fact's JSON, however deep."""
    found: list[Sealed[str]] = []

    def look(part: dict[str, Any]) -> dict[str, Any]:
        if part.keys() == {"key_id", "kind", "ciphertext"}:
            found.append(Sealed[str].model_validate_json(json.dumps(part)))
        return part

    json.loads(text, object_hook=look)
    return found


async def in_clear(platform: Platform, canaries: Sequence[str]) -> list[str]:
    """Where a canary stands: tables of all databases, records of all topics, log files."""
    dsns = [as_owner(platform, dsn) for dsn in platform.endpoints.postgres_dsns.values()]
    found = [place for dsn in dsns for place in await in_tables(dsn, canaries)]
    found += [
        topic for topic in await topics(platform.endpoints) if await in_topic(platform.endpoints, topic, canaries)
    ]
    return found + in_files(platform.home.logs, canaries) + in_files(platform.home.kafka, canaries)


def as_owner(platform: Platform, dsn: str) -> str:
    """The same database for the role that everything in it belongs to."""
    parts = urlsplit(dsn)
    password = quote(platform.home.secret("database-owner"), safe="")
    return parts._replace(netloc=f"{OWNER}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


async def in_tables(dsn: str, canaries: Sequence[str]) -> list[str]:
    name = dsn.rpartition("/")[2]
    tables = await fetch(
        dsn,
        """select format('%I.%I', schemaname, tablename) as whole, tablename from pg_tables
           where schemaname not in ('pg_catalog', 'information_schema')""",
    )
    assert tables
    found: list[str] = []
    for table in tables:
        # A table's name comes from the catalogue. A canary could also lie in bytes, which are written as hex.
        query = f"""select exists (select from {table["whole"]} t
                                   where t::text like any (array(select '%' || c || '%' from unnest($1::text[]) c)))"""  # noqa: S608
        asked = [*canaries, *(canary.encode().hex() for canary in canaries)]
        [row] = await fetch(dsn, query, asked)
        if row[0]:
            found.append(f"{name}.{table['tablename']}")
    return found


async def topics(endpoints: Endpoints) -> Sequence[str]:
    consumer: Any = AIOKafkaConsumer(bootstrap_servers=endpoints.kafka_bootstrap)
    await consumer.start()
    try:
        found = sorted(topic for topic in await consumer.topics() if topic.startswith("shangyi."))
    finally:
        await consumer.stop()
    assert {f"shangyi.{service}{kind}" for service in WRITERS for kind in ("", ".keys")} <= {*found}
    return found


async def in_topic(endpoints: Endpoints, topic: str, canaries: Sequence[str]) -> bool:
    said = [part for r in await records(endpoints, topic) for part in (r.key, r.value, *(v for _, v in r.headers))]
    return any(canary.encode() in part for part in said if part for canary in canaries)


def in_files(directory: Path, canaries: Sequence[str]) -> list[str]:
    return [
        str(file.relative_to(directory))
        for file in files_of(directory)
        if any(canary.encode() in content_of(file) for canary in canaries)
    ]


def files_of(directory: Path) -> list[Path]:
    found = [file for file in directory.rglob("*") if file.is_file()]
    assert found
    return found


def content_of(file: Path) -> bytes:
    """What a file holds; nothing once it is gone, as a server's files come and go while we look."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


async def lies_in(directory: Path, what: bytes) -> bool:
    return any(what in content_of(file) for file in files_of(directory))


async def lies_nowhere_in(directory: Path, what: bytes) -> bool:
    await asyncio.sleep(1)  # the files are many
    return not await lies_in(directory, what)


def names(record: Any, text: UUID) -> bool:
    return bool(record.key.decode().endswith(str(text)))


def secrets_in(table: str) -> set[str]:
    """The names of the secrets in the answer of `shangyi keys status`."""
    return {line.split()[0] for line in table.splitlines()[1:] if line.strip()}


async def truth(value: bool) -> bool:
    return value
