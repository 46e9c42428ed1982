"""Commitment: a promise, of an outcome or of direct handling, from opening to somebody else's verification."""

from uuid import UUID

from eventlog.facts import Fact
from eventlog.sealed import PublicText
from vocabulary.calendar import Counted
from vocabulary.organs import OrganId
from vocabulary.words import Account, Flag, Instant, Line


class CommitmentOpened(Fact, name="commitment-opened"):
    """Of a deliberation, or (direct handling) of an issue. Met by what occurs up to ``due``.

    ``opened_at``: when it was promised; nothing done before then keeps it. None: recorded before that was kept.
    ``counted``: how ``due`` came about. None: somebody named the day, or it was recorded before that was kept.
    """

    commitment_id: UUID
    deliberation_id: UUID | None
    issue_id: UUID | None
    what: PublicText
    unit: OrganId
    due: Instant
    opened_at: Instant | None = None
    counted: Counted | None = None


class CommitmentCompleted(Fact, name="commitment-completed"):
    """``in_time``: it occurred on or before the due time, whenever it was recorded."""

    commitment_id: UUID
    proof: PublicText
    completed_by: Account
    in_time: Flag


class CommitmentDeadlineMoved(Fact, name="commitment-deadline-moved"):
    """Counted again on a corrected calendar, it ends at ``due`` and no longer at ``was``."""

    commitment_id: UUID
    was: Instant
    due: Instant


class CommitmentDeadlineNearing(Fact, name="commitment-deadline-nearing"):
    """Nothing was heard of it, and it ends soon: whoever is to keep it is reminded."""

    commitment_id: UUID
    due: Instant


class CommitmentDeadlineMissed(Fact, name="commitment-deadline-missed"):
    commitment_id: UUID
    due: Instant


class CommitmentMissRevoked(Fact, name="commitment-miss-revoked"):
    """It had occurred in time and was only recorded late, or the deadline was not over by the corrected calendar."""

    commitment_id: UUID


class CommitmentVerified(Fact, name="commitment-verified"):
    commitment_id: UUID
    verified_by: Account


class CommitmentContested(Fact, name="commitment-contested"):
    """Somebody concerned says it was not done; it is open again.

    ``contested_at``: what was done before then was not enough. None: recorded before that was kept.
    """

    commitment_id: UUID
    reason: PublicText
    contested_at: Instant | None = None


class CommitmentCancelled(Fact, name="commitment-cancelled"):
    """What it was to answer was withdrawn; nobody owes it any more.

    ``reason``: a person's words, or one of ours as a code.
    """

    commitment_id: UUID
    deliberation_id: UUID | None
    issue_id: UUID | None
    reason: Line


class CommitmentClosed(Fact, name="commitment-closed"):
    commitment_id: UUID
    deliberation_id: UUID | None
    issue_id: UUID | None
