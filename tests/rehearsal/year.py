"""Year: what happens in a county around one year, as plain data, before anything is called.

Words are the ones that people send (a channel, a route, a kind), places are division codes, and ``day`` is the day on
which somebody comes to the desk. Where a moment stands beside a day, it happened then and is entered on that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

Days = tuple[date, ...]
SATURDAY = 5


@dataclass(frozen=True)
class Village:
    """A village under its code: official, or provisional. A village that moves town goes on under another code."""

    code: str
    name: str
    registered: date
    provisional: bool = False


@dataclass(frozen=True)
class Term:
    """A committee from a day on, for a term; dissolved before its end, perhaps. The next follows on the stream."""

    established: date
    until: date
    size: int
    neighbourhood: bool
    dissolved: date | None = None


@dataclass(frozen=True)
class Committee:
    place: str
    terms: tuple[Term, ...]

    def stands(self, day: date) -> bool:
        """Whether it takes topics and meets on a day."""
        return any(
            term.established <= day <= term.until and not (term.dissolved and term.dissolved <= day)
            for term in self.terms
        )


@dataclass(frozen=True)
class Workstation:
    """From each day of ``opened`` up to the day of ``closed`` beside it, or for good."""

    town: str
    opened: Days
    closed: Days


@dataclass(frozen=True)
class Record:
    """A body's work: ``what`` is meetings, documents, learning or publicity; ``kind`` the meeting's or the lead.

    ``withdrawn``: it was entered in error.
    """

    place: str
    what: str
    kind: str
    day: date
    happened: datetime | None = None
    withdrawn: date | None = None


@dataclass(frozen=True)
class Submission:
    """``said``: paper, entered later. ``merged``: on which day into which other."""

    number: int
    place: str
    channel: str
    day: date
    said: datetime | None = None
    merged: tuple[date, int] | None = None
    withdrawn: date | None = None


@dataclass(frozen=True)
class Classified:
    day: date
    category: str
    key: bool


@dataclass(frozen=True)
class Done:
    """The unit says it is done: ``at``, entered on ``day``; somebody contests it, perhaps."""

    day: date
    at: datetime | None = None
    contested: date | None = None


@dataclass(frozen=True)
class Promise:
    """``due``: the day named; None: thirty days, as the procedure gives direct handling."""

    opened: date
    due: date | None
    done: tuple[Done, ...] = ()
    verified: date | None = None


@dataclass(frozen=True)
class Session:
    """``failed``: the day on which too few came. ``signed``: the minutes; without them it counts for nothing.

    ``also``: another open topic on its agenda, by the number of its issue and of the hand-over.
    """

    place: str
    planned: date
    form: str
    scale: str
    members: int
    cppcc: int
    guests: int
    sides: int
    waived: bool
    also: tuple[int, int] | None = None
    failed: date | None = None
    held: date | None = None
    signed: date | None = None

    @property
    def attendances(self) -> int:
        return self.members + self.cppcc + self.guests + self.sides


@dataclass(frozen=True)
class Outcome:
    """Submitted of the session of that number; adopted with promises, or refused, or still waiting."""

    session: int
    submitted: date
    kind: str
    adopted: date | None = None
    partly: bool = False
    promises: tuple[Promise, ...] = ()
    refused: date | None = None


@dataclass(frozen=True)
class Survey:
    opened: date
    eligible: int
    ratings: tuple[tuple[date, str], ...]
    closed: date | None = None


@dataclass(frozen=True)
class Deliberation:
    """``nobody``: no committee could take it, which is found out at once. ``ended``: without consensus, on a day."""

    nobody: bool = False
    opened: date | None = None
    declined: date | None = None
    sessions: tuple[Session, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    ended: tuple[date, str] | None = None
    survey: Survey | None = None


@dataclass(frozen=True)
class Agreement:
    day: date
    written: bool
    perform_by: date
    breached: date | None = None
    performed: Done | None = None


@dataclass(frozen=True)
class Case:
    """``opened`` by the parties, or by the hand-over of an issue. ``failed``: on which day, why."""

    number: int
    place: str
    opened: date
    source: str
    dispute: str
    declined: date | None = None
    accepted: date | None = None
    assigned: date | None = None
    failed: tuple[date, str] | None = None
    agreement: Agreement | None = None
    closed: date | None = None


@dataclass(frozen=True)
class HandOver:
    """To whom an issue goes, and what came of it: whichever of the answers belongs to the route."""

    day: date
    route: str
    deliberation: Deliberation | None = None
    case: Case | None = None
    promise: Promise | None = None
    replied: date | None = None


@dataclass(frozen=True)
class Issue:
    """``admitted`` and ``refused`` name the clause. ``withdrawn``: whoever had it stops."""

    number: int
    place: str
    registered: date
    category: str
    dispute: str | None = None
    submissions: tuple[int, ...] = ()
    classified: tuple[Classified, ...] = ()
    admitted: tuple[date, str] | None = None
    refused: tuple[date, str] | None = None
    approved: date | None = None
    handed_over: tuple[HandOver, ...] = ()
    closed: date | None = None
    withdrawn: date | None = None


@dataclass(frozen=True)
class Calendar:
    """Days off and weekend days worked, as the county publishes them of a year."""

    rest: Days
    work: Days = ()

    def works(self, day: date) -> bool:
        return day not in self.rest and (day in self.work or day.weekday() < SATURDAY)


@dataclass(frozen=True)
class Year:
    """A county's year, and what reaches into it from before and after.

    ``days``: those on which anything is done, the first to set the county up. ``calendar`` is the year's own, corrected
    on a day, perhaps; ``following`` the next year's.
    """

    seed: int
    year: int
    county: str
    towns: tuple[str, ...]
    villages: tuple[Village, ...]
    days: Days
    calendar: Calendar
    following: Calendar
    corrected: tuple[date, Calendar] | None = None
    committees: tuple[Committee, ...] = ()
    workstations: tuple[Workstation, ...] = ()
    records: tuple[Record, ...] = ()
    submissions: tuple[Submission, ...] = ()
    issues: tuple[Issue, ...] = ()
    cases: tuple[Case, ...] = ()

    def __str__(self) -> str:
        return f"seed {self.seed}: {len(self.submissions)} words, {len(self.issues)} issues, {len(self.cases)} cases"

    def works(self, day: date, *, known: date) -> bool:
        """Whether a day is worked, by what the county's calendar says on the day ``known``."""
        if day.year != self.year:
            return self.following.works(day)
        if self.corrected is not None and self.corrected[0] <= known:
            return self.corrected[1].works(day)
        return self.calendar.works(day)

    def hand_overs(self) -> Sequence[HandOver]:
        return [hand for issue in self.issues for hand in issue.handed_over]

    def all_cases(self) -> Sequence[Case]:
        """Those the parties brought, and those that issues were handed to."""
        return [*self.cases, *(hand.case for hand in self.hand_overs() if hand.case)]
