"""The county itself: its register, its calendar, its bodies and their records."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.rehearsal.calling.call import (
    Body,
    Call,
    Calls,
    Who,
    at,
    person,
    registrar,
    secretary,
    village_organ,
)
from tests.rehearsal.year import (
    Calendar,
    Committee,
    Record,
    Year,
)


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
        yield from recorded(n, record)


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


def recorded(n: int, record: Record) -> Calls:
    where, day, who = record.place, record.day, Who("town-officer", record.place[:9])
    organ = village_organ(where) if len(where) > len("620724100") else f"{where}.town-government"
    bodies: Mapping[str, tuple[Body, str]] = {
        "meetings": ({"kind": record.kind, "topic": "研究协商工作", "attendees": 1 + n % 30}, "held_at"),
        "documents": ({"number": 1 + n, "year": day.year, "title": "协商工作方案"}, "issued_at"),
        "learning": ({"topic": "学习", "members": [person(f"learner-{n}")]}, "held_at"),
        "publicity": ({"lead": record.kind, "channel": "公众号", "title": "协商在身边"}, "published_at"),
    }
    body, when = bodies[record.what]
    body = {"organ": organ, **body, **at(when, record.happened)}
    yield Call(day, who, "deliberation", f"/work-records/{record.what}", body, {"id": f"record-{n}"})
    if record.withdrawn is not None:
        path = f"/work-records/{{record-{n}}}/withdraw"
        yield Call(record.withdrawn, who, "deliberation", path, {"reason": "重复登记"})
