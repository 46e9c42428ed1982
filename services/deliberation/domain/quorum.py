"""Quorum: whether enough of those whom a session needs are there."""

from collections.abc import Sequence
from uuid import UUID

from eventlog.facts import Value
from facts.deliberation.session import Capacity, Scale, SessionPlanned
from services.deliberation.domain.procedure import QuorumRules
from vocabulary.words import Count, Flag, Line

MEMBERS = frozenset({Capacity.FIXED_MEMBER, Capacity.CPPCC_MEMBER})


class Participant(Value):
    person: UUID
    capacity: Capacity
    side: Line | None


class Quorum(Value):
    """``present`` of the ``needed`` members; ``chaired``: presider and recorder are there."""

    present: Count
    needed: Count
    chaired: Flag
    sides_missing: tuple[Line, ...]

    @property
    def met(self) -> bool:
        return self.chaired and self.present >= self.needed and not self.sides_missing


def count(plan: SessionPlanned, present: Sequence[Participant], rules: QuorumRules) -> Quorum:
    """Count the share of the fixed members; of a micro session, one member besides presider and recorder.

    Either way presider and recorder must be there, and somebody of every side.
    """
    officers = {plan.presider, plan.recorder}
    match plan.scale:
        case Scale.REGULAR:
            needed = rules.among(len(plan.fixed_members))
            counted = [someone for someone in present if someone.capacity is Capacity.FIXED_MEMBER]
        case Scale.MICRO:
            needed = 1
            counted = [someone for someone in present if someone.capacity in MEMBERS and someone.person not in officers]
    sides = {participant.side for participant in present}
    return Quorum(
        present=len(counted),
        needed=needed,
        chaired=officers <= {participant.person for participant in present},
        sides_missing=tuple(side for side in plan.sides if side not in sides),
    )
