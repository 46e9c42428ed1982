"""Town: a cast of people with their roles, and the steps a matter takes through their hands.

Everything goes through the services' APIs with the roles' own tokens; the demonstration and the journeys of the tests
are told in these steps.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Issuer
from deploy.local.person import Person, Refused
from deploy.sample.pace import Pace, RealTime

MEMBERS = ("王建国", "李秀英", "张德福", "赵桂兰", "刘永强", "陈玉梅", "杨志军", "马春花", "周文斌", "吴晓燕")


def person_id(name: str) -> str:
    """A stable random-looking id for a person of the cast."""
    return str(uuid5(NAMESPACE_URL, f"urn:shangyi:sample:{name}"))


@contextmanager
def suppress_code(code: str) -> Generator[None]:
    """Go on where a command was refused with just this code."""
    try:
        yield
    except Refused as refusal:
        if refusal.code != code:
            raise


class Town:
    """One town, spoken for by the people below. ``village`` is where its matters come from."""

    def __init__(self, endpoints: Endpoints, issuer: Issuer, code: str, village: str, pace: Pace | None = None) -> None:
        self.code = code
        self.organ = f"{code}.town-government"
        self.unit_organ = f"{code}.department.1"
        self.endpoints = endpoints
        self.pace = pace or RealTime(endpoints.services)
        self._issuer = issuer
        self._open = AsyncExitStack()
        cast = self._cast

        self.registrar = cast("registrar", sys_admin=code[:6])
        self.clerk = cast("clerk", village_clerk=code)
        self.secretary = cast("secretary", town_secretary=code, village_secretary=code)
        self.officer = cast("officer", town_officer=code)
        self.convener = cast("convener", exec_convener=code)
        self.unit = cast("unit", self.unit_organ, handling_unit=code)
        self.supervisor = cast("supervisor", f"{code}.supervisory-committee", supervisor=code)
        self.director = cast("director", mediation_director=code)
        self.mediator = cast("mediator", mediator=code)
        self.reader = cast("reader", county_reporter=code[:6], town_officer=code)
        self._come_from(village)

    def _cast(self, name: str, organ: str | None = None, **roles: str) -> Person:
        held = {role.replace("_", "-"): at for role, at in roles.items()}
        return Person(self.endpoints, self._issuer, f"{self.code}-{name}", held, organ)

    def _come_from(self, village: str) -> None:
        self.village = village
        self.village_organ = f"{village}.village-committee"
        self.villager = self._cast(f"villager-{village}", self.village_organ, village_clerk=village)

    async def at(self, division: str) -> "Town":
        """The same town and people, at another of its divisions: its matters come from there, its committee meets."""
        other = copy(self)
        other._come_from(division)
        await self._open.enter_async_context(other.villager)
        return other

    async def __aenter__(self) -> Self:
        for person in vars(self).values():
            if isinstance(person, Person):
                await self._open.enter_async_context(person)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def rest(self) -> None:
        """Wait until everything that follows from what was done has been done."""
        await self.pace.rest()

    # Setting the town up

    async def register(self, county: str, name: str, villages: Mapping[str, str]) -> None:
        """Register county, town and villages, and the organs that appear in the matters."""
        since = "2024-01-01"
        kinds = {6: "county", 9: "town", 12: "village-committee"}
        for code, called in {self.code[:6]: county, self.code: name, **villages}.items():
            body = {"division": code, "name": called, "kind": kinds[len(code)], "valid_from": since}
            with suppress_code("division-exists"):  # the county stands before its second town
                await self.registrar.post("intake", "/divisions", body)
        organs = {
            self.organ: ("town-government", name + "人民政府"),
            self.unit_organ: ("department", name + "农业农村办"),
        }
        organs |= {f"{code}.village-committee": ("village-committee", f"{v}民委员会") for code, v in villages.items()}
        for organ, (kind, called) in organs.items():
            body = {
                "organ": organ,
                "kind": kind,
                "division": organ.partition(".")[0],
                "name": called,
                "valid_from": since,
            }
            await self.registrar.post("intake", "/organs", body)

    async def establish_committee(self, division: str, name: str, size: int = 9, until: date | None = None) -> None:
        """Establish the deliberation committee of the town or a village; for three years, unless ``until`` a day."""
        kinds = ["first-convener", "executive-convener", "cppcc", *["fixed"] * (size - 3)]
        members = [
            {"person": person_id(f"{division}-{MEMBERS[n]}"), "kind": kind, "woman": n % 2 == 1}
            for n, kind in enumerate(kinds)
        ]
        until = until or date(self.pace.now().year + 3, 12, 31)
        body = {"division": division, "name": name, "members": members, "term_until": until.isoformat()}
        await self.secretary.post("deliberation", "/committees", body | {"programme": "party-building-neighbourhood"})

    # Intake

    async def receive(self, words: str, channel: str = "visit", **more: Any) -> str:
        """Receive a submission in the village; return its id."""
        body = {"organ": self.village_organ, "channel": channel, "words": words, **more}
        created = await self.clerk.post("intake", "/submissions", body)
        return str(created["id"])

    async def raise_issue(
        self,
        headline: str,
        category: str,
        submissions: Sequence[str] = (),
        dispute: str | None = None,
        *,
        key: bool = True,
    ) -> str:
        """Register an issue out of submissions, and classify it; return its id."""
        body = {
            "organ": self.village_organ,
            "headline": headline,
            "category": category,
            "submissions": list(submissions),
            "dispute": dispute,
        }
        created = await self.clerk.post("intake", "/issues", body)
        await self.clerk.post("intake", f"/issues/{created['id']}/classify", {"category": category, "key": key})
        return str(created["id"])

    async def approve(self, issue: str, clause: str) -> None:
        """Admit an issue under a clause, and approve it."""
        await self.clerk.post("intake", f"/issues/{issue}/admit", {"clause": clause})
        await self.secretary.post("intake", f"/issues/{issue}/approve")

    async def route(self, issue: str, route: str) -> str:
        """Route an issue, and wait until it has arrived; return the id of what answers it."""
        handed = await self.clerk.post("intake", f"/issues/{issue}/route", {"route": route})
        await self.rest()
        return str(handed["routing_id"])

    async def answer(self, issue: str) -> None:
        """Tell the submitters of a resolved issue, and close it."""
        await self.rest()
        await self.clerk.post("intake", f"/issues/{issue}/inform")
        await self.clerk.post("intake", f"/issues/{issue}/close")

    # Deliberation

    async def hold_session(
        self, deliberation: str, sides: Mapping[str, str], form: str = "meeting", *, sign: bool = True
    ) -> str:
        """Hold a micro session of the village's committee at once: called, opened, heard, and (usually) signed.

        ``sides``: what is said for each of the interested sides. Return the session's id.
        """
        session = await self.call_session(deliberation, list(sides), form)
        await self.seat(session, deliberation, list(sides))
        await self.convener.post("deliberation", f"/sessions/{session}/open")
        await self.hear(session, deliberation, sides)
        if sign:
            await self.sign(session, deliberation, list(sides))
        return session

    async def call_session(
        self,
        deliberation: str,
        sides: Sequence[str],
        form: str = "meeting",
        scale: str = "micro",
        *,
        begins_at: datetime | None = None,
    ) -> str:
        """Plan a session and send its notice: in time for ``begins_at``, or for now with every side's waiver."""
        presider, recorder, *_ = self.members()
        body = {
            "committee": self.village,
            "form": form,
            "scale": scale,
            "agenda": [deliberation],
            "presider": presider,
            "recorder": recorder,
            "sides": list(sides),
            "begins_at": (begins_at or self.pace.now() + timedelta(seconds=30)).isoformat(),
        }
        session = str((await self.convener.post("deliberation", "/sessions", body))["id"])
        waived = [] if begins_at else list(sides)
        await self.convener.post("deliberation", f"/sessions/{session}/notice", {"waived_by": waived})
        return session

    async def seat(
        self, session: str, deliberation: str, sides: Sequence[str], *, members: int = 3, cppcc: bool = False
    ) -> None:
        """Check in so many members of the committee, presider and recorder first, and somebody of every side.

        ``cppcc``: its CPPCC member is there too.
        """
        seats: list[tuple[str, str, str | None]] = [
            (person, "fixed-member", None) for person in self.members()[:members]
        ]
        if cppcc:
            seats.append((str(self.member(2)), "cppcc-member", None))
        seats += [(person_id(f"{deliberation}-{side}"), "side", side) for side in sides]
        for person, capacity, side in seats:
            seat = {"person": person, "capacity": capacity, "side": side}
            await self.convener.post("deliberation", f"/sessions/{session}/check-in", seat)

    async def hear(self, session: str, deliberation: str, sides: Mapping[str, str]) -> None:
        """Every side has its say, and the session is closed."""
        for side, words in sides.items():
            said = {"item": deliberation, "speaker": person_id(f"{deliberation}-{side}"), "words": words}
            await self.convener.post("deliberation", f"/sessions/{session}/statements", said)
        await self.convener.post("deliberation", f"/sessions/{session}/close")

    async def sign(self, session: str, deliberation: str, sides: Sequence[str]) -> None:
        """Presider, recorder and one of every side sign the minutes."""
        signed = [*self.members()[:2], *(person_id(f"{deliberation}-{side}") for side in sides)]
        await self.convener.post("deliberation", f"/sessions/{session}/sign", {"signed_by": signed})

    async def adopt(
        self,
        deliberation: str,
        session: str,
        summary: str,
        promises: Mapping[str, date],
        *,
        partly: bool = False,
    ) -> list[str]:
        """Submit a session's outcome and adopt it with its promises; return the commitments' ids."""
        body = {"deliberation_id": deliberation, "session_id": session, "kind": "agreement", "summary": summary}
        outcome = (await self.convener.post("deliberation", "/outcomes", body))["id"]
        adopted = [{"what": what, "unit": self.unit_organ, "due": due.isoformat()} for what, due in promises.items()]
        decision = {"promises": adopted, "partly": partly}
        await self.secretary.post("deliberation", f"/outcomes/{outcome}/adopt", decision)
        await self.rest()
        shown = (await self.convener.get("deliberation", f"/outcomes/{outcome}")).json()
        return [str(commitment) for commitment in shown["commitments"]]

    async def keep(self, commitment: str, proof: str) -> None:
        """Complete a commitment, and have the supervisors verify it."""
        await self.unit.post("deliberation", f"/commitments/{commitment}/complete", {"proof": proof})
        await self.supervisor.post("deliberation", f"/commitments/{commitment}/verify")

    async def rate(self, deliberation: str, ratings: Sequence[str], eligible: int) -> None:
        """Ask those concerned how they rate it."""
        body = {"deliberation_id": deliberation, "eligible": eligible}
        survey = (await self.convener.post("deliberation", "/surveys", body))["id"]
        for n, rating in enumerate(ratings):
            said = {"rater": person_id(f"{deliberation}-{n}"), "rating": rating}
            await self.supervisor.post("deliberation", f"/surveys/{survey}/ratings", said)
        await self.convener.post("deliberation", f"/surveys/{survey}/close")

    # Mediation

    async def open_case(self, words: str, dispute: str, source: str = "applied") -> str:
        """Open a case that the parties brought; return its id."""
        body = {"organ": self.village_organ, "source": source, "dispute": dispute, "words": words}
        return str((await self.director.post("mediation", "/cases", body))["id"])

    async def seat_parties(self, case: str, *names: str) -> list[str]:
        """Name the parties; return their ids."""
        named = [await self.director.post("mediation", f"/cases/{case}/parties", {"name": name}) for name in names]
        return [str(party["person"]) for party in named]

    async def consent(self, case: str, party: str, *, given: bool = True) -> None:
        await self.director.post("mediation", f"/cases/{case}/consent", {"person": party, "given": given})

    async def begin_mediation(self, case: str, *names: str) -> None:
        """Seat the parties, who all consent, accept the case and have the mediator sit with them."""
        for party in await self.seat_parties(case, *names):
            await self.consent(case, party)
        await self.director.post("mediation", f"/cases/{case}/rights")
        await self.director.post("mediation", f"/cases/{case}/accept", {"pending_elsewhere": False})
        mediator = {"mediator": self.mediator.name, "disclosed": True}
        await self.director.post("mediation", f"/cases/{case}/mediator", mediator)
        await self.mediator.post("mediation", f"/cases/{case}/hold")

    async def agree(self, case: str, terms: str, perform_by: date) -> None:
        body = {"written": True, "terms": terms, "perform_by": perform_by.isoformat()}
        await self.mediator.post("mediation", f"/cases/{case}/agreement", body)

    # What reporting tells

    async def figures(self, first: date, last: date, **more: str) -> dict[str, Any]:
        """Return the town's figures of a period by slug, once reporting has seen everything."""
        await self.rest()
        params = {"division": self.code, "from": first.isoformat(), "to": last.isoformat(), **more}
        told = (await self.reader.get("reporting", "/reports/work", params)).json()
        return {figure["slug"]: figure for figure in told["figures"]}

    def member(self, n: int) -> UUID:
        """The id of the n-th member of the village's committee."""
        return UUID(person_id(f"{self.village}-{MEMBERS[n]}"))

    def members(self) -> Sequence[str]:
        """The committee's members that sit in a session: who presides, who keeps the record, and further fixed ones."""
        return [str(self.member(n)) for n in (0, 1, 3, 4, 5, 6)]
