"""At the table: topics taken on, sessions, outcomes, promises and surveys."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from tests.rehearsal.calling.call import (
    Body,
    Call,
    Calls,
    Who,
    at,
    convener,
    person,
    supervisor,
    unit_organ,
    village_secretary,
)
from tests.rehearsal.calling.county import member
from tests.rehearsal.year import (
    Deliberation,
    Outcome,
    Promise,
    Session,
    Survey,
)
from vocabulary.calendar import SHANGHAI

CPPCC = 2  # which member of a committee is posted by the CPPCC


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
    topics = [topic] if session.also is None else [topic, f"issue-{session.also[0]}-{session.also[1]}"]
    plan = {
        "committee": session.place,
        "form": session.form,
        "scale": session.scale,
        "agenda": [f"{{{one}}}" for one in topics],
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
