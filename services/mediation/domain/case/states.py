"""Where a case stands, what it knows there, and what its rules share."""

from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import Sealed
from facts.mediation.case import (
    AgreementBreached,
    AgreementPerformed,
    AgreementReached,
    CaseAccepted,
    CaseClosed,
    CaseDeclined,
    CaseFailed,
    CaseOpened,
    CaseTerminated,
    ConsentGiven,
    DisputeResolutionRevoked,
    DisputeResolved,
    MediationHeld,
    MediatorAssigned,
    Party,
    PartyRegistered,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
    RightsNotified,
)
from services.mediation.domain.agreement_form import AgreementForm
from vocabulary.kinds import DisputeSource, DisputeType
from vocabulary.words import Account, Day, Flag


class About(Value):
    """What every state after opening knows. ``mediator``: the one assigned."""

    case_id: UUID
    issue_id: UUID | None
    source: DisputeSource
    dispute: DisputeType
    words: Sealed[str] | None
    parties: tuple[Party, ...] = ()
    consenting: frozenset[UUID] = frozenset()
    rights_told: Flag = False
    mediator: Account | None = None

    def has_party(self, person: UUID) -> bool:
        return any(party.person == person for party in self.parties)


class Agreement(Value):
    reached: Day
    written: Flag
    terms: Sealed[str]
    perform_by: Day


class Unopened(Value):
    """Nothing here yet."""


class Opened(Value):
    """The parties are being named and asked."""

    about: About


class Accepted(Value):
    about: About


class Assigned(Value):
    """``held``: the mediator has sat with the parties."""

    about: About
    held: Flag


class Agreed(Value):
    """Settled, and to be performed; ``overdue``: the day passed without a record of it."""

    about: About
    agreement: Agreement
    overdue: Flag


class Performed(Value):
    about: About
    agreement: Agreement


class Breached(Value):
    about: About
    agreement: Agreement


class Declined(Value):
    about: About


class Failed(Value):
    about: About


class Terminated(Value):
    about: About


class Closed(Value):
    about: About


State: TypeAlias = (
    Unopened | Opened | Accepted | Assigned | Agreed | Performed | Breached | Declined | Failed | Terminated | Closed
)
Fact: TypeAlias = (
    CaseOpened
    | PartyRegistered
    | ConsentGiven
    | CaseDeclined
    | RightsNotified
    | CaseAccepted
    | MediatorAssigned
    | MediationHeld
    | AgreementReached
    | DisputeResolved
    | DisputeResolutionRevoked
    | CaseFailed
    | CaseTerminated
    | PerformanceOverdue
    | PerformanceOverdueRevoked
    | AgreementPerformed
    | AgreementBreached
    | CaseClosed
)


class InForce(Context):
    """When an agreement may stay oral, by the rule of the day."""

    form: AgreementForm


def by_its_mediator(about: About, context: InForce) -> None:
    """What is done in a case is done by the mediator assigned to it."""
    if context.actor.id != about.mediator:
        raise Rejected("not-the-assigned-mediator")


def resolved(about: About) -> DisputeResolved:
    return DisputeResolved(case_id=about.case_id, issue_id=about.issue_id, dispute=about.dispute, source=about.source)
