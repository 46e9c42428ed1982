"""Procedure: sizes, notice periods and quorums that the rules ask for, as versioned data."""

import tomllib
from functools import cache
from pathlib import Path

from eventlog.facts import Value
from facts.deliberation.session import Scale
from vocabulary.calendar import Period
from vocabulary.divisions import Level
from vocabulary.words import Code, Count


class Size(Value):
    """How many members, both ends included."""

    smallest: Count
    largest: Count


class CommitteeRules(Value):
    term_years: Count
    village: Size
    town: Size

    def size(self, level: Level) -> Size | None:
        """Return what a committee of that level must measure; None where no committee can be."""
        match level:
            case Level.VILLAGE:
                return self.village
            case Level.TOWN:
                return self.town
            case Level.COUNTY:
                return None


class NoticeRules(Value):
    micro: Period
    village: Period
    town: Period

    def period(self, scale: Scale, level: Level) -> Period:
        """Return how long before a session its notice goes out."""
        if scale is Scale.MICRO:
            return self.micro
        return self.village if level is Level.VILLAGE else self.town


class QuorumRules(Value):
    """``needed`` out of every ``of``."""

    needed: Count
    of: Count

    def among(self, members: int) -> int:
        """Return how many of the members must be there: the share, rounded up."""
        return -(-members * self.needed // self.of)


class Procedure(Value):
    """The rules of procedure in force."""

    version: Code
    committee: CommitteeRules
    notice: NoticeRules
    quorum: QuorumRules
    handling: Period


@cache
def default_procedure() -> Procedure:
    """Return the rules shipped with this version."""
    return Procedure.model_validate(tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")))
