"""Scenes: how each part of a plan is lived, by the people whose work it is, on the days that follow from its first.

A town does its office work on Mondays and Thursdays. From the first word to a session takes some five weeks: registered
with the next office day, screened and approved a week later, called with the notice that the rules ask for.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Issuer
from deploy.local.rest import at_rest
from deploy.sample.plan import (
    Answer,
    Case,
    CaseTwist,
    Day,
    Document,
    Issue,
    Learning,
    Meeting,
    Plan,
    Publicity,
    Said,
    Submission,
    Twist,
    on,
)
from deploy.sample.town import Town, person_id
from deploy.sample.year import PlatformClock, Year
from vocabulary.calendar import SHANGHAI, shipped_tables

Scene = Coroutine[Any, Any, None]

TOWN = "620724103"
MONDAY, THURSDAY = 0, 3
NOTICE_DAYS = 10
DONE = "已完成，经现场查看。"
RATINGS = ("very-satisfied", "satisfied", "basically-satisfied", "dissatisfied")


@dataclass(frozen=True)
class Xiangdao:
    """The town of a plan, in the year that is lived."""

    plan: Plan
    town: Town
    year: Year
    number: int

    def villages(self) -> dict[str, str]:
        """Code → name. The codes are provisional: the official ones are the county's to give."""
        return {f"{self.town.code}{701 + n}": name for n, name in enumerate(self.plan.villages)}

    async def at(self, village: str) -> Town:
        return await self.town.at(next(code for code, name in self.villages().items() if name == village))

    def day(self, day: Day) -> date:
        return on(day, self.number)

    def scenes(self) -> Sequence[Scene]:
        """Everything that happens, each part by itself; the town must have been set up."""
        return [
            *map(self.meeting, self.plan.meetings),
            *map(self.document, self.plan.documents),
            *map(self.learning, self.plan.learning),
            *map(self.publicity, self.plan.publicity),
            self.renewal(),
            self.correction(),
            *map(self.issue, self.plan.issues),
            *map(self.submission, self.plan.submissions),
            *map(self.case, self.plan.cases),
            self.year.on(date(self.number, 12, 31)),
        ]

    # Setting up, and the work of the leading bodies

    async def set_up(self) -> None:
        """On the first of January: divisions, organs, committees and the workstation."""
        await self.year.on(date(self.number, 1, 1))
        town, villages = self.town, self.villages()
        await town.register(self.plan.county, self.plan.town, villages)
        await town.establish_committee(town.code, f"{self.plan.town}协商议事委员会")
        for code, name in list(villages.items())[:-1]:
            ends = self.day(self.plan.renewal.until) if name == self.plan.renewal.village else None
            await town.establish_committee(code, f"{name}协商议事委员会", 7, ends)
        head = person_id(f"{town.code}-站长")
        station = {"division": town.code, "name": self.plan.station, "head": head}
        await town.secretary.post("deliberation", "/workstations", station)

    async def meeting(self, meeting: Meeting) -> None:
        await self.year.on(self.day(meeting.day))
        body = {"organ": self.town.organ, **meeting.model_dump(include={"kind", "topic", "attendees"})}
        held = await self.town.officer.post("deliberation", "/work-records/meetings", body)
        if meeting.withdrawn is not None:
            await self.year.on(office_day(self.day(meeting.day), 7))
            error = {"reason": meeting.withdrawn}
            await self.town.officer.post("deliberation", f"/work-records/{held['id']}/withdraw", error)

    async def document(self, document: Document) -> None:
        await self.year.on(self.day(document.day))
        body = {"organ": self.town.organ, "year": self.number, **document.model_dump(exclude={"day"})}
        await self.town.officer.post("deliberation", "/work-records/documents", body)

    async def learning(self, learning: Learning) -> None:
        await self.year.on(self.day(learning.day))
        members = [person_id(f"{self.town.code}-委员-{n}") for n in range(learning.attended)]
        body = {"organ": self.town.organ, "topic": learning.topic, "members": members}
        await self.town.officer.post("deliberation", "/work-records/learning", body)

    async def publicity(self, publicity: Publicity) -> None:
        await self.year.on(self.day(publicity.day))
        body = {"organ": self.town.organ, **publicity.model_dump(exclude={"day"})}
        await self.town.officer.post("deliberation", "/work-records/publicity", body)

    async def renewal(self) -> None:
        """A term runs out by itself; the next committee is established."""
        renewal = self.plan.renewal
        village = await self.at(renewal.village)
        await self.year.on(self.day(renewal.day))
        await village.establish_committee(village.village, f"{renewal.village}协商议事委员会", 7)

    async def correction(self) -> None:
        """The county publishes its calendar of the year, and corrects it later: open deadlines move."""
        await self.year.on(date(self.number, 1, 2))
        shipped = shipped_tables().get(self.number)
        national_day = date(self.number, 10, 1)
        off = [(span.first, span.last) for span in shipped.rest] if shipped else [(national_day, national_day)]
        published = _table(off, shipped.work if shipped else ())
        body = {"year": self.number, **published, "source": "国务院办公厅关于节假日安排的通知（样例）"}
        await self.town.registrar.post("intake", "/calendars", body)
        correction = self.plan.correction
        await self.year.on(self.day(correction.day))
        more = [*off, (self.day(correction.first), self.day(correction.last))]
        corrected = _table(more, shipped.work if shipped else ())
        body = {**corrected, "source": correction.source}
        await self.town.registrar.post("intake", f"/calendars/{self.number}/correct", body)

    # Submissions and issues

    async def submission(self, submission: Submission) -> None:
        """Words that became no issue."""
        town = await self.at(submission.village)
        said_at = {}
        if submission.said_at is not None:
            said_at = {"said_at": datetime.combine(self.day(submission.said_at), time(15), SHANGHAI).isoformat()}
        key = await self._said(town, submission.said, **said_at)
        if submission.withdrawn is not None:
            await self.year.on(office_day(self.day(submission.said.day), 3))
            await town.clerk.post("intake", f"/submissions/{key}/withdraw", {"reason": submission.withdrawn})

    async def issue(self, issue: Issue) -> None:
        """From the first word to the answer."""
        town = await self.at(issue.village)
        first, *later = issue.said
        submission = await self._said(town, first)
        for again in later:
            same = await self._said(town, again)
            await town.clerk.post("intake", f"/submissions/{same}/merge", {"into": submission})
        registered = office_day(self.day(issue.said[-1].day), 2)
        await self.year.on(registered)
        key = await town.raise_issue(issue.headline, issue.category, [submission], issue.dispute, key=issue.key)
        await self.year.on(office_day(registered, 6))
        match issue.answer:
            case Answer.WITHDRAWN:
                await town.clerk.post("intake", f"/issues/{key}/withdraw", {"reason": issue.withdrawn})
            case Answer.REFUSED:
                refusal = {"clause": issue.clause, "redirect": issue.redirect, "remedy": issue.remedy}
                await town.clerk.post("intake", f"/issues/{key}/refuse", refusal)
            case Answer.WAITING:
                await town.clerk.post("intake", f"/issues/{key}/admit", {"clause": issue.clause})
            case answer:
                await town.approve(key, str(issue.clause))
                await self._answered(town, key, issue, answer)

    async def _said(self, town: Town, said: Said, **more: str) -> str:
        await self.year.on(self.day(said.day))
        return await town.receive(said.words, said.channel, **({"name": said.by} if said.by else {}), **more)

    async def _answered(self, town: Town, key: str, issue: Issue, answer: Answer) -> None:
        """Route an approved issue, have it answered, and tell who spoke."""
        if Twist.MISROUTED in issue.twists:
            wrong = await town.route(key, "deliberation")
            reason = {"reason": "不属于协商范围"}
            await town.convener.post("deliberation", f"/deliberations/{wrong}/decline", reason)
            await town.rest()
        routed = await town.route(key, answer)
        match answer:
            case Answer.DELIBERATION:
                await self._deliberated(town, key, routed, issue)
            case Answer.MEDIATION:
                await self._mediated(town, routed, issue.parties, issue.agreed, frozenset())
            case Answer.DIRECT_HANDLING:
                if await self._handled(town, key, routed, issue):
                    return
            case _:
                await self.year.on(office_day(self.year.today, 14))
                await town.clerk.post("intake", f"/issues/{key}/reply", {"reply": issue.reply})
        await town.rest()
        await self.year.on(office_day(self.year.today, 2))
        await town.answer(key)

    async def _handled(self, town: Town, key: str, promise: str, issue: Issue) -> bool:
        """Keep the promise of direct handling; return whether the issue was taken back meanwhile."""
        routed = self.year.today
        if Twist.WITHDRAWN in issue.twists:
            await self.year.on(office_day(routed, 7))
            await town.clerk.post("intake", f"/issues/{key}/withdraw", {"reason": issue.withdrawn})
            return True
        done: dict[str, str] = {}
        days = 14
        if Twist.LATE in issue.twists:
            days = 45
        if Twist.RECORDED_LATE in issue.twists:
            days = 45
            done = {"done_at": datetime.combine(routed + timedelta(days=20), time(15), SHANGHAI).isoformat()}
        await self.year.on(office_day(routed, days))
        completion = {"proof": DONE, **done}
        await town.villager.post("deliberation", f"/commitments/{promise}/complete", completion)
        await town.supervisor.post("deliberation", f"/commitments/{promise}/verify")
        return False

    # Deliberation

    async def _deliberated(self, town: Town, key: str, deliberation: str, issue: Issue) -> None:
        """Called, held, submitted, adopted, promised, kept, verified, and rated by some."""
        await self._open(town, deliberation)
        if Twist.NO_CONSENSUS_FIRST in issue.twists:
            await self._session(town, deliberation, issue, "meeting")
            await town.convener.post(
                "deliberation", f"/deliberations/{deliberation}/conclude", {"result": "no-consensus"}
            )
            await town.rest()
            deliberation = await town.route(key, "deliberation")
            await self._open(town, deliberation)
        if Twist.UNSIGNED_FIRST in issue.twists:
            await self._session(town, deliberation, issue, "meeting", sign=False)
        session = await self._session(town, deliberation, issue, issue.form)
        [promise] = await self._adopted(town, deliberation, session, issue)
        await self._kept(town, promise, issue)
        await town.rest()
        if issue.rated is not None:
            ratings = [rating for rating, n in zip(RATINGS, issue.rated, strict=True) for _ in range(n)]
            await town.rate(deliberation, ratings, len(ratings) + 2)

    async def _open(self, town: Town, deliberation: str) -> None:
        await town.convener.post("deliberation", f"/deliberations/{deliberation}/open")

    async def _session(self, town: Town, deliberation: str, issue: Issue, form: str, *, sign: bool = True) -> str:
        """Call the village's committee, or for a regular session the town's, and hold it on its day."""
        hall = town if issue.scale == "micro" else await self.town.at(self.town.code)
        regular, sides = issue.scale == "regular", list(issue.sides)
        day = office_day(self.year.today, NOTICE_DAYS)
        opening = datetime.combine(day, time(10), SHANGHAI)
        session = await hall.call_session(deliberation, sides, form, issue.scale, begins_at=opening)
        path = f"/sessions/{session}"
        await self.year.on(day)
        if Twist.QUORUM_FAILED_FIRST in issue.twists:
            await hall.seat(session, deliberation, sides, members=2)
            await hall.convener.post("deliberation", f"{path}/open")
            day = office_day(day, 4)
            again = {"begins_at": datetime.combine(day, time(10), SHANGHAI).isoformat()}
            await hall.convener.post("deliberation", f"{path}/notice", again)
            await self.year.on(day)
        await hall.seat(session, deliberation, sides, members=6 if regular else 3, cppcc=True)
        await hall.convener.post("deliberation", f"{path}/open")
        await hall.hear(session, deliberation, issue.sides)
        if sign:
            await hall.sign(session, deliberation, sides)
        return session

    async def _adopted(self, town: Town, deliberation: str, session: str, issue: Issue) -> list[str]:
        promises = {issue.promise: self.year.today + timedelta(days=30)}
        if Twist.OUTCOME_REFUSED_FIRST in issue.twists:
            body = {"deliberation_id": deliberation, "session_id": session, "kind": "suggestion"}
            submitted = await town.convener.post("deliberation", "/outcomes", {**body, "summary": "先行试办。"})
            refused = f"/outcomes/{submitted['id']}/refuse"
            await town.secretary.post("deliberation", refused, {"reasons": "缺少承办单位，请补充。"})
        return await town.adopt(deliberation, session, issue.agreed, promises, partly=Twist.PARTLY in issue.twists)

    async def _kept(self, town: Town, promise: str, issue: Issue) -> None:
        """The unit keeps it, late perhaps; the supervisors look, and somebody may not be content at first."""
        await self.year.on(office_day(self.year.today, 36 if Twist.LATE in issue.twists else 18))
        if Twist.CONTESTED in issue.twists:
            path = f"/commitments/{promise}"
            await town.unit.post("deliberation", f"{path}/complete", {"proof": DONE})
            await town.clerk.post("deliberation", f"{path}/contest", {"reason": issue.complaint})
            await self.year.on(office_day(self.year.today, 7))
        await town.keep(promise, DONE)

    # Mediation

    async def case(self, case: Case) -> None:
        """A dispute that came by itself."""
        await self.year.on(self.day(case.day))
        town = await self.at(case.village)
        key = await town.open_case(case.words, case.dispute, case.source)
        if CaseTwist.PARTY_REFUSED in case.twists:
            *_, second = await town.seat_parties(key, *case.parties)
            await town.consent(key, second, given=False)
            return
        await self._mediated(town, key, case.parties, case.agreed, case.twists)

    async def _mediated(
        self, town: Town, case: str, parties: Sequence[str], agreed: str, twists: frozenset[CaseTwist]
    ) -> None:
        path = f"/cases/{case}"
        await town.begin_mediation(case, *parties)
        await self.year.on(office_day(self.year.today, 3))
        if CaseTwist.FAILED in twists:
            await town.mediator.post("mediation", f"{path}/fail", {"reason": "positions-apart", "remedies_told": True})
            return
        await town.agree(case, agreed, self.year.today + timedelta(days=10))
        broken = {CaseTwist.BREACHED, CaseTwist.MADE_GOOD} & twists
        await self.year.on(office_day(self.year.today, 14 if broken else 7))
        if broken:
            await town.mediator.post("mediation", f"{path}/breach")
            if CaseTwist.BREACHED in twists:
                return
            await self.year.on(office_day(self.year.today, 7))
        await town.mediator.post("mediation", f"{path}/performance", {})
        await town.mediator.post("mediation", f"{path}/close")


async def live(endpoints: Endpoints, issuer: Issuer, number: int, told: Callable[[date], None]) -> None:
    """Live the sample year in an empty platform, from the first day of the year ``number`` to its last.

    ``told`` hears of every day that comes. Raises Refused, NotAtRest.
    """
    plan, year = Plan.load(), Year(PlatformClock(endpoints.services), told)
    async with Town(endpoints, issuer, TOWN, f"{TOWN}701", year) as town:
        xiangdao = Xiangdao(plan, town, year, number)
        await year.live([xiangdao.set_up()])
        await year.live(xiangdao.scenes())
    await at_rest(endpoints.services)


def office_day(after: date, days: int) -> date:
    """The first office day at least so many days later."""
    day = after + timedelta(days=days)
    while day.weekday() not in (MONDAY, THURSDAY):
        day += timedelta(days=1)
    return day


def _table(rest: Sequence[tuple[date, date]], work: Sequence[date]) -> dict[str, Any]:
    return {
        "rest": [{"first": first.isoformat(), "last": last.isoformat()} for first, last in rest],
        "work": [day.isoformat() for day in work],
    }
