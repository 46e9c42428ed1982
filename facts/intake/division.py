"""Places and the bodies at them, as the county registered them."""

from eventlog.facts import Fact
from vocabulary.divisions import DivisionCode, DivisionKind
from vocabulary.organs import OrganId, OrganKind
from vocabulary.words import Day, Flag, Line


class DivisionRegistered(Fact, name="division-registered"):
    """``provisional``: the official code was not to be had; this one may be replaced, with history."""

    division: DivisionCode
    name: Line
    kind: DivisionKind
    provisional: Flag
    valid_from: Day


class OrganRegistered(Fact, name="organ-registered"):
    organ: OrganId
    kind: OrganKind
    division: DivisionCode
    name: Line
    valid_from: Day
