"""Commitment: a promise, of an outcome or of direct handling, until somebody else has verified that it was kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider, Due
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import PublicText
from facts.deliberation.commitment import (
    CommitmentCancelled,
    CommitmentClosed,
    CommitmentCompleted,
    CommitmentContested,
    CommitmentDeadlineMissed,
    CommitmentDeadlineMoved,
    CommitmentDeadlineNearing,
    CommitmentMissRevoked,
    CommitmentOpened,
    CommitmentVerified,
)
from services.deliberation.domain.procedure import Procedure
from vocabulary.calendar import SHANGHAI, Counted, WorkingCalendar
from vocabulary.organs import OrganId
from vocabulary.words import Account, Flag, Instant, Line

REMINDED_BEFORE = timedelta(days=3)


class OpenCommitment(Value):
    """Sent by a reaction. ``due`` None: as the procedure gives whoever handles an issue directly."""

    commitment_id: UUID
    deliberation_id: UUID | None = None
    issue_id: UUID | None = None
    what: PublicText
    unit: OrganId
    due: Instant | None = None


class CompleteCommitment(Value):
    proof: PublicText


class VerifyCommitment(Value):
    """Somebody else has looked at it."""


class ContestCommitment(Value):
    reason: PublicText


class RemindOfDeadline(Value):
    """Sent by the timer some days before the due time."""


class MissDeadline(Value):
    """Sent by the timer at the due time."""


class RecomputeDeadline(Value):
    """Sent by a reaction when the calendar it was counted on has changed, or may have."""


class CancelCommitment(Value):
    """Sent by a reaction when what it was to answer was withdrawn."""

    reason: Line


class About(Value):
    """What every state after opening knows. ``since``: what was done before then does not keep it."""

    commitment_id: UUID
    deliberation_id: UUID | None
    issue_id: UUID | None
    what: PublicText
    unit: OrganId
    due: Instant
    since: Instant | None
    counted: Counted | None


class Unopened(Value):
    """Nothing promised yet."""


class Opened(Value):
    """``missed``: the due time passed before anything was known to be done. ``reminded``: of this due time."""

    about: About
    missed: Flag
    reminded: Flag = False


class Completed(Value):
    about: About
    missed: Flag
    completed_by: Account
    in_time: Flag


class Closed(Value):
    about: About
    completed_by: Account
    in_time: Flag


class Cancelled(Value):
    about: About


Command: TypeAlias = (
    OpenCommitment
    | CompleteCommitment
    | VerifyCommitment
    | ContestCommitment
    | RemindOfDeadline
    | MissDeadline
    | RecomputeDeadline
    | CancelCommitment
)
Fact: TypeAlias = (
    CommitmentOpened
    | CommitmentCompleted
    | CommitmentDeadlineNearing
    | CommitmentDeadlineMissed
    | CommitmentDeadlineMoved
    | CommitmentMissRevoked
    | CommitmentVerified
    | CommitmentContested
    | CommitmentCancelled
    | CommitmentClosed
)
State: TypeAlias = Unopened | Opened | Completed | Closed | Cancelled


class InForce(Context):
    """``awaited``: the deliberation was concluded with this promise and waits for it."""

    procedure: Procedure
    calendar: WorkingCalendar
    awaited: Flag = False


def decide(command: Command, commitment: State, context: InForce) -> Sequence[Fact]:
    match command:
        case OpenCommitment():
            return open_(command, commitment, context)
        case CompleteCommitment():
            return complete(command, commitment, context)
        case VerifyCommitment():
            return verify(commitment, context)
        case ContestCommitment():
            return contest(command, commitment, context)
        case RemindOfDeadline():
            return remind(commitment, context)
        case MissDeadline():
            return miss(commitment, context)
        case RecomputeDeadline():
            return recompute(commitment, context)
        case CancelCommitment():
            return cancel(command, commitment)


def open_(command: OpenCommitment, commitment: State, context: InForce) -> Sequence[Fact]:
    """A deliberation's promise is owed only where it concluded the deliberation, and that was not cancelled since."""
    match commitment:
        case Unopened() if command.deliberation_id is not None and not context.awaited:
            raise Rejected("commitment-not-awaited")
        case Unopened():
            counted = handling(context)
            opened = CommitmentOpened(
                commitment_id=command.commitment_id,
                deliberation_id=command.deliberation_id,
                issue_id=command.issue_id,
                what=command.what,
                unit=command.unit,
                due=command.due or ends(counted, context),
                opened_at=context.occurred_at,
                counted=counted if command.due is None else None,
            )
            return [opened]
        case Opened() | Completed() | Closed() | Cancelled():
            raise Rejected("commitment-exists")


def handling(context: InForce) -> Counted:
    """How the deadline of direct handling is counted."""
    procedure = context.procedure
    return Counted(policy=procedure.version, since=context.occurred_at, period=procedure.handling)


def ends(counted: Counted, context: InForce) -> Instant:
    """When a deadline ends by the calendar of the day."""
    # A routed issue must not be left without a promise because a year's holidays are not announced yet.
    return counted.deadline(context.calendar.in_every_year())


def complete(command: CompleteCommitment, commitment: State, context: InForce) -> Sequence[Fact]:
    """The unit says it is done, with proof. What occurred in time is in time, however late it is recorded.

    What was done before it was promised, or before it was contested, keeps no promise.
    """
    match commitment:
        case Opened(about=about) if context.actor.organ != about.unit:
            raise Rejected("commitment-of-another-unit", unit=about.unit)
        case Opened(about=About(since=since)) if since is not None and context.occurred_at < since:
            raise Rejected("completed-before-promised", since=f"{since.astimezone(SHANGHAI):%Y-%m-%d %H:%M}")
        case Opened(about=about, missed=missed):
            in_time = context.occurred_at <= about.due
            completed = CommitmentCompleted(
                commitment_id=about.commitment_id,
                proof=command.proof,
                completed_by=context.actor.id,
                in_time=in_time,
            )
            if missed and in_time:
                return [CommitmentMissRevoked(commitment_id=about.commitment_id), completed]
            return [completed]
        case Unopened():
            raise Rejected("commitment-absent")
        case Completed():
            raise Rejected("commitment-completed")
        case Closed() | Cancelled():
            raise Rejected("commitment-ended")


def verify(commitment: State, context: InForce) -> Sequence[Fact]:
    """Nobody verifies their own work, nor their own unit's; what is verified is closed."""
    match commitment:
        case Completed(completed_by=completed_by) if context.actor.id == completed_by:
            raise Rejected("verifier-completed-it")
        case Completed(about=about) if context.actor.organ == about.unit:
            raise Rejected("verifier-of-the-unit", unit=about.unit)
        case Completed(about=about):
            return [
                CommitmentVerified(commitment_id=about.commitment_id, verified_by=context.actor.id),
                CommitmentClosed(
                    commitment_id=about.commitment_id, deliberation_id=about.deliberation_id, issue_id=about.issue_id
                ),
            ]
        case Unopened():
            raise Rejected("commitment-absent")
        case Opened():
            raise Rejected("commitment-not-completed")
        case Closed() | Cancelled():
            raise Rejected("commitment-ended")


def contest(command: ContestCommitment, commitment: State, context: InForce) -> Sequence[Fact]:
    """Somebody concerned says it was not done: the promise is open again, under the same deadline."""
    match commitment:
        case Completed(about=about):
            contested = CommitmentContested(
                commitment_id=about.commitment_id, reason=command.reason, contested_at=context.occurred_at
            )
            return [contested]
        case Unopened():
            raise Rejected("commitment-absent")
        case Opened():
            raise Rejected("commitment-not-completed")
        case Closed() | Cancelled():
            raise Rejected("commitment-ended")


def remind(commitment: State, context: InForce) -> Sequence[Fact]:
    match commitment:
        case Opened(about=about, missed=False, reminded=False) if context.occurred_at >= reminded_at(about):
            return [CommitmentDeadlineNearing(commitment_id=about.commitment_id, due=about.due)]
        case Opened(missed=False, reminded=False):
            raise Rejected("reminder-not-due")
        case Unopened():
            raise Rejected("commitment-absent")
        case Opened() | Completed():
            raise Rejected("deadline-not-running")
        case Closed() | Cancelled():
            raise Rejected("commitment-ended")


def reminded_at(about: About) -> Instant:
    return about.due - REMINDED_BEFORE


def miss(commitment: State, context: InForce) -> Sequence[Fact]:
    match commitment:
        case Opened(about=about, missed=False) if context.occurred_at >= about.due:
            return [CommitmentDeadlineMissed(commitment_id=about.commitment_id, due=about.due)]
        case Opened(missed=False):
            raise Rejected("commitment-not-due")
        case Unopened():
            raise Rejected("commitment-absent")
        case Opened() | Completed():
            raise Rejected("deadline-not-running")
        case Closed() | Cancelled():
            raise Rejected("commitment-ended")


def recompute(commitment: State, context: InForce) -> Sequence[Fact]:
    """Count an open deadline again: say where it moves to, or nothing where it stays.

    A miss is taken back where the deadline is not over after all. A correction makes nobody late who was not: where the
    new deadline had passed already when it was made, the old one stands.
    """
    match commitment:
        case Opened(about=About(counted=Counted() as counted) as about, missed=missed):
            due = ends(counted, context)
            if due == about.due or (due < about.due and due < context.occurred_at):
                return []
            moved = CommitmentDeadlineMoved(commitment_id=about.commitment_id, was=about.due, due=due)
            if missed and context.occurred_at <= due:
                return [moved, CommitmentMissRevoked(commitment_id=about.commitment_id)]
            return [moved]
        case Opened() | Completed() | Closed() | Cancelled():
            return []
        case Unopened():
            raise Rejected("commitment-absent")


def cancel(command: CancelCommitment, commitment: State) -> Sequence[Fact]:
    match commitment:
        case Opened(about=about) | Completed(about=about):
            return [
                CommitmentCancelled(
                    commitment_id=about.commitment_id,
                    deliberation_id=about.deliberation_id,
                    issue_id=about.issue_id,
                    reason=command.reason,
                )
            ]
        case Unopened():
            raise Rejected("commitment-absent")
        case Closed() | Cancelled():
            raise Rejected("commitment-ended")


def evolve(commitment: State, fact: Fact) -> State:
    match fact:
        case CommitmentOpened():
            return Opened(about=promised(fact), missed=False)
        case CommitmentDeadlineMoved(due=due):
            about = known(commitment).model_copy(update={"due": due})
            return Opened(about=about, missed=missed_in(commitment))
        case CommitmentDeadlineNearing():
            return Opened(about=known(commitment), missed=False, reminded=True)
        case CommitmentDeadlineMissed():
            return Opened(about=known(commitment), missed=True)
        case CommitmentMissRevoked():
            return Opened(about=known(commitment), missed=False)
        case CommitmentCompleted(completed_by=person, in_time=in_time):
            about, missed = known(commitment), missed_in(commitment)
            return Completed(about=about, missed=missed, completed_by=person, in_time=in_time)
        case CommitmentVerified():
            return commitment
        case CommitmentContested(contested_at=at):
            about = known(commitment)
            since = at or about.since
            return Opened(about=about.model_copy(update={"since": since}), missed=missed_in(commitment))
        case CommitmentCancelled():
            return Cancelled(about=known(commitment))
        case CommitmentClosed():
            return closed(commitment)


def promised(fact: CommitmentOpened) -> About:
    return About(
        commitment_id=fact.commitment_id,
        deliberation_id=fact.deliberation_id,
        issue_id=fact.issue_id,
        what=fact.what,
        unit=fact.unit,
        due=fact.due,
        since=fact.opened_at,
        counted=fact.counted,
    )


def known(commitment: State) -> About:
    """What every state but the first knows."""
    if isinstance(commitment, Unopened):
        raise TypeError("a commitment's history begins with its opening")
    return commitment.about


def missed_in(commitment: State) -> bool:
    return isinstance(commitment, Opened | Completed) and commitment.missed


def closed(commitment: State) -> Closed:
    if not isinstance(commitment, Completed):
        raise TypeError("only what was completed is closed")
    return Closed(about=commitment.about, completed_by=commitment.completed_by, in_time=commitment.in_time)


def due(commitment: State) -> Sequence[Due[Command]]:
    """The deadline of a promise that nothing was heard of yet, and the reminder before it, if there is time for one."""
    match commitment:
        case Opened(about=about, missed=False, reminded=reminded):
            deadline = Due[Command](at=about.due, command=MissDeadline())
            early = about.since is not None and reminded_at(about) > about.since
            reminder = Due[Command](at=reminded_at(about), command=RemindOfDeadline())
            return [deadline] if reminded or not early else [reminder, deadline]
        case Unopened() | Opened() | Completed() | Closed() | Cancelled():
            return []


commitment: Decider[Command, State, Fact, InForce] = Decider(
    "commitment", Unopened(), decide, evolve, due, timed=(RemindOfDeadline, MissDeadline)
)
