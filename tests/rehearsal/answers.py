"""Answers: the figures of a year by plain counting over its plan, told before anything of it is called.

Each is counted as domain.md, section 6.1, and the figure's printed sentence say. No fact, no indicator and no rule of
the platform is used here: what is wrong there must not be wrong here as well.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.rehearsal.figures import Asked, Counted, Figure, Figures, Rated
from tests.rehearsal.year import (
    Agreement,
    Case,
    Committee,
    Done,
    Issue,
    Outcome,
    Promise,
    Session,
    Survey,
    Term,
    Workstation,
    Year,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")  # its own, not the platform's: see above
FEWEST_RATINGS = 5
DIRECT_HANDLING = timedelta(days=30)


@dataclass(frozen=True)
class Kept:
    """A promise as it went: when it was due in the end, and which of the times it was called done were in time."""

    promise: Promise
    due: date
    in_time: Sequence[bool]
    cancelled: bool


def answers(year: Year, asked: Asked) -> Figures:
    """Count every figure."""
    return _Count(year, asked).figures()


def day_of(day: date, moment: datetime | None) -> date:
    """The day something happened on: the day it was entered, unless an earlier moment stands beside it."""
    return day if moment is None else moment.astimezone(SHANGHAI).date()


def kept(promise: Promise, year: Year, withdrawn: date | None) -> Kept:
    """Follow a promise: a deadline in days is counted again when the calendar is corrected, or it is open again."""
    due = promise.due or _in_thirty_days(promise.opened, year, promise.opened)
    in_time, open_since = list[bool](), promise.opened
    ends = [*((done.day, done) for done in promise.done), (date.max, None)]
    for until, done in ends:
        corrected = None if year.corrected is None else year.corrected[0]
        if corrected is not None and open_since < corrected < until and not (withdrawn and withdrawn < corrected):
            due = _again(promise, due, corrected, year)
        if done is None:
            break
        in_time.append(day_of(done.day, done.at) <= due)
        if done.contested is None:
            break
        open_since = done.contested
        due = _again(promise, due, open_since, year)
    return Kept(promise, due, in_time, cancelled=withdrawn is not None and promise.verified is None)


def _again(promise: Promise, due: date, today: date, year: Year) -> date:
    """Nobody becomes late by a correction who was not: a new day that has passed already is not taken."""
    if promise.due is not None:
        return due
    again = _in_thirty_days(promise.opened, year, today)
    return due if again < due and again < today else again


def _in_thirty_days(opened: date, year: Year, known: date) -> date:
    """The thirtieth day after, or the next day that is worked."""
    day = opened + DIRECT_HANDLING
    while not year.works(day, known=known):
        day += timedelta(days=1)
    return day


class _Count:
    """The year's things that lie in the division asked for."""

    def __init__(self, year: Year, asked: Asked) -> None:
        self._year = year
        self._asked = asked
        self._issues = [issue for issue in year.issues if self._here(issue.place)]
        self._cases = [case for case in year.all_cases() if self._here(case.place)]
        deliberations = [hand.deliberation for issue in self._issues for hand in issue.handed_over if hand.deliberation]
        self._surveys: Sequence[Survey] = [one.survey for one in deliberations if one.survey]
        self._outcomes: Sequence[Outcome] = [outcome for one in deliberations for outcome in one.outcomes]
        self._promises = [one for issue in self._issues for one in self._promised(issue)]

    def _here(self, place: str) -> bool:
        return place.startswith(self._asked.division)

    def _in(self, day: date | None) -> bool:
        return day is not None and self._asked.days(day)

    def _promised(self, issue: Issue) -> Iterable[Kept]:
        for hand in issue.handed_over:
            # What is withdrawn is withdrawn from whoever has it: the last.
            withdrawn = issue.withdrawn if hand is issue.handed_over[-1] else None
            made = [hand.promise] if hand.promise else []
            for outcome in hand.deliberation.outcomes if hand.deliberation else ():
                made += outcome.promises
            yield from (kept(promise, self._year, withdrawn) for promise in made)

    def figures(self) -> Figures:
        return {
            **self._organisation(),
            **self._collection(),
            **self._sessions(),
            **self._handling(),
            **self._disputes(),
            **self._satisfaction(),
        }

    def _organisation(self) -> Figures:
        records = [one for one in self._year.records if self._here(one.place)]
        held = [one for one in records if self._in(day_of(one.day, one.happened)) and one.withdrawn is None]

        def number(what: str, kind: str = "") -> Figure:
            return count(one for one in held if one.what == what and kind in ("", one.kind))

        committees = [
            term
            for committee in self._year.committees
            if self._here(committee.place)
            for term in standing(committee, self._asked.last)
        ]
        stations = [one for one in self._year.workstations if self._here(one.town) and open_(one, self._asked.last)]
        return {
            "party-committee-meetings": number("meetings", "party-committee"),
            "cadre-meetings": number("meetings", "cadre-staff"),
            "leading-group-meetings": number("meetings", "leading-group"),
            "documents-issued": number("documents"),
            "learning-sessions": number("learning"),
            "publicity": by(one.kind for one in held if one.what == "publicity"),
            "workstations": count(stations),
            "committees": count(committees),
            "neighbourhood-committees": count(term for term in committees if term.neighbourhood),
        }

    def _collection(self) -> Figures:
        words = [one for one in self._year.submissions if self._here(one.place)]
        received = [one for one in words if self._in(day_of(one.day, one.said))]
        registered = [one for one in self._issues if self._in(one.registered) and one.withdrawn is None]
        key = [one.classified[-1] for one in registered if one.classified and one.classified[-1].key]
        admitted = [one for one in self._issues if one.admitted and self._in(one.admitted[0])]
        accepted = [one for one in admitted if one.withdrawn is None]
        return {
            "opinions-collected": by(one.channel for one in received),
            "opinions-deduplicated": by(one.channel for one in received if not one.merged and not one.withdrawn),
            "opinions-withdrawn": count(one for one in words if self._in(one.withdrawn)),
            "issues-registered": count(registered),
            "key-issues": by(one.category for one in key),
            "issues-admitted": by(one.admitted[1] for one in admitted if one.admitted),
            "issues-refused": by(one.refused[1] for one in self._issues if one.refused and self._in(one.refused[0])),
            "issue-closure-rate": rate(sum(one.closed is not None for one in accepted), len(accepted)),
        }

    def _sessions(self) -> Figures:
        signed = [one for one in met(self._year) if self._here(one.place) and self._in(one.signed)]
        return {
            "sessions": by(one.form for one in signed),
            "sessions-by-scale": by(one.scale for one in signed),
            "sessions-by-level": by("town" if len(one.place) == len("620724100") else "village" for one in signed),
            "micro-consultations": by(one.form for one in signed if one.scale == "micro"),
            "attendances": Counted(sum(one.attendances for one in signed), {}),
            "cppcc-attendances": Counted(sum(one.cppcc for one in signed), {}),
        }

    def _handling(self) -> Figures:
        submitted = [one for one in self._outcomes if self._in(one.submitted)]
        opened = [one for one in self._promises if self._in(one.promise.opened) and not one.cancelled]
        due = [one for one in self._promises if self._in(one.due) and not one.cancelled]
        in_time = [one for one in due if one.promise.verified and one.in_time[-1]]
        return {
            "outcomes-submitted": by(one.kind for one in submitted),
            "adoption-rate": rate(sum(one.adopted is not None for one in submitted), len(submitted)),
            "commitments-opened": count(opened),
            "commitments-closed": count(one for one in self._promises if self._in(one.promise.verified)),
            "commitment-closure-rate": rate(sum(one.promise.verified is not None for one in opened), len(opened)),
            "timely-closure-rate": rate(len(in_time), len(due)),
        }

    def _disputes(self) -> Figures:
        accepted = [one for one in self._cases if self._in(one.accepted)]
        agreements = [one.agreement for one in self._cases if one.agreement and self._in(one.agreement.perform_by)]
        resolved = [(settled(one), one.source) for one in self._cases]
        resolved += [
            (outcome.adopted, "routed")
            for issue in self._issues
            if issue.dispute
            for hand in issue.handed_over
            if hand.deliberation
            for outcome in hand.deliberation.outcomes
            if outcome.kind != "referral"
        ]
        return {
            "disputes-resolved": by(source for day, source in resolved if self._in(day)),
            "disputes-accepted": by(one.dispute for one in accepted),
            "mediation-success-rate": rate(sum(one.agreement is not None for one in accepted), len(accepted)),
            "performance-rate": rate(sum(one.performed is not None for one in agreements), len(agreements)),
        }

    def _satisfaction(self) -> Figures:
        told = [rating for one in self._surveys for day, rating in one.ratings if self._in(day)]
        satisfied = sum(rating != "dissatisfied" for rating in told)
        opened = [one for one in self._surveys if self._in(one.opened)]
        rated = sum(len(one.ratings) for one in opened)
        eligible = sum(one.eligible for one in opened)
        return {
            "satisfaction-rate": rate(satisfied, len(told), hidden=len(told) < FEWEST_RATINGS),
            "participation-rate": rate(rated, eligible, hidden=rated < FEWEST_RATINGS),
        }


def met(year: Year) -> Iterable[Session]:
    """Every session, whose minutes may be signed or not."""
    return (session for hand in year.hand_overs() if hand.deliberation for session in hand.deliberation.sessions)


def settled(case: Case) -> date | None:
    """When a case was settled for good: by its agreement; one broken, only when it was made good."""
    match case.agreement:
        case None:
            return None
        case Agreement(day=day, breached=None):
            return day
        case Agreement(performed=Done(day=day, at=at)):
            return day_of(day, at)
        case Agreement():
            return None


def standing(committee: Committee, last: date) -> Iterable[Term]:
    """Terms begun by a day, and neither dissolved nor over by its end."""
    begun = [term for term in committee.terms if term.established <= last]
    return (term for term in begun if last < term.until and not (term.dissolved and term.dissolved <= last))


def open_(station: Workstation, last: date) -> bool:
    return sum(day <= last for day in station.opened) > sum(day <= last for day in station.closed)


def count(things: Iterable[object]) -> Counted:
    return Counted(sum(1 for _ in things), {})


def by(values: Iterable[str]) -> Counted:
    """Count, and tell apart by these values."""
    parts = Counter(values)
    return Counted(parts.total(), dict(parts))


def rate(numerator: int, denominator: int, *, hidden: bool = False) -> Rated:
    """``hidden``: so few that it would tell who said what."""
    if hidden:
        return Rated(None, denominator, None, "too-few")
    if denominator == 0:
        return Rated(numerator, 0, None, "nothing-to-compare")
    return Rated(numerator, denominator, round(numerator / denominator, 4), None)


def questions(year: Year) -> Sequence[Asked]:
    """What is asked of a year: of its county, its towns and a village; the year, a half, a quarter, the months around
    its end.
    """
    y = year.year
    whole = date(y, 1, 1), date(y, 12, 31)
    halves = (whole[0], date(y, 6, 30)), (date(y, 7, 1), whole[1])
    quarters = [(date(y, 1, 1), date(y, 3, 31)), (date(y, 4, 1), date(y, 6, 30)), (date(y, 10, 1), date(y, 12, 31))]
    village = year.villages[year.seed % len(year.villages)].code
    return (
        Asked(year.county, *whole),
        Asked(year.towns[year.seed % 2], *whole),
        Asked(year.towns[1 - year.seed % 2], *halves[year.seed // 2 % 2]),
        Asked(village, *whole),
        Asked(year.county, date(y, 12, 1), date(y, 12, 31) if year.seed % 2 else date(y + 1, 1, 31)),
        Asked(year.county, *(halves[year.seed % 2] if year.seed % 3 else quarters[year.seed // 3 % 3])),
    )
