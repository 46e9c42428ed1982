"""Question: of which county, place and days a figure is asked, and over which facts it is computed."""

import re
from datetime import date, datetime, time, timedelta

from pydantic import Field

from eventlog.facts import Value
from vocabulary.calendar import SHANGHAI
from vocabulary.divisions import DivisionCode

_AT = re.compile(r"intake-([0-9]{1,18}),deliberation-([0-9]{1,18}),mediation-([0-9]{1,18})")


class Positions(Value):
    """Up to where each service's facts are seen. The same positions see the same facts, whenever they are asked."""

    intake: int = Field(default=0, ge=0)
    deliberation: int = Field(default=0, ge=0)
    mediation: int = Field(default=0, ge=0)

    @classmethod
    def parse(cls, text: str) -> "Positions":
        """Read ``intake-57,deliberation-30,mediation-12``. Raises ValueError."""
        match = _AT.fullmatch(text)
        if match is None:
            raise ValueError("positions are written intake-57,deliberation-30,mediation-12")
        return cls(intake=int(match[1]), deliberation=int(match[2]), mediation=int(match[3]))

    def __str__(self) -> str:
        return f"intake-{self.intake},deliberation-{self.deliberation},mediation-{self.mediation}"

    def reach(self, others: "Positions") -> bool:
        """Whether all that ``others`` see is seen here too."""
        return (
            self.intake >= others.intake
            and self.deliberation >= others.deliberation
            and self.mediation >= others.mediation
        )


class Question(Value):
    """A division and all that lies in it; the days ``first`` to ``last``, both included, in Shanghai."""

    tenant: str
    division: DivisionCode
    first: date
    last: date
    at: Positions

    @property
    def begins(self) -> datetime:
        return datetime.combine(self.first, time.min, SHANGHAI)

    @property
    def ends(self) -> datetime:
        """The first instant that no longer belongs to it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, SHANGHAI)
