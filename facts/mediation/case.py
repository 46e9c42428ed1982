"""MediationCase: a dispute between parties, from registration to performance. Names and words are sealed.

A name is sealed under the person's key, so that it is erased with the person; what the dispute is about and what was
agreed belong to the parties together, and are sealed under the case's.
"""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact, Value
from eventlog.sealed import Sealed
from vocabulary.kinds import DisputeSource, DisputeType
from vocabulary.words import Account, Day, Flag, Line


class Party(Value):
    """A party by random id; the name is sealed under that person's key. ``account``: for who has one."""

    person: UUID
    name: Sealed[str]
    account: Account | None = None


class FailureReason(StrEnum):
    """Why mediation ended without agreement."""

    POSITIONS_APART = "positions-apart"
    PARTY_WITHDREW = "party-withdrew"
    PARTY_ABSENT = "party-absent"
    FACTS_UNCLEAR = "facts-unclear"
    OUTSIDE_COMPETENCE = "outside-competence"


class CaseOpened(Fact, name="case-opened"):
    """``issue_id`` None: the parties brought it themselves, or the committee took it up."""

    case_id: UUID
    issue_id: UUID | None
    source: DisputeSource
    dispute: DisputeType
    words: Sealed[str] | None = None


class PartyRegistered(Fact, name="case-party-registered"):
    case_id: UUID
    party: Party


class ConsentGiven(Fact, name="case-consent-given"):
    case_id: UUID
    person: UUID


class CaseDeclined(Fact, name="case-declined"):
    """A party clearly refused: no mediation (People's Mediation Law art. 17)."""

    case_id: UUID
    issue_id: UUID | None
    person: UUID


class RightsNotified(Fact, name="case-rights-notified"):
    case_id: UUID


class CaseAccepted(Fact, name="case-accepted"):
    case_id: UUID
    source: DisputeSource
    dispute: DisputeType


class MediatorAssigned(Fact, name="case-mediator-assigned"):
    """``disclosed``: the mediator stated every tie to the parties, or that there is none."""

    case_id: UUID
    mediator: Account
    disclosed: Flag


class MediationHeld(Fact, name="mediation-held"):
    case_id: UUID


class AgreementReached(Fact, name="case-agreement-reached"):
    """``written`` False: an oral agreement, its content recorded by the mediator (PML arts. 28, 30).

    ``reached``: the day of it, in Shanghai.
    """

    case_id: UUID
    reached: Day
    written: Flag
    terms: Sealed[str]
    perform_by: Day


class DisputeResolved(Fact, name="dispute-resolved-by-mediation"):
    """Recorded with the agreement, and again when a breach was made good."""

    case_id: UUID
    issue_id: UUID | None
    dispute: DisputeType
    source: DisputeSource


class DisputeResolutionRevoked(Fact, name="dispute-resolution-revoked"):
    """An unremedied breach takes the settlement back."""

    case_id: UUID
    issue_id: UUID | None


class CaseFailed(Fact, name="case-failed"):
    """Ended without agreement; the parties were told of arbitration, administrative and court routes (PML art. 26).

    ``person``: the party who withdrew, where one did.
    """

    case_id: UUID
    issue_id: UUID | None
    reason: FailureReason
    person: UUID | None = None


class CaseTerminated(Fact, name="case-terminated"):
    """The issue it answered was withdrawn; nothing was agreed by then.

    ``reason``: a person's words, or one of ours as a code.
    """

    case_id: UUID
    issue_id: UUID | None
    reason: Line


class PerformanceOverdue(Fact, name="case-performance-overdue"):
    """The day of performance passed without a record of it: the committee urges (PML art. 31)."""

    case_id: UUID
    perform_by: Day


class PerformanceOverdueRevoked(Fact, name="case-performance-overdue-revoked"):
    """It was performed in time after all, and only recorded late."""

    case_id: UUID


class AgreementPerformed(Fact, name="case-agreement-performed"):
    case_id: UUID


class AgreementBreached(Fact, name="case-agreement-breached"):
    case_id: UUID


class CaseClosed(Fact, name="case-closed"):
    case_id: UUID
