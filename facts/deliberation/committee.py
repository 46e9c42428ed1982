"""Committee: the body of a division that deliberates."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact, Value
from vocabulary.divisions import DivisionCode
from vocabulary.words import Day, Flag, Line


class MemberKind(StrEnum):
    FIRST_CONVENER = "first-convener"
    EXECUTIVE_CONVENER = "executive-convener"
    FIXED = "fixed"
    CPPCC = "cppcc"


class Member(Value):
    """A person by random id: names stay with whoever registered the person."""

    person: UUID
    kind: MemberKind
    woman: Flag


class Programme(StrEnum):
    PARTY_BUILDING_NEIGHBOURHOOD = "party-building-neighbourhood"  # 党建+邻里


class CommitteeEstablished(Fact, name="committee-established"):
    division: DivisionCode
    name: Line
    members: tuple[Member, ...]
    term_until: Day
    programme: Programme | None = None


class CommitteeDissolved(Fact, name="committee-dissolved"):
    """``reason``: a person's words, or one of ours as a code: term-expired."""

    division: DivisionCode
    reason: Line
