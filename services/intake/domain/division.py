"""Division and organ: the county's register of places and of the bodies at them."""

from collections.abc import Sequence
from typing import TypeAlias

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.intake.division import DivisionRegistered, OrganRegistered
from vocabulary.divisions import DivisionCode, DivisionKind
from vocabulary.organs import OrganId, OrganKind
from vocabulary.words import Day, Flag, Line


class RegisterDivision(Value):
    division: DivisionCode
    name: Line
    kind: DivisionKind
    provisional: Flag = False
    valid_from: Day


class RegisterOrgan(Value):
    organ: OrganId
    kind: OrganKind
    division: DivisionCode
    name: Line
    valid_from: Day


class Unregistered(Value):
    """Nothing under this code yet."""


class Registered(Value):
    name: Line


Place: TypeAlias = Unregistered | Registered


def register_division(command: RegisterDivision, place: Place, _: Context) -> Sequence[DivisionRegistered]:
    """A code is registered once; correcting a name is another matter."""
    match place:
        case Registered():
            raise Rejected("division-exists", division=command.division)
        case Unregistered():
            return [DivisionRegistered(**vars(command))]


def register_organ(command: RegisterOrgan, place: Place, _: Context) -> Sequence[OrganRegistered]:
    """As a division. The id carries the division, so the two cannot disagree."""
    match place:
        case Registered():
            raise Rejected("organ-exists", organ=command.organ)
        case Unregistered() if not command.organ.startswith(f"{command.division}."):
            raise Rejected("organ-of-another-division", organ=command.organ, division=command.division)
        case Unregistered():
            return [OrganRegistered(**vars(command))]


def known(_: Place, fact: DivisionRegistered | OrganRegistered) -> Place:
    return Registered(name=fact.name)


division: Decider[RegisterDivision, Place, DivisionRegistered, Context] = Decider(
    "division", Unregistered(), register_division, known
)
organ: Decider[RegisterOrgan, Place, OrganRegistered, Context] = Decider("organ", Unregistered(), register_organ, known)
