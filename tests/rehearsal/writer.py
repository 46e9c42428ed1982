"""Writer: makes up a year with a seeded die: every kind of matter, straight and crooked, in two towns of a county.

A step that waits for something to follow from the one before (a reaction, a timer) is on a later day than that one, so
that whoever lives the year only needs to rest between days.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from math import exp, log
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.rehearsal.year import (
    Agreement,
    Calendar,
    Case,
    Classified,
    Committee,
    Days,
    Deliberation,
    Done,
    HandOver,
    Issue,
    Outcome,
    Promise,
    Record,
    Session,
    Submission,
    Survey,
    Term,
    Village,
    Workstation,
    Year,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
FEWEST, OFTEN, MOST = 3, 50, 3_000
SELDOM = 0.96  # of so many years none has more matters than often
GOLDEN = 0.6180339887498949  # its multiples spread evenly, however many are taken
SPARSE = (1, 8, 15, 22)
CORRECTED = (3, 6, 11, 12)  # months in which a calendar is corrected

CHANNELS = ("visit", "questionnaire", "listening", "hotline", "wechat", "cppcc-member", "petition", "grid", "web")
CATEGORIES = ("rural-construction", "income-growth", "livelihood", "environment", "conflict-mediation")
DISPUTES = ("marriage-family", "neighbour", "homestead-house", "contract", "labour", "land-forest-water", "traffic")
SOURCES = ("applied", "initiated", "court", "police", "petition")
FORMS = ("meeting", "dialogue", "written")
KINDS = ("opinion", "suggestion", "agreement", "referral")
RATINGS = ("very-satisfied", "satisfied", "basically-satisfied", "dissatisfied")
FAILURES = ("positions-apart", "party-absent", "facts-unclear", "outside-competence", "party-withdrew")
OUTSIDE = ("department", "petition", "escalation")


def write(seed: int, year: int = 2026, matters: int | None = None, *, sparse: bool = False) -> Year:
    """Write the year of a seed: the same one always. ``matters``: as the seed says, from 3 to 3,000, most often few.

    ``sparse``: things are done on a few days a month only.
    """
    return _Writer(seed, year, volume(seed) if matters is None else matters, sparse=sparse).written()


def volume(seed: int) -> int:
    """How many matters a seed's year has: mostly up to some fifty, and in each hundred years one has a thousand."""
    spread = seed * GOLDEN % 1.0
    least, most, part = (
        (FEWEST, OFTEN, spread / SELDOM) if spread < SELDOM else (OFTEN, MOST, (spread - SELDOM) / (1 - SELDOM))
    )
    return round(least * exp(part * log(most / least)))


class _Writer:
    def __init__(self, seed: int, year: int, matters: int, *, sparse: bool) -> None:
        self._die = Random(seed)  # noqa: S311  # no secret
        self._seed, self._year, self._matters = seed, year, matters
        self._county = f"{100_000 + seed % 900_000}"
        self._towns = (f"{self._county}100", f"{self._county}203")
        self._corrected_on = self._die.choice([None, *(date(year, month, 9) for month in CORRECTED)])
        self._days = self._working_days(sparse=sparse)
        self._villages = self._places()
        self._committees = self._bodies()
        self._submissions: list[Submission] = []
        self._cases = 0

    def written(self) -> Year:
        issues, cases = list[Issue](), list[Case]()
        for _ in range(self._matters):
            match self._die.choices(["issue", "word", "case"], [6, 2, 2])[0]:
                case "issue":
                    issues.append(self._issue(len(issues)))
                case "word":
                    self._word()
                case _:
                    place, day = self._somewhere()
                    cases.append(self._case(place, day, self._die.choice(SOURCES), self._die.choice(DISPUTES)))
        calendar, corrected = self._calendar(self._year), self._corrected_on
        return Year(
            seed=self._seed,
            year=self._year,
            county=self._county,
            towns=self._towns,
            villages=self._villages,
            days=self._days,
            calendar=calendar,
            following=self._calendar(self._year + 1),
            corrected=None if corrected is None else (corrected, self._correction(calendar, corrected)),
            committees=self._committees,
            workstations=self._workstations(),
            records=self._records(),
            submissions=tuple(self._submissions),
            issues=tuple(issues),
            cases=tuple(cases),
        )

    # The die, and days

    def _chance(self, percent: int) -> bool:
        return self._die.randrange(100) < percent

    def _working_days(self, *, sparse: bool) -> Days:
        """From the middle of December before to the end of January after."""
        first, last = date(self._year - 1, 12, 15), date(self._year + 1, 1, 31)
        days = [first + n * DAY for n in range((last - first).days + 1)]
        kept = [day for day in days if not sparse or day.day in SPARSE or (day + DAY).day == 1]
        if self._corrected_on is not None:
            # The day of a correction is its own: nothing else is done while deadlines are counted again.
            kept = [day for day in kept if day != self._corrected_on]
        return tuple(kept)

    def _after(self, day: date | None, most: int = 45, least: int = 1) -> date | None:
        """Some later day on which things are done, one in time if there is one; None once there is no later one."""
        if day is None:
            return None
        wanted = day + timedelta(days=self._die.randint(least, most) if self._chance(80) else least)
        at = bisect_right(self._days, wanted - DAY)
        return self._days[at] if at < len(self._days) else None

    def _some_day(self) -> date:
        """A day of the year mostly; sometimes before or after, or at a turn of a half or the year."""
        begins = bisect_right(self._days, date(self._year - 1, 12, 31))
        ends = bisect_right(self._days, date(self._year, 12, 31))
        match self._die.choices(["before", "within", "turn", "after"], [1, 16, 2, 1])[0]:
            case "before":
                return self._days[self._die.randrange(1, begins)]
            case "within":
                return self._days[self._die.randrange(begins, ends)]
            case "turn":
                turn = self._die.choice([date(self._year, 1, 1), date(self._year, 7, 1), date(self._year, 12, 31)])
                return self._days[bisect_right(self._days, turn - DAY)]
            case _:
                return self._days[self._die.randrange(ends, len(self._days))]

    def _earlier(self, day: date, since: date | None = None, percent: int = 25) -> datetime | None:
        """A moment before a day on which it is only entered, at the very beginning or end of its own day, perhaps.

        After the day ``since``, if one is given; None: it is entered when it happens.
        """
        first = day - 40 * DAY if since is None else since + DAY
        if not self._chance(percent) or first >= day:
            return None
        on = first + self._die.randrange((day - first).days) * DAY
        midnight = datetime.combine(on, time.min, SHANGHAI)
        moment = self._die.choice([midnight, midnight + 14 * timedelta(hours=1), midnight + DAY - TICK])
        return moment.astimezone(UTC)

    # The county

    def _places(self) -> tuple[Village, ...]:
        """Two or three villages a town; one may be registered late, one moves to the other town: under a new code."""
        villages = [
            Village(f"{town}{200 + n}", f"{town[6:]}镇{n}村", self._days[0])
            for town in self._towns
            for n in range(1, self._die.randint(2, 3) + 1)
        ]
        late = Village(f"{self._towns[0]}701", "新村", self._some_day(), provisional=True)
        moved = Village(f"{self._towns[1]}702", f"{villages[0].name}(划转)", date(self._year, 7, 1), provisional=True)
        return (*villages, *[one for one in (late, moved) if self._chance(60)])

    def _somewhere(self) -> tuple[str, date]:
        """A village and a day; what begins in a village that has moved begins under its new code."""
        day = self._some_day()
        village = self._die.choice([one for one in self._villages if one.registered <= day])
        moved = next((one for one in self._villages if one.name.startswith(f"{village.name}(")), None)
        return (village if moved is None or day < moved.registered else moved).code, day

    def _bodies(self) -> tuple[Committee, ...]:
        """The first town's committee always stands; others come late, end early or run out, and come again."""
        committees = [Committee(self._towns[0], (self._term(self._days[0], 9, full=True),))]
        for place in (self._towns[1], *(village.code for village in self._villages)):
            begins = self._days[0] if self._chance(60) else self._some_day()
            village = next((one for one in self._villages if one.code == place), None)
            if village is not None and begins < village.registered:
                begins = village.registered
            if self._chance(85):
                committees.append(Committee(place, self._terms(begins, 9 if village is None else 7)))
        return tuple(committees)

    def _terms(self, begins: date, size: int) -> tuple[Term, ...]:
        term = self._term(begins, size, full=self._chance(60))
        again = self._after(term.dissolved or term.until)
        return (term,) if again is None or self._chance(50) else (term, self._term(again, size, full=True))

    def _term(self, begins: date, size: int, *, full: bool) -> Term:
        term = Term(begins, date(self._year + 2, 12, 31), size, neighbourhood=self._chance(50))
        if full:
            return term
        if self._chance(50):
            return replace(term, until=begins + self._die.randint(30, 200) * DAY)
        return replace(term, dissolved=self._after(begins, 250))

    def _workstations(self) -> tuple[Workstation, ...]:
        found = list[Workstation]()
        for town in self._towns:
            opened = self._some_day()
            closed = self._after(opened, 200) if self._chance(40) else None
            again = self._after(closed) if self._chance(50) else None
            if self._chance(80):
                days = tuple(day for day in (opened, again) if day)
                found.append(Workstation(town, days, () if closed is None else (closed,)))
        return tuple(found)

    def _records(self) -> tuple[Record, ...]:
        kinds = {
            "meetings": ("party-committee", "cadre-staff", "leading-group"),
            "documents": ("",),
            "learning": ("",),
            "publicity": ("leaders", "cadres", "party-members"),
        }
        found = list[Record]()
        for _ in range(self._die.randint(0, 8) + self._matters // 20):
            what = self._die.choice(sorted(kinds))
            place, day = self._somewhere()
            place = place if self._chance(30) else place[:9]
            found.append(Record(place, what, self._die.choice(kinds[what]), day, self._earlier(day, percent=40)))
        return tuple(found)

    def _calendar(self, year: int) -> Calendar:
        """Some days off, and a weekend day worked for them."""
        holidays = [date(year, 1, 1)]
        for month in (2, 5, 10):
            first = date(year, month, self._die.randint(1, 15))
            holidays += [first + n * DAY for n in range(self._die.randint(1, 7))]
        weekend = next(date(year, 9, 1) + n * DAY for n in range(7) if (date(year, 9, 1) + n * DAY).weekday() == 5)
        return Calendar(tuple(holidays), (weekend,))

    def _correction(self, calendar: Calendar, day: date) -> Calendar:
        """Two days off were forgotten, at a turn where deadlines go over into the next period; another is none."""
        forgotten = date(self._year, day.month + 1, 1) if day.month < 12 else date(self._year + 1, 1, 1)
        return Calendar((*calendar.rest[:-1], forgotten - DAY, forgotten - 2 * DAY), calendar.work)

    # What people say, and what becomes of it

    def _word(self, place: str | None = None, day: date | None = None, *, linked: bool = False) -> int:
        if place is None or day is None:
            place, day = self._somewhere()
        number = len(self._submissions)
        spoken = Submission(number, place, self._die.choice(CHANNELS), day, self._earlier(day))
        before = [one for one in self._submissions[-30:] if one.place[:9] == place[:9] and not one.merged]
        standing = [one for one in before if one.day < day and one.withdrawn is None]
        later = self._after(day)
        if later is not None and not linked:
            if standing and self._chance(40):
                spoken = replace(spoken, merged=(later, self._die.choice(standing).number))
            elif self._chance(20):
                spoken = replace(spoken, withdrawn=later)
        self._submissions.append(spoken)
        return number

    def _issue(self, number: int) -> Issue:
        place, day = self._somewhere()
        said = [self._word(place, day, linked=True) for _ in range(self._die.choice([0, 1, 1, 2]))]
        registered = self._after(day) or day
        if registered == day:  # the year is over: what was said waits
            said = []
        dispute = self._die.choice(DISPUTES) if self._chance(40) else None
        issue = Issue(number, place, registered, self._die.choice(CATEGORIES), dispute, tuple(said))
        if said and self._chance(10):
            later = self._after(registered, 90)
            self._submissions[said[0]] = replace(self._submissions[said[0]], withdrawn=later)
        for _ in range(self._die.choice([0, 1, 1, 1, 2])):
            issue = replace(issue, classified=(*issue.classified, self._classified(registered)))
        screened = self._after(registered, 20)
        fate = self._die.choices(["admitted", "refused", "withdrawn", "waiting"], [16, 2, 2, 1])[0]
        if screened is None or fate == "waiting":
            return issue
        if fate == "refused":
            return replace(issue, refused=(screened, f"X0{self._die.randint(1, 7)}"))
        if fate == "withdrawn":
            return replace(issue, withdrawn=screened)
        issue = replace(issue, admitted=(screened, f"D{self._die.randint(1, 10):02d}"))
        if self._chance(10):
            return replace(issue, withdrawn=self._after(screened) if self._chance(50) else None)
        issue = replace(issue, approved=screened)
        if self._chance(20):
            issue = replace(issue, classified=(*issue.classified, self._classified(screened)))
        return self._handed_over(issue)

    def _classified(self, day: date) -> Classified:
        return Classified(day, self._die.choice(CATEGORIES), key=self._chance(60))

    def _handed_over(self, issue: Issue) -> Issue:
        """Hand it over until somebody has answered it, it is withdrawn, or the days run out."""
        day = self._after(issue.approved, 15)
        while day is not None and len(issue.handed_over) < 3 and not self._chance(5):
            hand, resolved, returned = self._hand_over(issue, day)
            issue = replace(issue, handed_over=(*issue.handed_over, hand))
            if resolved is not None:
                closing = self._after(resolved, 20)
                return replace(issue, closed=closing) if self._chance(85) else issue
            if returned is None:
                return issue if self._chance(70) else self._withdrawn(issue)
            day = self._after(returned, 30)
        return issue

    def _withdrawn(self, issue: Issue) -> Issue:
        """Take back what is not answered yet: later than anything that was done about it."""
        day = self._after(_last(issue.handed_over[-1]), 30)
        return replace(issue, withdrawn=day)

    def _hand_over(self, issue: Issue, day: date) -> tuple[HandOver, date | None, date | None]:
        """Return the hand-over, and the day on which it resolved the issue or gave it back; neither: it goes on."""
        routes = ["deliberation", "direct-handling", self._die.choice(OUTSIDE)]
        if issue.dispute is not None:
            routes += ["mediation", "mediation"]
        route = self._die.choices(routes, [5, 2, 1, 3, 3][: len(routes)])[0]
        match route:
            case "deliberation":
                deliberation, resolved, returned = self._deliberation(issue.place, day)
                return HandOver(day, route, deliberation=deliberation), resolved, returned
            case "mediation":
                case = self._case(issue.place, day, "routed", issue.dispute or "other")
                resolved = None if case.agreement is None else case.agreement.day
                returned = case.declined or (case.failed[0] if case.failed else None)
                return HandOver(day, route, case=case), resolved, returned
            case "direct-handling":
                promise = self._promise(day, None)
                return HandOver(day, route, promise=promise), promise.verified, None
            case _:
                replied = self._after(day) if self._chance(80) else None
                return HandOver(day, route, replied=replied), replied, None

    # At the table

    def _stands(self, place: str, day: date) -> bool:
        return any(committee.place == place and committee.stands(day) for committee in self._committees)

    def _deliberation(self, place: str, day: date) -> tuple[Deliberation, date | None, date | None]:
        if not (self._stands(place, day) or self._stands(place[:9], day)):
            return Deliberation(nobody=True), None, day
        opened = self._after(day, 10)
        if opened is None or self._chance(5):
            return Deliberation(), None, None
        if self._chance(8):
            return Deliberation(declined=opened), None, opened
        sessions, outcomes, now = list[Session](), list[Outcome](), opened
        for _ in range(self._die.choice([1, 1, 2])):
            session = self._session(place, now)
            if session is None:
                break
            sessions.append(session)
            later = session.signed or session.held or session.failed or session.planned
            if session.signed is None:
                now = self._after(later) or later
                continue
            outcome, now = self._outcome(place, len(sessions) - 1, session.signed)
            outcomes.append(outcome)
            if outcome.adopted is not None:
                return self._concluded(Deliberation(False, opened, None, tuple(sessions), tuple(outcomes)), outcome)
            if outcome.refused is None:
                return Deliberation(opened=opened, sessions=tuple(sessions), outcomes=tuple(outcomes)), None, None
        met = Deliberation(opened=opened, sessions=tuple(sessions), outcomes=tuple(outcomes))
        ended = self._after(now)
        if ended is None or self._chance(30):
            return met, None, None
        result = self._die.choice(["no-consensus", "referred"])
        survey = self._survey(ended) if self._chance(20) else None
        return replace(met, ended=(ended, result), survey=survey), None, ended

    def _concluded(self, met: Deliberation, adopted: Outcome) -> tuple[Deliberation, date | None, date | None]:
        """A referral gives the issue back; a consensus resolves it once the last promise is verified."""
        day = adopted.adopted
        survey = self._survey(day) if self._chance(70) else None
        if adopted.kind == "referral":
            return replace(met, survey=survey), None, day
        verified = [promise.verified for promise in adopted.promises if promise.verified]
        kept = len(verified) == len(adopted.promises)
        return replace(met, survey=survey), max(verified, default=day) if kept else None, None

    def _session(self, place: str, day: date) -> Session | None:
        """Of the village's committee or the town's, whichever stands."""
        standing = [where for where in (place, place[:9]) if self._stands(where, day)]
        if not standing:
            return None
        where = self._die.choice(standing)
        scale = self._die.choice(["micro", "micro", "regular"])
        waived = self._chance(40)
        session = Session(
            place=where,
            planned=day,
            form=self._die.choice(FORMS),
            scale=scale,
            members=self._die.randint(3, 5) if scale == "micro" else self._die.randint(6, 7 if len(where) == 9 else 6),
            cppcc=self._die.randrange(3),
            guests=self._die.randrange(3),
            sides=self._die.randint(1 if waived else 0, 3),
            waived=waived,
        )
        meets = self._after(day, 30, 1 if waived or scale == "micro" else 21)
        if meets is not None and self._chance(10):
            session, meets = replace(session, failed=meets), self._after(meets, 40, 21)
        if meets is None or self._chance(5):
            return session
        session = replace(session, held=meets)
        signs = meets if self._chance(60) else self._after(meets, 14)
        return session if self._chance(8) else replace(session, signed=signs)

    def _outcome(self, place: str, session: int, day: date) -> tuple[Outcome, date]:
        outcome = Outcome(session, day, self._die.choice(KINDS))
        decided = self._after(day, 20)
        if decided is None or self._chance(10):
            return outcome, day
        if self._chance(20):
            return replace(outcome, refused=decided), decided
        outcome = replace(outcome, adopted=decided, partly=self._chance(25))
        if outcome.kind != "referral":
            promises = [self._promise(decided, self._due(decided)) for _ in range(self._die.choice([0, 1, 1, 2]))]
            outcome = replace(outcome, promises=tuple(promises))
        return outcome, decided

    def _due(self, day: date) -> date:
        return day + self._die.randint(0, 120) * DAY

    def _promise(self, opened: date, due: date | None) -> Promise:
        """Kept in time or late, contested and kept again, left undone, or not yet looked at."""
        promise, since = Promise(opened, due), opened
        while len(promise.done) < 3:
            day = self._after(since, 60)
            if day is None or self._chance(10):
                return promise
            done = Done(day, self._earlier(day, since, 40))
            later = self._after(day, 30)
            if later is not None and self._chance(20):
                promise, since = replace(promise, done=(*promise.done, replace(done, contested=later))), later
                continue
            promise = replace(promise, done=(*promise.done, done))
            return promise if self._chance(15) else replace(promise, verified=later)
        return promise

    def _survey(self, day: date | None) -> Survey | None:
        opened = self._after(day, 30)
        if opened is None:
            return None
        eligible, now, ratings = self._die.randint(1, 15), opened, list[tuple[date, str]]()
        for _ in range(self._die.randint(0, eligible)):
            ratings.append((now, self._die.choice(RATINGS)))
            now = (self._after(now, 40) or now) if self._chance(30) else now
        return Survey(opened, eligible, tuple(ratings), self._after(now) if self._chance(60) else None)

    # With a mediator

    def _case(self, place: str, opened: date, source: str, dispute: str) -> Case:
        case = Case(self._cases, place, opened, source, dispute)
        self._cases += 1
        asked = self._after(opened, 10)
        if asked is None or self._chance(5):
            return case
        if self._chance(15):
            return replace(case, declined=asked)
        case = replace(case, accepted=asked)
        if self._chance(5):
            return self._failed(case, asked)
        meets = self._after(asked, 10)
        case = replace(case, assigned=meets)
        if meets is None or self._chance(5):
            return case
        if self._chance(25):
            return self._failed(case, meets)
        agreed = self._after(meets, 20)
        return case if agreed is None else self._agreed(case, agreed)

    def _failed(self, case: Case, since: date) -> Case:
        day = self._after(since, 20)
        if day is None:
            return case
        closed = self._after(day) if self._chance(60) else None
        return replace(case, failed=(day, self._die.choice(FAILURES)), closed=closed)

    def _agreed(self, case: Case, day: date) -> Case:
        oral = self._chance(15)
        agreement = Agreement(day, not oral, day if oral else day + self._die.randint(0, 90) * DAY)
        later = self._after(day, 60)
        if later is not None and self._chance(20):
            agreement, later = replace(agreement, breached=later), self._after(later, 60)
            if later is None or self._chance(50):
                return replace(case, agreement=agreement, closed=later if self._chance(50) else None)
        if later is not None and self._chance(80):
            agreement = replace(agreement, performed=Done(later, self._earlier(later, day, 40)))
            case = replace(case, closed=self._after(later) if self._chance(60) else None)
        return replace(case, agreement=agreement)


def _last(hand: HandOver) -> date:
    """The last day on which anything was done about a hand-over."""
    days = [hand.day, *_days(hand.deliberation), *_days(hand.case), *_days(hand.promise)]
    return max(days)


def _days(thing: Any) -> Sequence[date]:
    """Every day that something holds, however deep."""
    match thing:
        case datetime():
            return []
        case date():
            return [thing]
        case [*several]:
            return [day for one in several for day in _days(one)]
        case str() | int() | None:
            return []
        case _:
            return [day for one in fields(thing) for day in _days(getattr(thing, one.name))]
