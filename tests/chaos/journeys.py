"""Journeys: what an actor does, through the services' APIs alone. Each is drawn with its choices in the plan."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.chaos.driver import Actor, Refused
from vocabulary.calendar import SHANGHAI

Choices = Mapping[str, int]
SEATS = 9
SINCE = "2024-01-01"
BETWEEN_DAYS = ("notice-too-short", "session-before-its-day", "completed-before-promised")
"""A session is held on its day, and services look at their clocks once a second: what falls between is refused."""


class Days:
    """How many days all clocks were moved ahead: what a person would read off the wall."""

    def __init__(self) -> None:
        self.ahead = 0

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.ahead)

    def day(self, n: int = 0) -> str:
        return (self.now.astimezone(SHANGHAI).date() + timedelta(days=n)).isoformat()


@contextmanager
def expected(*codes: str) -> Generator[None]:
    """Go on where a command was refused with one of these codes."""
    try:
        yield
    except Refused as refused:
        if refused.code not in codes:
            raise


def person_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:shangyi:chaos:{name}"))


async def register(actor: Actor) -> None:
    """Register an actor's town and village, with its committee."""
    for code, kind in ((actor.town, "town"), (actor.village, "village-committee")):
        body = {"division": code, "name": f"{code}号", "kind": kind, "valid_from": SINCE}
        await actor.send(actor.registrar, "intake", "/divisions", body)
    kinds = ["first-convener", "executive-convener", "cppcc", *["fixed"] * (SEATS - 3)]
    members = [{"person": seat(actor, n), "kind": kind, "woman": n % 2 == 1} for n, kind in enumerate(kinds)]
    committee: dict[str, Any] = {
        "division": actor.village,
        "name": "议事会",
        "members": members,
        "term_until": "2030-12-31",
        "programme": "party-building-neighbourhood",
    }
    await actor.send(actor.secretary, "deliberation", "/committees", committee)


def seat(actor: Actor, n: int) -> str:
    return person_id(f"{actor.village}/{n}")


async def said(actor: Actor, choices: Choices, _: Days) -> None:
    """Somebody says something."""
    body = {"organ": actor.organ, "channel": "visit", "words": "村口路灯不亮，晚上走路不便。", "name": "王建国"}
    told = await actor.send(actor.clerk, "intake", "/submissions", body, way=choices["twice"])
    if choices["look"] % 5 == 0:
        await actor.look(told, "submissions", created(told.body), matter=matter(told.body))
    if choices["way"] % 13 == 0:
        await actor.reuse(actor.clerk, told, "intake", "/submissions", body | {"words": "还有一件事。"})


async def recorded(actor: Actor, choices: Choices, _: Days) -> None:
    """A meeting is recorded."""
    body = {"organ": actor.organ, "kind": "leading-group", "topic": "协商议事工作", "attendees": 7}
    await actor.send(actor.secretary, "deliberation", "/work-records/meetings", body, way=choices["twice"])


async def repeated(actor: Actor, choices: Choices, _: Days) -> None:
    """An issue is classified twice, in the same words under two keys: both count."""
    issue = await raised(actor, choices)
    body = {"category": "livelihood", "key": True}
    for n in range(2):
        await actor.send(
            actor.clerk, "intake", "/issues/{issue_id}/classify", body, way=choices["way"] + n, issue_id=issue
        )


async def refused(actor: Actor, choices: Choices, _: Days) -> None:
    """What a rule refuses leaves nothing behind, however often it is sent."""
    issue = await raised(actor, choices)
    with expected("issue-not-admitted"):
        await actor.send(actor.secretary, "intake", "/issues/{issue_id}/approve", way=choices["way"], issue_id=issue)
    with expected("issue-not-resolved"):
        await actor.send(actor.clerk, "intake", "/issues/{issue_id}/close", way=choices["way"] + 1, issue_id=issue)


async def stormed(actor: Actor, choices: Choices, _: Days) -> None:
    """Eight hands classify one issue at once: all get their turn."""
    issue = await raised(actor, choices)

    async def classify(n: int) -> None:
        body = {"category": "livelihood", "key": n % 2 == 0}
        await actor.send(
            actor.clerk, "intake", "/issues/{issue_id}/classify", body, way=choices["way"] + n, issue_id=issue
        )

    await asyncio.gather(*(classify(n) for n in range(8)))


async def rivalled(actor: Actor, choices: Choices, _: Days) -> None:
    """Two issues name one submission at once: the first has it, the other drops it."""
    submission = await received(actor)
    tries = [raised(actor, choices, [submission]), raised(actor, choices, [submission])]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            with expected("submissions-not-standing"):
                raise outcome
    path = f"/submissions/{submission}"
    await actor.until(actor.clerk, "intake", path, lambda shown: shown["status"] == "linked")


async def settled(actor: Actor, choices: Choices, days: Days) -> None:
    """A case that its parties brought, to an agreement; half of them are performed, the others fall due."""
    body = {"organ": actor.organ, "source": "applied", "dispute": "neighbour", "words": "院墙渗水。"}
    told = await actor.send(actor.director, "mediation", "/cases", body, way=choices["twice"])
    case = created(told.body)
    if choices["look"] % 5 == 0:
        await actor.look(told, "cases", case, matter=matter(told.body))
    await agreed(actor, case, choices, days)
    if choices["way"] % 2:
        await actor.send(actor.mediator, "mediation", "/cases/{case_id}/performance", case_id=case)
        await actor.send(actor.director, "mediation", "/cases/{case_id}/close", case_id=case)


async def handled(actor: Actor, choices: Choices, _: Days) -> None:
    """An issue that needs no session: promised, done, verified, answered."""
    issue = await approved(actor, choices)
    promise = await routed(actor, issue, "direct-handling", choices)
    path = f"/commitments/{promise}"
    await actor.until(actor.villager, "deliberation", path, lambda shown: shown["status"] == "opened")
    with expected(*BETWEEN_DAYS):
        await kept(actor, promise, choices)
        await answered(actor, issue, choices)


async def mediated(actor: Actor, choices: Choices, days: Days) -> None:
    """A dispute handed over by intake, settled, and answered."""
    issue = await approved(actor, choices, dispute="land-forest-water")
    case = await routed(actor, issue, "mediation", choices)
    await actor.until(actor.director, "mediation", f"/cases/{case}", lambda shown: shown["status"] == "opened")
    await agreed(actor, case, choices, days)
    await answered(actor, issue, choices)


async def deliberated(actor: Actor, choices: Choices, days: Days) -> None:
    """An issue talked over in a session, adopted with a promise that is kept, and answered."""
    issue = await approved(actor, choices)
    topic = await routed(actor, issue, "deliberation", choices)
    path = f"/deliberations/{topic}"
    await actor.until(actor.convener, "deliberation", path, lambda shown: shown["status"] == "proposed")
    await actor.send(actor.convener, "deliberation", "/deliberations/{deliberation_id}/open", deliberation_id=topic)
    with expected(*BETWEEN_DAYS):
        session = await signed(actor, topic, choices, days)
        await adopted(actor, topic, session, choices, days)
        await answered(actor, issue, choices)


async def signed(actor: Actor, topic: str, choices: Choices, days: Days) -> str:
    """Hold a session on a topic, from its plan to signed minutes."""
    presider, recorder, member, side = (seat(actor, n) for n in (0, 1, 3, 99))
    body = {
        "committee": actor.village,
        "form": "meeting",
        "scale": "micro",
        "agenda": [topic],
        "presider": presider,
        "recorder": recorder,
        "sides": ["村民"],
        "begins_at": (days.now + timedelta(seconds=90)).isoformat(),
    }
    told = await actor.send(actor.convener, "deliberation", "/sessions", body, way=choices["twice"])
    session = created(told.body)

    async def step(what: str, body: Mapping[str, Any] | None = None) -> None:
        await actor.send(actor.convener, "deliberation", "/sessions/{session_id}/" + what, body, session_id=session)

    await step("notice", {"waived_by": ["村民"]})
    for person in (presider, recorder, member):
        await step("check-in", {"person": person, "capacity": "fixed-member", "side": None})
    await step("check-in", {"person": side, "capacity": "side", "side": "村民"})
    await step("open")
    await step("statements", {"item": topic, "speaker": side, "words": "路不通，果子烂在地里。"})
    await step("close")
    await step("sign", {"signed_by": [presider, recorder, side]})
    if choices["look"] % 5 == 0:
        await actor.look(told, "sessions", session)
    return session


async def adopted(actor: Actor, topic: str, session: str, choices: Choices, days: Days) -> None:
    """Submit what a session arrived at, adopt it with a promise, and keep that."""
    body = {"deliberation_id": topic, "session_id": session, "kind": "agreement", "summary": "共同修路。"}
    told = await actor.send(actor.convener, "deliberation", "/outcomes", body, way=choices["way"])
    outcome = created(told.body)
    promises = [{"what": "修通机耕路。", "unit": actor.organ, "due": days.day(9)}]
    await actor.send(
        actor.secretary, "deliberation", "/outcomes/{outcome_id}/adopt", {"promises": promises}, outcome_id=outcome
    )
    shown = (await actor.show(actor.convener, "deliberation", f"/outcomes/{outcome}")).json
    [promise] = shown["commitments"]
    path = f"/commitments/{promise}"
    await actor.until(actor.villager, "deliberation", path, lambda shown: shown["status"] == "opened")
    await kept(actor, promise, choices)


async def received(actor: Actor) -> str:
    body = {"organ": actor.organ, "channel": "hotline", "words": "浇地的水轮不上。"}
    return created((await actor.send(actor.clerk, "intake", "/submissions", body)).body)


async def raised(
    actor: Actor, choices: Choices, submissions: list[str] | None = None, dispute: str | None = None
) -> str:
    """Register an issue."""
    body = {
        "organ": actor.organ,
        "headline": "机耕路与灌溉",
        "category": "conflict-mediation" if dispute else "rural-construction",
        "submissions": submissions or [],
        "dispute": dispute,
    }
    told = await actor.send(actor.clerk, "intake", "/issues", body, way=choices["twice"])
    if choices["look"] % 5 == 0:
        await actor.look(told, "issues", created(told.body), matter=matter(told.body))
    return created(told.body)


async def approved(actor: Actor, choices: Choices, dispute: str | None = None) -> str:
    """Bring an issue to where it can be routed."""
    issue = await raised(actor, choices, [await received(actor)], dispute)
    clause = {"clause": "D09" if dispute else "D07"}
    await actor.send(actor.clerk, "intake", "/issues/{issue_id}/admit", clause, way=choices["way"], issue_id=issue)
    await actor.send(actor.secretary, "intake", "/issues/{issue_id}/approve", issue_id=issue)
    return issue


async def routed(actor: Actor, issue: str, route: str, choices: Choices) -> str:
    """Hand an issue over; return the id of what answers it."""
    way = choices["way"] + 1
    told = await actor.send(
        actor.clerk, "intake", "/issues/{issue_id}/route", {"route": route}, way=way, issue_id=issue
    )
    return str(_json(told.body)["routing_id"])


async def kept(actor: Actor, promise: str, choices: Choices) -> None:
    way = choices["way"] + 2
    body = {"proof": "已办结，有照片。"}
    await actor.send(
        actor.villager, "deliberation", "/commitments/{commitment_id}/complete", body, way=way, commitment_id=promise
    )
    await actor.send(actor.supervisor, "deliberation", "/commitments/{commitment_id}/verify", commitment_id=promise)


async def agreed(actor: Actor, case: str, choices: Choices, days: Days) -> None:
    """Take a case from its parties to an agreement, to be performed today or tomorrow."""
    for name in ("冯土生", "何有田"):
        told = await actor.send(actor.director, "mediation", "/cases/{case_id}/parties", {"name": name}, case_id=case)
        consent = {"person": _json(told.body)["person"], "given": True}
        await actor.send(actor.director, "mediation", "/cases/{case_id}/consent", consent, case_id=case)
    await actor.send(actor.director, "mediation", "/cases/{case_id}/rights", case_id=case)
    await actor.send(actor.director, "mediation", "/cases/{case_id}/accept", {"pending_elsewhere": False}, case_id=case)
    assigned = {"mediator": actor.mediator.name, "disclosed": True}
    await actor.send(actor.director, "mediation", "/cases/{case_id}/mediator", assigned, case_id=case)
    await actor.send(actor.mediator, "mediation", "/cases/{case_id}/hold", case_id=case)
    body = {"written": True, "terms": "五日内修好。", "perform_by": days.day(choices["way"] % 3)}
    with expected("performance-before-agreement"):
        await actor.send(
            actor.mediator, "mediation", "/cases/{case_id}/agreement", body, way=choices["twice"], case_id=case
        )


async def answered(actor: Actor, issue: str, choices: Choices) -> None:
    """Once an issue is resolved, tell the submitters and close it."""
    path = f"/issues/{issue}"
    await actor.until(actor.clerk, "intake", path, lambda shown: shown["status"] == "resolved")
    await actor.send(actor.clerk, "intake", "/issues/{issue_id}/inform", way=choices["way"], issue_id=issue)
    await actor.send(actor.clerk, "intake", "/issues/{issue_id}/close", issue_id=issue)


def _json(body: str) -> Any:
    return json.loads(body)


def created(body: str) -> str:
    return str(_json(body)["id"])


def matter(body: str) -> str:
    return str(_json(body)["matter"])


JOURNEYS: dict[str, Callable[[Actor, Choices, Days], Awaitable[None]]] = {
    "said": said,
    "recorded": recorded,
    "repeated": repeated,
    "refused": refused,
    "stormed": stormed,
    "rivalled": rivalled,
    "settled": settled,
    "handled": handled,
    "mediated": mediated,
    "deliberated": deliberated,
}
