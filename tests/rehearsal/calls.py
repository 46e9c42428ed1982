"""Calls: what is asked of the services, and by whom, for each day of a planned year. Both stages ask the same.

What an answer names is known from there on under a name of ours, and stands in later paths and bodies as ``{name}``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from tests.rehearsal.year import (
    Calendar,
    Case,
    Committee,
    Deliberation,
    HandOver,
    Issue,
    Outcome,
    Promise,
    Session,
    Submission,
    Survey,
    Year,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
CPPCC = 2  # which member of a committee is posted by the CPPCC
Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Who:
    """A role held at a place, speaking for an organ perhaps."""

    role: str
    place: str
    organ: str | None = None

    @property
    def name(self) -> str:
        return f"{self.place}-{self.role}"


@dataclass(frozen=True)
class Call:
    """``names``: the answer's field → what it is known as; a list as ``name-0``, ``name-1``."""

    day: date
    who: Who
    service: str
    path: str
    body: Body | None
    names: Mapping[str, str] = field(default_factory=dict[str, str])


Calls: TypeAlias = Iterator[Call]


def calls(year: Year) -> Sequence[Call]:
    """Everything that is asked, in order: the county itself first, then the matters, each in its own order."""
    made: list[Call] = [*county(year), *bodies(year)]
    for submission in year.submissions:
        made += spoken(submission)
    for issue in year.issues:
        made += raised(issue, year)
    for case in year.cases:
        made += opened_case(case)
    return sorted(made, key=lambda call: call.day)


def person(what: str) -> str:
    """A random-looking id, the same for the same words."""
    return str(uuid5(NAMESPACE_URL, f"urn:shangyi:rehearsal:{what}"))


def village_organ(place: str) -> str:
    return f"{place}.village-committee"


def unit_organ(place: str) -> str:
    return f"{place[:9]}.department.1"


def registrar(county: str) -> Who:
    return Who("sys-admin", county)


def clerk(place: str) -> Who:
    return Who("village-clerk", place[:9])


def secretary(place: str) -> Who:
    return Who("town-secretary", place[:9])


def village_secretary(place: str) -> Who:
    return Who("village-secretary", place[:9])


def convener(place: str) -> Who:
    return Who("exec-convener", place[:9])


def supervisor(place: str) -> Who:
    return Who("supervisor", place[:9], f"{place[:9]}.supervisory-committee")


def director(place: str) -> Who:
    return Who("mediation-director", place[:9])


def mediator(place: str) -> Who:
    return Who("mediator", place[:9])


# The county itself


def county(year: Year) -> Calls:
    who = registrar(year.county)
    places = [(year.county, "某县", "county"), *((town, f"{town[6:]}镇", "town") for town in year.towns)]
    for code, name, kind in places:
        yield Call(year.days[0], who, "intake", "/divisions", place(code, name, kind, year.days[0]))
    for village in year.villages:
        body = place(village.code, village.name, "village-committee", village.registered)
        yield Call(village.registered, who, "intake", "/divisions", {**body, "provisional": village.provisional})
    for of, calendar in ((year.year, year.calendar), (year.year + 1, year.following)):
        yield Call(year.days[0], who, "intake", "/calendars", {"year": of, **table(calendar), "source": "通知"})
    if year.corrected is not None:
        day, calendar = year.corrected
        body = {**table(calendar), "source": "更正"}
        yield Call(day, who, "intake", f"/calendars/{year.year}/correct", body)


def place(code: str, name: str, kind: str, since: date) -> Body:
    return {"division": code, "name": name, "kind": kind, "valid_from": since.isoformat()}


def table(calendar: Calendar) -> Body:
    rest = [{"first": day.isoformat(), "last": day.isoformat()} for day in sorted(set(calendar.rest))]
    return {"rest": rest, "work": [day.isoformat() for day in calendar.work]}


def bodies(year: Year) -> Calls:
    for committee in year.committees:
        yield from terms(committee)
    for station in year.workstations:
        who = secretary(station.town)
        for n, day in enumerate(station.opened):
            body = {"division": station.town, "name": "委员工作站", "head": person(f"{station.town}-head")}
            yield Call(day, who, "deliberation", "/workstations", body)
            if n < len(station.closed):
                closing = {"reason": "撤并"}
                yield Call(station.closed[n], who, "deliberation", f"/workstations/{station.town}/close", closing)
    for n, record in enumerate(year.records):
        yield recorded(n, record.place, record.what, record.kind, record.day, record.happened)


def terms(committee: Committee) -> Calls:
    who = secretary(committee.place)
    for term in committee.terms:
        kinds = ["first-convener", "executive-convener", "cppcc", *["fixed"] * (term.size - 3)]
        members = [
            {"person": member(committee.place, n), "kind": kind, "woman": n % 2 == 1} for n, kind in enumerate(kinds)
        ]
        body: dict[str, Any] = {
            "division": committee.place,
            "name": "协商议事委员会",
            "members": members,
            "term_until": term.until.isoformat(),
        }
        if term.neighbourhood:
            body["programme"] = "party-building-neighbourhood"
        yield Call(term.established, who, "deliberation", "/committees", body)
        if term.dissolved is not None:
            path = f"/committees/{committee.place}/dissolve"
            yield Call(term.dissolved, who, "deliberation", path, {"reason": "换届"})


def member(division: str, n: int) -> str:
    return person(f"{division}-member-{n}")


def recorded(n: int, where: str, what: str, kind: str, day: date, happened: datetime | None) -> Call:
    organ = village_organ(where) if len(where) > len("620724100") else f"{where}.town-government"
    bodies: Mapping[str, tuple[Body, str]] = {
        "meetings": ({"kind": kind, "topic": "研究协商工作", "attendees": 1 + n % 30}, "held_at"),
        "documents": ({"number": 1 + n, "year": day.year, "title": "协商工作方案"}, "issued_at"),
        "learning": ({"topic": "学习", "members": [person(f"learner-{n}")]}, "held_at"),
        "publicity": ({"lead": kind, "channel": "公众号", "title": "协商在身边"}, "published_at"),
    }
    body, when = bodies[what]
    return Call(
        day,
        Who("town-officer", where[:9]),
        "deliberation",
        f"/work-records/{what}",
        {"organ": organ, **body, **at(when, happened)},
    )


def at(name: str, moment: datetime | None) -> Body:
    return {} if moment is None else {name: moment.isoformat()}


# What people say


def spoken(said: Submission) -> Calls:
    who, key = clerk(said.place), f"submission-{said.number}"
    body: Body = {"organ": village_organ(said.place), "channel": said.channel, "words": "路灯不亮。"}
    yield Call(said.day, who, "intake", "/submissions", {**body, **at("said_at", said.said)}, {"id": key})
    if said.merged is not None:
        day, into = said.merged
        merging = {"into": f"{{submission-{into}}}"}
        yield Call(day, who, "intake", f"/submissions/{{{key}}}/merge", merging)
    if said.withdrawn is not None:
        yield Call(said.withdrawn, who, "intake", f"/submissions/{{{key}}}/withdraw", {"reason": "已修好"})


def raised(issue: Issue, year: Year) -> Calls:
    who, key = clerk(issue.place), f"issue-{issue.number}"
    path = f"/issues/{{{key}}}"
    body: Body = {
        "organ": village_organ(issue.place),
        "headline": "路灯",
        "category": issue.category,
        "dispute": issue.dispute,
        "submissions": [f"{{submission-{n}}}" for n in issue.submissions],
    }
    yield Call(issue.registered, who, "intake", "/issues", body, {"id": key})
    screened = issue.admitted or issue.refused
    before = [one for one in issue.classified if screened is None or one.day < screened[0]]
    for one in before:
        yield Call(one.day, who, "intake", f"{path}/classify", {"category": one.category, "key": one.key})
    if issue.refused is not None:
        day, clause = issue.refused
        refusal = {"clause": clause, "redirect": "县人民法院", "remedy": "等待判决"}
        yield Call(day, who, "intake", f"{path}/refuse", refusal)
    if issue.admitted is not None:
        day, clause = issue.admitted
        yield Call(day, who, "intake", f"{path}/admit", {"clause": clause})
    for one in issue.classified[len(before) :]:
        yield Call(one.day, who, "intake", f"{path}/classify", {"category": one.category, "key": one.key})
    if issue.approved is not None:
        yield Call(issue.approved, village_secretary(issue.place), "intake", f"{path}/approve", {})
    for n, hand in enumerate(issue.handed_over):
        yield from handed_over(issue, hand, f"{key}-{n}", path, year)
    if issue.closed is not None:
        yield Call(issue.closed, who, "intake", f"{path}/inform", {})
        yield Call(issue.closed, who, "intake", f"{path}/close", {})
    if issue.withdrawn is not None:
        yield Call(issue.withdrawn, who, "intake", f"{path}/withdraw", {"reason": "已自行解决"})


def handed_over(issue: Issue, hand: HandOver, key: str, path: str, year: Year) -> Calls:
    """``key`` is what answers: the deliberation, the promise, the case."""
    who = clerk(issue.place)
    yield Call(hand.day, who, "intake", f"{path}/route", {"route": hand.route}, {"routing_id": key})
    if hand.deliberation is not None:
        yield from deliberated(hand.deliberation, key, issue.place)
    if hand.promise is not None:
        organ = village_organ(issue.place)
        yield from kept(hand.promise, key, Who("village-clerk", issue.place, organ), issue.place)
    if hand.case is not None:
        yield from mediated(hand.case, key)
    if hand.replied is not None:
        yield Call(hand.replied, who, "intake", f"{path}/reply", {"reply": "已办理。"})


# At the table


def deliberated(talk: Deliberation, key: str, where: str) -> Calls:
    who, path = convener(where), f"/deliberations/{{{key}}}"
    if talk.opened is not None:
        yield Call(talk.opened, who, "deliberation", f"{path}/open", {})
    if talk.declined is not None:
        yield Call(talk.declined, who, "deliberation", f"{path}/decline", {"reason": "不宜协商"})
    for n, session in enumerate(talk.sessions):
        yield from met(session, f"{key}-session-{n}", key)
        for m, outcome in enumerate(talk.outcomes):
            if outcome.session == n:
                yield from arrived_at(outcome, f"{key}-outcome-{m}", key, n, where)
    if talk.ended is not None:
        day, result = talk.ended
        yield Call(day, who, "deliberation", f"{path}/conclude", {"result": result})
    if talk.survey is not None:
        yield from surveyed(talk.survey, key, where)


def met(session: Session, key: str, topic: str) -> Calls:
    who, path = convener(session.place), f"/sessions/{{{key}}}"
    sides = [f"第{n}方" for n in range(session.sides)]
    waived = sides if session.waived else []
    first = session.failed or session.held or session.planned + timedelta(days=30)
    plan = {
        "committee": session.place,
        "form": session.form,
        "scale": session.scale,
        "agenda": [f"{{{topic}}}"],
        "presider": member(session.place, 0),
        "recorder": member(session.place, 1),
        "sides": sides,
        "begins_at": evening(first),
    }
    yield Call(session.planned, who, "deliberation", "/sessions", plan, {"id": key})
    yield Call(session.planned, who, "deliberation", f"{path}/notice", {"waived_by": waived})
    if session.failed is not None:
        alone = {"person": member(session.place, 0), "capacity": "fixed-member"}
        yield Call(session.failed, who, "deliberation", f"{path}/check-in", alone)
        yield Call(session.failed, who, "deliberation", f"{path}/open", {})
        if session.held is not None:
            again = {"begins_at": evening(session.held), "waived_by": waived}
            yield Call(session.failed, who, "deliberation", f"{path}/notice", again)
    if session.held is not None:
        yield from held(session, session.held, key, topic, sides)
    if session.signed is not None:
        signers = [member(session.place, 0), member(session.place, 1), *(person(f"{key}-{side}") for side in sides)]
        yield Call(session.signed, who, "deliberation", f"{path}/sign", {"signed_by": signers})


def held(session: Session, day: date, key: str, topic: str, sides: Sequence[str]) -> Calls:
    who, path = convener(session.place), f"/sessions/{{{key}}}"
    fixed = [n for n in range(session.members + 1) if n != CPPCC][: session.members]
    seats: list[Body] = [{"person": member(session.place, n), "capacity": "fixed-member"} for n in fixed]
    seats += [{"person": person(f"{key}-{side}"), "capacity": "side", "side": side} for side in sides]
    seats += [{"person": person(f"{key}-cppcc-{n}"), "capacity": "cppcc-member"} for n in range(session.cppcc)]
    guests: list[Body] = [{"person": person(f"{key}-guest-{n}"), "capacity": "guest"} for n in range(session.guests)]
    for seat in seats:
        yield Call(day, who, "deliberation", f"{path}/check-in", seat)
    yield Call(day, who, "deliberation", f"{path}/open", {})
    for guest in guests:  # late
        yield Call(day, who, "deliberation", f"{path}/check-in", guest)
    for n, side in enumerate(sides):
        if n % 2 == 1:
            yield Call(day, who, "deliberation", f"{path}/waivers", {"side": side})
        else:
            said = {"item": f"{{{topic}}}", "speaker": person(f"{key}-{side}"), "words": "同意。"}
            yield Call(day, who, "deliberation", f"{path}/statements", said)
    yield Call(day, who, "deliberation", f"{path}/close", {})


def evening(day: date) -> str:
    return datetime.combine(day, time(20), SHANGHAI).isoformat()


def arrived_at(outcome: Outcome, key: str, topic: str, session: int, where: str) -> Calls:
    path = f"/outcomes/{{{key}}}"
    body = {
        "deliberation_id": f"{{{topic}}}",
        "session_id": f"{{{topic}-session-{session}}}",
        "kind": outcome.kind,
        "summary": "硬化道路。",
    }
    yield Call(outcome.submitted, convener(where), "deliberation", "/outcomes", body, {"id": key})
    decides = village_secretary(where)
    if outcome.refused is not None:
        yield Call(outcome.refused, decides, "deliberation", f"{path}/refuse", {"reasons": "资金不足。"})
    if outcome.adopted is not None:
        promises = [
            {"what": "铺路。", "unit": unit_organ(where), "due": promise.due.isoformat()}
            for promise in outcome.promises
            if promise.due
        ]
        adopting = {"partly": outcome.partly, "promises": promises}
        yield Call(outcome.adopted, decides, "deliberation", f"{path}/adopt", adopting)
        promised = {"commitments": f"{key}-promise"}
        yield Call(outcome.adopted, convener(where), "deliberation", path, None, promised)
    unit = Who("handling-unit", where[:9], unit_organ(where))
    for n, promise in enumerate(outcome.promises):
        yield from kept(promise, f"{key}-promise-{n}", unit, where)


def kept(promise: Promise, key: str, unit: Who, where: str) -> Calls:
    who, path = supervisor(where), f"/commitments/{{{key}}}"
    for done in promise.done:
        body = {"proof": "已完工。", **at("done_at", done.at)}
        yield Call(done.day, unit, "deliberation", f"{path}/complete", body)
        if done.contested is not None:
            yield Call(done.contested, who, "deliberation", f"{path}/contest", {"reason": "没有完工。"})
    if promise.verified is not None:
        yield Call(promise.verified, who, "deliberation", f"{path}/verify", {})


def surveyed(survey: Survey, topic: str, where: str) -> Calls:
    who, key = supervisor(where), f"{topic}-survey"
    body = {"deliberation_id": f"{{{topic}}}", "eligible": survey.eligible}
    yield Call(survey.opened, convener(where), "deliberation", "/surveys", body, {"id": key})
    for n, (day, rating) in enumerate(survey.ratings):
        said = {"rater": person(f"{key}-{n}"), "rating": rating}
        yield Call(day, who, "deliberation", f"/surveys/{{{key}}}/ratings", said)
    if survey.closed is not None:
        yield Call(survey.closed, convener(where), "deliberation", f"/surveys/{{{key}}}/close", {})


# With a mediator


def opened_case(case: Case) -> Calls:
    key = f"case-{case.number}"
    body = {"organ": village_organ(case.place), "source": case.source, "dispute": case.dispute, "words": "欠薪。"}
    yield Call(case.opened, director(case.place), "mediation", "/cases", body, {"id": key})
    yield from mediated(case, key)


def mediated(case: Case, key: str) -> Calls:
    leads, sits, path = director(case.place), mediator(case.place), f"/cases/{{{key}}}"
    parties = [person(f"{case.place}-{key}-{n}") for n in range(2)]

    def by(who: Who, day: date, what: str, body: Body | None = None) -> Call:
        return Call(day, who, "mediation", f"{path}/{what}", body or {})

    asked = case.accepted or case.declined
    if asked is not None:
        for n, party in enumerate(parties):
            yield by(leads, asked, "parties", {"name": f"某{n}", "person": party})
            refuses = case.declined is not None and n == 1
            yield by(leads, asked, "consent", {"person": party, "given": not refuses})
    if case.accepted is not None:
        yield by(leads, case.accepted, "rights")
        yield by(leads, case.accepted, "accept", {"pending_elsewhere": False})
    if case.assigned is not None:
        yield by(leads, case.assigned, "mediator", {"mediator": sits.name, "disclosed": True})
        yield by(sits, case.assigned, "hold")
    if case.failed is not None:
        day, reason = case.failed
        if reason == "party-withdrew":
            yield by(sits, day, "withdraw", {"person": parties[0], "remedies_told": True})
        else:
            yield by(sits, day, "fail", {"reason": reason, "remedies_told": True})
    if case.agreement is not None:
        made = case.agreement
        terms = {"written": made.written, "terms": "十日内付清。", "perform_by": made.perform_by.isoformat()}
        yield by(sits, made.day, "agreement", terms)
        if made.breached is not None:
            yield by(sits, made.breached, "breach")
        if made.performed is not None:
            yield by(sits, made.performed.day, "performance", at("performed_at", made.performed.at))
    if case.closed is not None:
        yield by(sits, case.closed, "close")


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """The same JSON, with what is known in place of its names."""
    match value:
        case str() if "{" in value:
            return value.format_map(known)
        case [*several]:
            return [filled(one, known) for one in several]
        case {**named}:
            return {name: filled(one, known) for name, one in named.items()}
        case _:
            return value


def learnt(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known from an answer on."""
    for said, name in call.names.items():
        match answer[said]:
            case [*several]:
                yield from ((f"{name}-{n}", str(one)) for n, one in enumerate(several))
            case one:
                yield name, str(one)
