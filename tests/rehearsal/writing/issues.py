"""Issues: what people say, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from tests.rehearsal.writing.cases import Cases
from tests.rehearsal.writing.county import County
from tests.rehearsal.writing.deliberations import Deliberations
from tests.rehearsal.writing.die import Die
from tests.rehearsal.year import Classified, HandOver, Issue, Submission

CHANNELS = (
    "visit",
    "questionnaire",
    "listening",
    "hotline",
    "wechat",
    "cppcc-member",
    "petition",
    "grid",
    "web",
    "other-system",
)
CATEGORIES = ("rural-construction", "income-growth", "livelihood", "environment", "conflict-mediation")
DISPUTES = ("marriage-family", "neighbour", "homestead-house", "contract", "labour", "land-forest-water", "traffic")
OUTSIDE = ("department", "petition", "escalation")


class Issues:
    """Deals out submissions and issues, each with a number of its own."""

    def __init__(self, die: Die, county: County, deliberations: Deliberations, cases: Cases) -> None:
        self._die = die
        self._county = county
        self._deliberations = deliberations
        self._cases = cases
        self.submissions: list[Submission] = []

    def word(self, place: str | None = None, day: date | None = None, *, linked: bool = False) -> int:
        if place is None or day is None:
            place, day = self._county.somewhere()
        number = len(self.submissions)
        spoken = Submission(number, place, self._die.choice(CHANNELS), day, self._die.earlier(day))
        before = [one for one in self.submissions[-30:] if one.place[:9] == place[:9] and not one.merged]
        standing = [one for one in before if one.day < day and one.withdrawn is None]
        later = self._die.after(day)
        if later is not None and not linked:
            if standing and self._die.chance(40):
                spoken = replace(spoken, merged=(later, self._die.choice(standing).number))
            elif self._die.chance(20):
                spoken = replace(spoken, withdrawn=later)
        self.submissions.append(spoken)
        return number

    def issue(self, number: int) -> Issue:
        issue = self._issue(number)
        self._deliberations.stays_open(issue)
        return issue

    def _issue(self, number: int) -> Issue:
        place, day = self._county.somewhere()
        said = [self.word(place, day, linked=True) for _ in range(self._die.choice([0, 1, 1, 2]))]
        registered = self._die.after(day) or day
        if registered == day:  # the year is over: what was said waits
            said = []
        dispute = self._die.choice(DISPUTES) if self._die.chance(40) else None
        issue = Issue(number, place, registered, self._die.choice(CATEGORIES), dispute, tuple(said))
        if said and self._die.chance(10):
            later = self._die.after(registered, 90)
            self.submissions[said[0]] = replace(self.submissions[said[0]], withdrawn=later)
        for _ in range(self._die.choice([0, 1, 1, 1, 2])):
            issue = replace(issue, classified=(*issue.classified, self._classified(registered)))
        screened = self._die.after(registered, 20)
        fate = self._die.weighed(["admitted", "refused", "withdrawn", "waiting"], [16, 2, 2, 1])
        if screened is None or fate == "waiting":
            return issue
        if fate == "refused":
            return replace(issue, refused=(screened, f"X0{self._die.randint(1, 7)}"))
        if fate == "withdrawn":
            return replace(issue, withdrawn=screened)
        issue = replace(issue, admitted=(screened, f"D{self._die.randint(1, 10):02d}"))
        if self._die.chance(10):
            return replace(issue, withdrawn=self._die.after(screened) if self._die.chance(50) else None)
        issue = replace(issue, approved=screened)
        if self._die.chance(20):
            issue = replace(issue, classified=(*issue.classified, self._classified(screened)))
        return self._handed_over(issue)

    def _classified(self, day: date) -> Classified:
        return Classified(day, self._die.choice(CATEGORIES), key=self._die.chance(60))

    def _handed_over(self, issue: Issue) -> Issue:
        """Hand it over until somebody has answered it, it is withdrawn, or the days run out."""
        day = self._die.after(issue.approved, 15)
        while day is not None and len(issue.handed_over) < 3 and not self._die.chance(5):
            hand, resolved, returned = self._hand_over(issue, day)
            issue = replace(issue, handed_over=(*issue.handed_over, hand))
            if resolved is not None:
                closing = self._die.after(resolved, 20)
                return replace(issue, closed=closing) if self._die.chance(85) else issue
            if returned is None:
                return issue if self._die.chance(70) else self._withdrawn(issue)
            day = self._die.after(returned, 30)
        return issue

    def _withdrawn(self, issue: Issue) -> Issue:
        """Take back what is not answered yet: later than anything that was done about it."""
        day = self._die.after(last(issue.handed_over[-1]), 30)
        return replace(issue, withdrawn=day)

    def _hand_over(self, issue: Issue, day: date) -> tuple[HandOver, date | None, date | None]:
        """Return the hand-over, and the day on which it resolved the issue or gave it back; neither: it goes on."""
        routes = ["deliberation", "direct-handling", self._die.choice(OUTSIDE)]
        if issue.dispute is not None:
            routes += ["mediation", "mediation"]
        route = self._die.weighed(routes, [5, 3, 1, 3, 3][: len(routes)])
        match route:
            case "deliberation":
                deliberation, resolved, returned = self._deliberations.deliberation(issue.place, day)
                return HandOver(day, route, deliberation=deliberation), resolved, returned
            case "mediation":
                case = self._cases.case(issue.place, day, "routed", issue.dispute or "other")
                resolved = None if case.agreement is None else case.agreement.day
                returned = case.declined or (case.failed[0] if case.failed else None)
                return HandOver(day, route, case=case), resolved, returned
            case "direct-handling":
                promise = self._deliberations.promise(day, None)
                return HandOver(day, route, promise=promise), promise.verified, None
            case _:
                replied = self._die.after(day) if self._die.chance(80) else None
                return HandOver(day, route, replied=replied), replied, None


def last(hand: HandOver) -> date:
    """The last day on which anything was done about a hand-over."""
    return max([hand.day, *days(hand.deliberation), *days(hand.case), *days(hand.promise)])


def days(thing: Any) -> Sequence[date]:
    """Every day that something holds, however deep."""
    match thing:
        case datetime():
            return []
        case date():
            return [thing]
        case [*several]:
            return [day for one in several for day in days(one)]
        case str() | int() | None:
            return []
        case _:
            return [day for one in fields(thing) for day in days(getattr(thing, one.name))]
