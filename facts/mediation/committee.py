"""MediationCommittee: the statutory body of a village, a community or a town that mediates."""

from uuid import UUID

from eventlog.facts import Fact, Value
from vocabulary.divisions import DivisionCode
from vocabulary.words import Day, Flag, Line


class CommitteeMember(Value):
    """A person by random id: names stay with whoever registered the person."""

    person: UUID
    woman: Flag


class MediationCommitteeRegistered(Fact, name="mediation-committee-registered"):
    """``term_from`` and ``term_until``: the first and the last day of its three years."""

    division: DivisionCode
    name: Line
    members: tuple[CommitteeMember, ...]
    term_from: Day
    term_until: Day
