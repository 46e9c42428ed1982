"""What may be asked of a case."""

from typing import Literal, TypeAlias
from uuid import UUID

from eventlog.facts import Value
from eventlog.sealed import Sealed
from facts.mediation.case import FailureReason, Party
from vocabulary.kinds import DisputeSource, DisputeType
from vocabulary.words import Account, Day, Flag, Line


class OpenCase(Value):
    case_id: UUID
    issue_id: UUID | None
    source: DisputeSource
    dispute: DisputeType
    words: Sealed[str] | None = None


class RegisterParty(Value):
    party: Party


class RecordConsent(Value):
    """``given`` False: the party clearly refuses."""

    person: UUID
    given: Flag


class NotifyRights(Value):
    """Every party was told what mediation is, by which principles it goes, what it effects, and their rights."""


class AcceptCase(Value):
    """``pending_elsewhere``: a court, the police or an arbitration body has accepted the dispute."""

    pending_elsewhere: Flag


class AssignMediator(Value):
    """``disclosed``: every tie to the parties was stated, or that there is none."""

    mediator: Account
    disclosed: Flag


class HoldMediation(Value):
    """The mediator sat with the parties."""


class ReachAgreement(Value):
    """``written`` False: oral, its content recorded by the mediator. ``perform_by``: the last day to perform it."""

    written: Flag
    terms: Sealed[str]
    perform_by: Day


class FailCase(Value):
    """``remedies_told``: the parties know that arbitration, administration and court stand open to them."""

    reason: Literal[
        FailureReason.POSITIONS_APART,
        FailureReason.PARTY_ABSENT,
        FailureReason.FACTS_UNCLEAR,
        FailureReason.OUTSIDE_COMPETENCE,
    ]
    remedies_told: Flag


class WithdrawParty(Value):
    """A party wants no more of it; ``remedies_told`` as in a failure."""

    person: UUID
    remedies_told: Flag


class TerminateCase(Value):
    """Sent by a reaction when the issue it answers was withdrawn."""

    reason: Line


class RecordPerformance(Value):
    """The agreement was performed."""


class RecordBreach(Value):
    """The agreement was not kept."""


class DeclareOverdue(Value):
    """Sent by a timer once the day of performance has passed."""


class CloseCase(Value):
    """Nothing is left to do."""


Command: TypeAlias = (
    OpenCase
    | RegisterParty
    | RecordConsent
    | NotifyRights
    | AcceptCase
    | AssignMediator
    | HoldMediation
    | ReachAgreement
    | FailCase
    | WithdrawParty
    | TerminateCase
    | RecordPerformance
    | RecordBreach
    | DeclareOverdue
    | CloseCase
)
