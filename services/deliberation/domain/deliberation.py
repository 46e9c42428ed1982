"""Deliberation: one topic, from the routed issue to the last promise kept."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.deliberation.deliberation import (
    CommitmentSettled,
    DeliberationCancelled,
    DeliberationClosed,
    DeliberationConcluded,
    DeliberationDeclined,
    DeliberationOpened,
    DeliberationProposed,
    DisputeResolved,
    Result,
    Topic,
)
from vocabulary.kinds import DisputeSource
from vocabulary.words import Flag, Line

NO_COMMITTEE = "no-committee"
"""Why a topic is declined where nobody could take it."""


class ProposeDeliberation(Value):
    """Sent by a reaction when an issue is routed here."""

    deliberation_id: UUID
    topic: Topic


class OpenDeliberation(Value):
    """The convener takes the topic on."""


class DeclineDeliberation(Value):
    reason: Line


class ConcludeDeliberation(Value):
    """``commitments``: the promises of the outcome that was adopted, for a consensus."""

    result: Result
    commitments: tuple[UUID, ...] = ()


class SettleCommitment(Value):
    """Sent by a reaction when a promise was kept and verified."""

    commitment_id: UUID


class CancelDeliberation(Value):
    """Sent by a reaction when the issue was withdrawn."""

    reason: Line


class About(Value):
    """What every state of a taken topic knows."""

    deliberation_id: UUID
    topic: Topic


class Unproposed(Value):
    """Nothing here yet."""


class Proposed(Value):
    about: About


class Opened(Value):
    about: About


class Concluded(Value):
    """``commitments``: every promise of the outcome; ``left``: those still open."""

    about: About
    result: Result
    commitments: tuple[UUID, ...]
    left: tuple[UUID, ...]


class Declined(Value):
    deliberation_id: UUID
    issue_id: UUID


class Cancelled(Value):
    about: About


class Closed(Value):
    about: About
    result: Result
    commitments: tuple[UUID, ...]


Command: TypeAlias = (
    ProposeDeliberation
    | OpenDeliberation
    | DeclineDeliberation
    | ConcludeDeliberation
    | SettleCommitment
    | CancelDeliberation
)
Fact: TypeAlias = (
    DeliberationProposed
    | DeliberationOpened
    | DeliberationDeclined
    | DeliberationConcluded
    | DisputeResolved
    | CommitmentSettled
    | DeliberationCancelled
    | DeliberationClosed
)
State: TypeAlias = Unproposed | Proposed | Opened | Concluded | Declined | Cancelled | Closed


class AtHand(Context):
    """Whether a committee in term stands in the issue's division or in its town."""

    committee_stands: Flag = False


def decide(command: Command, deliberation: State, context: AtHand) -> Sequence[Fact]:
    match command:
        case ProposeDeliberation():
            return propose(command, deliberation, context)
        case OpenDeliberation():
            return open_(deliberation)
        case DeclineDeliberation():
            return decline(command, deliberation)
        case ConcludeDeliberation():
            return conclude(command, deliberation)
        case SettleCommitment():
            return settle(command, deliberation)
        case CancelDeliberation():
            return cancel(command, deliberation)


def propose(command: ProposeDeliberation, deliberation: State, context: AtHand) -> Sequence[Fact]:
    """A topic waits for the convener; where nobody could take it, that is said at once, as a fact."""
    match deliberation:
        case Unproposed() if context.committee_stands:
            return [DeliberationProposed(**vars(command))]
        case Unproposed():
            return [declined(command.deliberation_id, command.topic, NO_COMMITTEE)]
        case Proposed() | Opened() | Concluded() | Declined() | Cancelled() | Closed():
            raise Rejected("deliberation-exists")


def open_(deliberation: State) -> Sequence[Fact]:
    match deliberation:
        case Proposed(about=about):
            return [DeliberationOpened(deliberation_id=about.deliberation_id, topic=about.topic)]
        case Unproposed():
            raise Rejected("deliberation-absent")
        case Opened() | Concluded():
            raise Rejected("deliberation-opened")
        case Declined() | Cancelled() | Closed():
            raise Rejected("deliberation-ended")


def decline(command: DeclineDeliberation, deliberation: State) -> Sequence[Fact]:
    """A topic that was opened is concluded, no longer declined."""
    match deliberation:
        case Proposed(about=about):
            return [declined(about.deliberation_id, about.topic, command.reason)]
        case Unproposed():
            raise Rejected("deliberation-absent")
        case Opened() | Concluded():
            raise Rejected("deliberation-opened")
        case Declined() | Cancelled() | Closed():
            raise Rejected("deliberation-ended")


def declined(deliberation_id: UUID, topic: Topic, reason: str) -> DeliberationDeclined:
    return DeliberationDeclined(deliberation_id=deliberation_id, issue_id=topic.issue_id, reason=reason)


def conclude(command: ConcludeDeliberation, deliberation: State) -> Sequence[Fact]:
    """A consensus closes it once its promises are kept; without one it closes unsettled, and the issue goes back."""
    match deliberation:
        case Opened(about=about):
            key = about.deliberation_id
            concluded = DeliberationConcluded(
                deliberation_id=key, result=command.result, commitments=command.commitments
            )
            if command.result is not Result.CONSENSUS:
                return [concluded, closed(about, settled=False)]
            waiting = [] if command.commitments else [closed(about, settled=True)]
            return [concluded, *resolved(about), *waiting]
        case Unproposed():
            raise Rejected("deliberation-absent")
        case Proposed():
            raise Rejected("deliberation-not-open")
        case Concluded():
            raise Rejected("deliberation-concluded")
        case Declined() | Cancelled() | Closed():
            raise Rejected("deliberation-ended")


def resolved(about: About) -> Sequence[DisputeResolved]:
    """The consensus on a dispute-type topic resolves the dispute; the topic came by routing."""
    dispute, key = about.topic.dispute, about.deliberation_id
    if dispute is None:
        return []
    source = DisputeSource.ROUTED
    return [DisputeResolved(deliberation_id=key, issue_id=about.topic.issue_id, dispute=dispute, source=source)]


def closed(about: About, *, settled: bool) -> DeliberationClosed:
    return DeliberationClosed(deliberation_id=about.deliberation_id, issue_id=about.topic.issue_id, settled=settled)


def settle(command: SettleCommitment, deliberation: State) -> Sequence[Fact]:
    """With the last promise kept, the deliberation closes."""
    match deliberation:
        case Concluded(about=about, left=left) if command.commitment_id in left:
            still = tuple(key for key in left if key != command.commitment_id)
            settled = CommitmentSettled(
                deliberation_id=about.deliberation_id, commitment_id=command.commitment_id, left=still
            )
            return [settled] if still else [settled, closed(about, settled=True)]
        case Concluded():
            raise Rejected("commitment-not-awaited")
        case Unproposed():
            raise Rejected("deliberation-absent")
        case Proposed() | Opened():
            raise Rejected("deliberation-not-concluded")
        case Declined() | Cancelled() | Closed():
            raise Rejected("deliberation-ended")


def cancel(command: CancelDeliberation, deliberation: State) -> Sequence[Fact]:
    """A withdrawn issue stops whatever was under way; promises not yet kept fall with it."""
    match deliberation:
        case Proposed(about=about) | Opened(about=about):
            return [DeliberationCancelled(deliberation_id=about.deliberation_id, reason=command.reason, commitments=())]
        case Concluded(about=about, left=left):
            key = about.deliberation_id
            return [DeliberationCancelled(deliberation_id=key, reason=command.reason, commitments=left)]
        case Unproposed():
            raise Rejected("deliberation-absent")
        case Declined() | Cancelled() | Closed():
            raise Rejected("deliberation-ended")


def evolve(deliberation: State, fact: Fact) -> State:
    match fact:
        case DeliberationProposed(deliberation_id=key, topic=topic):
            return Proposed(about=About(deliberation_id=key, topic=topic))
        case DeliberationOpened():
            return Opened(about=known(deliberation))
        case DeliberationDeclined(deliberation_id=key, issue_id=issue_id):
            return Declined(deliberation_id=key, issue_id=issue_id)
        case DeliberationConcluded(result=result, commitments=keys):
            return Concluded(about=known(deliberation), result=result, commitments=keys, left=keys)
        case DisputeResolved():
            return deliberation
        case CommitmentSettled(left=left):
            before = concluded(deliberation)
            return Concluded(about=before.about, result=before.result, commitments=before.commitments, left=left)
        case DeliberationCancelled():
            return Cancelled(about=known(deliberation))
        case DeliberationClosed():
            before = concluded(deliberation)
            return Closed(about=before.about, result=before.result, commitments=before.commitments)


def known(deliberation: State) -> About:
    """What every state between proposal and end knows."""
    if isinstance(deliberation, Unproposed | Declined):
        raise TypeError("a deliberation's history begins with its proposal, and a declined one ends there")
    return deliberation.about


def concluded(deliberation: State) -> Concluded:
    if not isinstance(deliberation, Concluded):
        raise TypeError("only a concluded deliberation settles promises and closes")
    return deliberation


deliberation: Decider[Command, State, Fact, AtHand] = Decider("deliberation", Unproposed(), decide, evolve)
