"""Places: towns side by side, each with matters of every kind, and by what anything of theirs would be known."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from deploy.local.issuer import Grant
from deploy.local.platform import Platform
from deploy.sample.town import Town, person_id
from vocabulary.calendar import Span, YearTable, shipped_tables
from vocabulary.roles import Role

UUIDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
MATTERS = re.compile(r"\b[0-9]{6}-[0-9]{8}-[0-9A-Z]{8}\b")
COUNTY_WIDE = {
    Role.SYS_ADMIN,
    Role.RESIDENT,
    Role.HANDLING_UNIT,
    Role.COUNTY_CPPCC,
    Role.COUNTY_REPORTER,
    Role.PRIVACY_OFFICER,
    Role.AUDITOR,
}
"""Roles that reach through the whole county somewhere in the table; all others end where they are held."""


@dataclass
class Place:
    """A town, and whatever is its own: ``ids`` by the parameter that names them in a path; ``word`` is in its texts."""

    town: Town
    word: str
    ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    marks: set[str] = field(default_factory=set[str])

    @property
    def county(self) -> str:
        return self.town.code[:6]

    def own(self, parameter: str, *keys: str) -> None:
        self.ids.setdefault(parameter, []).extend(keys)


def token(platform: Platform, who: str, at: str, roles: Sequence[Role]) -> str:
    """Somebody who holds all of these roles at one place."""
    return platform.issuer.issue(who, [Grant(role=role, at=at) for role in roles])


async def settle(place: Place, said: int) -> None:
    """Let a town have matters of every kind: ``said`` submissions, so that no two towns have equal figures."""
    town, word = place.town, place.word
    await town.register(f"{place.county}县", f"{word}镇", {town.village: f"{word}村"})
    place.own("committees/division", town.village)
    place.own("workstations/division", town.code)
    await town.establish_committee(town.village, f"{word}协商委员会")
    head = {"division": town.code, "name": f"{word}工作站", "head": person_id(word)}
    await town.secretary.post("deliberation", "/workstations", head)
    submissions = [await town.receive(f"{word}的话{n}", name=f"{word}某{n}") for n in range(said)]
    place.own("submission_id", *submissions)
    await deliberate(place, submissions[:1])
    await mediate(place)
    await promise(place)
    meeting = {"organ": town.village_organ, "kind": "leading-group", "topic": f"{word}会议", "attendees": 3}
    place.own("record_id", (await town.clerk.post("deliberation", "/work-records/meetings", meeting))["id"])
    document = {"organ": town.village_organ, "number": said, "year": 2026, "title": f"{word}文件"}
    place.own("record_id", (await town.clerk.post("deliberation", "/work-records/documents", document))["id"])
    await town.rest()


async def deliberate(place: Place, submissions: Sequence[str]) -> None:
    """One issue on its whole way: talked over, promised, kept, rated."""
    town, word, soon = place.town, place.word, place.town.pace.now() + timedelta(days=20)
    issue = await town.raise_issue(f"{word}村道硬化", "rural-construction", submissions, "land-forest-water")
    await town.approve(issue, "D05")
    topic = await town.route(issue, "deliberation")
    await town.convener.post("deliberation", f"/deliberations/{topic}/open")
    session = await town.hold_session(topic, {f"{word}三社": f"{word}要修。"})
    body = {"deliberation_id": topic, "session_id": session, "kind": "agreement", "summary": f"{word}修路"}
    outcome = str((await town.convener.post("deliberation", "/outcomes", body))["id"])
    promised = {"what": f"{word}铺路面", "unit": town.unit_organ, "due": soon.date().isoformat()}
    await town.secretary.post("deliberation", f"/outcomes/{outcome}/adopt", {"promises": [promised]})
    await town.rest()
    commitments = (await town.convener.get("deliberation", f"/outcomes/{outcome}")).json()["commitments"]
    await town.keep(commitments[0], f"{word}已验收")
    await town.rest()
    await town.rate(topic, ["satisfied"] * 5, 10)
    place.own("issue_id", issue)
    place.own("deliberation_id", topic)
    place.own("session_id", session)
    place.own("outcome_id", outcome)
    place.own("commitment_id", *commitments)
    place.own("survey_id", survey_on(topic))


async def mediate(place: Place) -> None:
    """One case that the parties brought, and agreed on."""
    town, word = place.town, place.word
    case = await town.open_case(f"{word}地界", "homestead-house")
    await town.begin_mediation(case, f"{word}冯", f"{word}何")
    await town.agree(case, f"{word}埋界桩", (town.pace.now() + timedelta(days=20)).date())
    place.own("case_id", case)


async def promise(place: Place) -> None:
    """One issue handed to direct handling, whose deadline is counted in working days and still open."""
    issue = await place.town.raise_issue(f"{place.word}路灯", "livelihood")
    await place.town.approve(issue, "D07")
    place.own("issue_id", issue)
    place.own("commitment_id", await place.town.route(issue, "direct-handling"))


async def move_deadlines(place: Place) -> None:
    """Publish the county's calendar and correct it, so that what the town promised falls due a day later."""
    shown = await place.town.convener.get("deliberation", f"/commitments/{place.ids['commitment_id'][-1]}")
    day = datetime.fromisoformat(shown.json()["due"]).date()
    kept = shipped_tables().get(day.year, YearTable(rest=(), work=()))
    moved = YearTable(rest=(*kept.rest, Span(first=day, last=day)), work=tuple(set(kept.work) - {day}))
    source = {"source": f"{place.county}年历"}
    published = {**kept.model_dump(mode="json"), **source, "year": day.year}
    await place.town.registrar.post("intake", "/calendars", published)
    await place.town.registrar.post(
        "intake", f"/calendars/{day.year}/correct", {**moved.model_dump(mode="json"), **source}
    )
    later = 2030 + int(place.county) % 10  # a year for which no other county has a table of its own
    await place.town.registrar.post(
        "intake", "/calendars", {**YearTable(rest=(), work=()).model_dump(mode="json"), **source, "year": later}
    )
    place.own("year", str(day.year), str(later))
    await place.town.rest()


def survey_on(deliberation: str) -> str:
    """The one survey on a deliberation is known by it."""
    return str(uuid5(UUID(deliberation), "survey"))


def marks_in(text: str) -> set[str]:
    """Ids and matter codes in an answer."""
    return {*UUIDS.findall(text), *MATTERS.findall(text)}
