"""With a mediator."""

from datetime import date

from tests.rehearsal.calling.call import (
    Body,
    Call,
    Calls,
    Who,
    at,
    director,
    mediator,
    person,
    village_organ,
)
from tests.rehearsal.year import (
    Case,
)


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
