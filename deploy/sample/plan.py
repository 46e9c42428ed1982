"""Plan: what is to happen in a town's year, as its data file says it. Nothing here knows how it is done."""

import tomllib
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Day = Annotated[str, StringConstraints(pattern=r"^[01][0-9]-[0-3][0-9]$")]
"""Month and day, of whatever year is lived."""


def on(day: Day, year: int) -> date:
    """The day in a year. Raises ValueError: it has no such day."""
    month, _, number = day.partition("-")
    return date(year, int(month), int(number))


class Said(NamedTuple):
    """What was said: when, through which channel, by whom ("": nobody named), and the words."""

    day: Day
    channel: str
    by: str
    words: str


class Part(BaseModel):
    """A part of the plan: nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Meeting(Part):
    """``withdrawn``: it was recorded in error; why."""

    day: Day
    kind: str
    topic: str
    attendees: int
    withdrawn: str | None = None


class Document(Part):
    day: Day
    number: int
    title: str
    enacts: str


class Learning(Part):
    """``attended``: how many members."""

    day: Day
    topic: str
    attended: int


class Publicity(Part):
    day: Day
    lead: str
    channel: str
    title: str


class Renewal(Part):
    """A committee whose term ends on the day ``until``; the next is established on ``day``."""

    village: str
    until: Day
    day: Day


class Correction(Part):
    """The county makes the days ``first`` to ``last`` days off."""

    day: Day
    first: Day
    last: Day
    source: str


class Answer(StrEnum):
    """How an issue ends: by the route that answers it, or before any."""

    DELIBERATION = "deliberation"
    MEDIATION = "mediation"
    DIRECT_HANDLING = "direct-handling"
    DEPARTMENT = "department"
    PETITION = "petition"
    ESCALATION = "escalation"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    WAITING = "waiting"


class Twist(StrEnum):
    """What does not go straight with an issue."""

    QUORUM_FAILED_FIRST = "quorum-failed-first"
    UNSIGNED_FIRST = "unsigned-first"  # a session whose minutes nobody signed
    NO_CONSENSUS_FIRST = "no-consensus-first"
    OUTCOME_REFUSED_FIRST = "outcome-refused-first"
    PARTLY = "partly"  # less was adopted than submitted
    CONTESTED = "contested"
    LATE = "late"
    RECORDED_LATE = "recorded-late"  # done in time, and entered after the deadline
    MISROUTED = "misrouted"
    WITHDRAWN = "withdrawn-while-handled"


TWISTS = {
    Answer.DELIBERATION: frozenset(Twist) - {Twist.RECORDED_LATE, Twist.WITHDRAWN},
    Answer.MEDIATION: frozenset({Twist.MISROUTED}),
    Answer.DIRECT_HANDLING: frozenset({Twist.LATE, Twist.RECORDED_LATE, Twist.WITHDRAWN, Twist.MISROUTED}),
    Answer.DEPARTMENT: frozenset({Twist.MISROUTED}),
    Answer.PETITION: frozenset({Twist.MISROUTED}),
    Answer.ESCALATION: frozenset({Twist.MISROUTED}),
}
"""Which of them an answer can take."""


class CaseTwist(StrEnum):
    """What does not go straight with a case."""

    BREACHED = "breached"
    MADE_GOOD = "breached-and-made-good"
    PARTY_REFUSED = "party-refused"
    FAILED = "failed"


class Issue(Part):
    """One problem. Whoever says it again after the first is merged with the first.

    ``rated``: how many were very satisfied, satisfied, basically satisfied, dissatisfied. ``complaint``: what somebody
    found wanting; ``withdrawn``: why it was taken back.
    """

    village: str
    said: tuple[Said, ...]
    headline: str
    category: str
    answer: Answer
    dispute: str | None = None
    clause: str | None = None
    key: bool = True
    form: str = "meeting"
    scale: Literal["micro", "regular"] = "micro"
    sides: dict[str, str] = Field(default_factory=dict)
    parties: tuple[str, ...] = ()
    agreed: str = ""
    promise: str = ""
    rated: tuple[int, int, int, int] | None = None
    reply: str = ""
    complaint: str = ""
    withdrawn: str = ""
    redirect: str = ""
    remedy: str = ""
    twists: frozenset[Twist] = frozenset()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse an issue that lacks what its answer needs."""
        needed = {
            Answer.DELIBERATION: (self.clause, self.sides, self.agreed, self.promise),
            Answer.MEDIATION: (self.clause, self.dispute, self.parties, self.agreed),
            Answer.DIRECT_HANDLING: (self.clause,),
            Answer.DEPARTMENT: (self.clause, self.reply),
            Answer.PETITION: (self.clause, self.reply),
            Answer.ESCALATION: (self.clause, self.reply),
            Answer.REFUSED: (self.clause, self.redirect, self.remedy),
            Answer.WITHDRAWN: (),
            Answer.WAITING: (self.clause,),
        }
        if not all(needed[self.answer]):
            raise ValueError(f"{self.headline} lacks what {self.answer} needs")
        if odd := self.twists - TWISTS.get(self.answer, frozenset()):
            raise ValueError(f"{self.headline}: {self.answer} takes no {', '.join(odd)}")
        return self


class Submission(Part):
    """Words that became no issue. ``said_at``: on paper, before they were entered. ``withdrawn``: why."""

    village: str
    said: Said
    said_at: Day | None = None
    withdrawn: str | None = None


class Case(Part):
    """A dispute that came to the mediators by itself."""

    village: str
    day: Day
    source: str
    dispute: str
    words: str
    parties: tuple[str, ...]
    agreed: str = ""
    twists: frozenset[CaseTwist] = frozenset()


class Plan(Part):
    """``villages``: all of them; the last has no deliberation committee."""

    county: str
    town: str
    villages: tuple[str, ...]
    station: str
    meetings: tuple[Meeting, ...] = Field(alias="meeting")
    documents: tuple[Document, ...] = Field(alias="document")
    learning: tuple[Learning, ...]
    publicity: tuple[Publicity, ...]
    renewal: Renewal
    correction: Correction
    issues: tuple[Issue, ...] = Field(alias="issue")
    submissions: tuple[Submission, ...] = Field(alias="submission")
    cases: tuple[Case, ...] = Field(alias="case")

    @classmethod
    def load(cls) -> "Plan":
        """Read the plan that comes with this package."""
        return cls.model_validate(tomllib.loads((files("deploy.sample") / "xiangdao.toml").read_text("utf-8")))
