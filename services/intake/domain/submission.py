"""Submission: what one source said. Merging and linking are relations; nobody's words are ever overwritten."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import Sealed
from facts.intake.submission import (
    Channel,
    Origin,
    SubmissionLinkDeclined,
    SubmissionLinked,
    SubmissionMerged,
    SubmissionReceived,
    SubmissionWithdrawn,
    Submitter,
)
from vocabulary.words import Flag


class ReceiveSubmission(Value):
    submission_id: UUID
    channel: Channel
    words: Sealed[str]
    submitter: Submitter | None = None
    place: Sealed[str] | None = None
    origin: Origin | None = None
    backfilled: Flag = False


class MergeSubmission(Value):
    into: UUID


class LinkToIssue(Value):
    issue_id: UUID


class WithdrawSubmission(Value):
    reason: Sealed[str]


class Absent(Value):
    """Nothing received yet."""


class Received(Value):
    """``owner``: whose key the words are sealed under, and whatever else the submitter says."""

    submission_id: UUID
    anonymous: Flag
    owner: UUID


class Merged(Value):
    submission_id: UUID
    into: UUID
    owner: UUID


class Linked(Value):
    submission_id: UUID
    issue_id: UUID
    owner: UUID


class Withdrawn(Value):
    submission_id: UUID
    owner: UUID


Command: TypeAlias = ReceiveSubmission | MergeSubmission | LinkToIssue | WithdrawSubmission
Fact: TypeAlias = (
    SubmissionReceived | SubmissionMerged | SubmissionLinked | SubmissionLinkDeclined | SubmissionWithdrawn
)
State: TypeAlias = Absent | Received | Merged | Linked | Withdrawn


class TargetInForce(Context):
    """What stands where a submission is to be merged into; None when the command merges nothing."""

    target: State | None = None


def decide(command: Command, submission: State, context: TargetInForce) -> Sequence[Fact]:
    match command:
        case ReceiveSubmission():
            return receive(command, submission)
        case MergeSubmission():
            return merge(command, submission, context)
        case LinkToIssue():
            return link(command, submission)
        case WithdrawSubmission():
            return withdraw(command, submission)


def receive(command: ReceiveSubmission, submission: State) -> Sequence[Fact]:
    match submission:
        case Absent():
            return [SubmissionReceived(**vars(command))]
        case Received() | Merged() | Linked() | Withdrawn():
            raise Rejected("submission-exists")


def merge(command: MergeSubmission, submission: State, context: TargetInForce) -> Sequence[Fact]:
    """Say that another submission said the same before. Chains are cut: one merges into the one that stands."""
    match submission:
        case Absent():
            raise Rejected("submission-absent")
        case Received(submission_id=key) if key == command.into:
            raise Rejected("submission-merged-into-itself")
        case Received(submission_id=key):
            match context.target:
                case None | Absent() | Merged() | Withdrawn():
                    raise Rejected("merge-target-not-standing")
                case Received() | Linked():
                    return [SubmissionMerged(submission_id=key, into=command.into)]
        case Merged():
            raise Rejected("submission-merged")
        case Linked():
            raise Rejected("submission-linked")
        case Withdrawn():
            raise Rejected("submission-withdrawn")


def link(command: LinkToIssue, submission: State) -> Sequence[Fact]:
    """Two issues may name one submission before it is linked: the first has it, and the other must learn that."""
    match submission:
        case Absent():
            raise Rejected("submission-absent")
        case Received(submission_id=key):
            return [SubmissionLinked(submission_id=key, issue_id=command.issue_id)]
        case Linked(submission_id=key, issue_id=issue) if issue != command.issue_id:
            return [SubmissionLinkDeclined(submission_id=key, issue_id=command.issue_id)]
        case Merged():
            raise Rejected("submission-merged")
        case Linked():
            raise Rejected("submission-linked")
        case Withdrawn():
            raise Rejected("submission-withdrawn")


def withdraw(command: WithdrawSubmission, submission: State) -> Sequence[Fact]:
    """Whoever submitted may take it back at any time; what it was linked to stands on its own by then."""
    match submission:
        case Absent():
            raise Rejected("submission-absent")
        case Received(submission_id=key) | Merged(submission_id=key) | Linked(submission_id=key):
            return [SubmissionWithdrawn(submission_id=key, reason=command.reason)]
        case Withdrawn():
            raise Rejected("submission-withdrawn")


def evolve(submission: State, fact: Fact) -> State:
    match fact:
        case SubmissionReceived(submission_id=key, submitter=submitter, words=words):
            return Received(submission_id=key, anonymous=submitter is None, owner=words.key_id)
        case SubmissionMerged(submission_id=key, into=into):
            return Merged(submission_id=key, into=into, owner=owner_of(submission, key))
        case SubmissionLinked(submission_id=key, issue_id=issue_id):
            return Linked(submission_id=key, issue_id=issue_id, owner=owner_of(submission, key))
        case SubmissionLinkDeclined():
            return submission
        case SubmissionWithdrawn(submission_id=key):
            return Withdrawn(submission_id=key, owner=owner_of(submission, key))


def owner_of(submission: State, key: UUID) -> UUID:
    """Whose key a submitter's words are sealed under; of one that is not there, its own."""
    match submission:
        case Received(owner=owner) | Merged(owner=owner) | Linked(owner=owner) | Withdrawn(owner=owner):
            return owner
        case Absent():
            return key


submission: Decider[Command, State, Fact, TargetInForce] = Decider("submission", Absent(), decide, evolve)
