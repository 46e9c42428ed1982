"""Deliberation: one topic, from the routed issue to the last promise kept."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact, Value
from eventlog.sealed import PublicText
from vocabulary.kinds import Category, DisputeSource, DisputeType
from vocabulary.words import Flag, Line


class Topic(Value):
    """What is deliberated, as the issue described it. ``dispute``: set for a dispute-type topic."""

    issue_id: UUID
    category: Category
    headline: PublicText
    dispute: DisputeType | None = None


class Result(StrEnum):
    CONSENSUS = "consensus"
    NO_CONSENSUS = "no-consensus"
    REFERRED = "referred"


class DeliberationProposed(Fact, name="deliberation-proposed"):
    deliberation_id: UUID
    topic: Topic


class DeliberationOpened(Fact, name="deliberation-opened"):
    deliberation_id: UUID
    topic: Topic


class DeliberationDeclined(Fact, name="deliberation-declined"):
    """``reason``: a person's words, or one of ours as a code: no-committee."""

    deliberation_id: UUID
    issue_id: UUID
    reason: Line


class DeliberationConcluded(Fact, name="deliberation-concluded"):
    """``commitments``: the promises that must be kept before it can close."""

    deliberation_id: UUID
    result: Result
    commitments: tuple[UUID, ...]


class DisputeResolved(Fact, name="dispute-resolved-by-deliberation"):
    """Recorded with the consensus on a dispute-type topic."""

    deliberation_id: UUID
    issue_id: UUID
    dispute: DisputeType
    source: DisputeSource


class CommitmentSettled(Fact, name="deliberation-commitment-settled"):
    """One of the promises was kept; ``left`` are still open."""

    deliberation_id: UUID
    commitment_id: UUID
    left: tuple[UUID, ...]


class DeliberationCancelled(Fact, name="deliberation-cancelled"):
    """``commitments``: promises that were still open, and fall with it.

    ``reason``: a person's words, or one of ours as a code.
    """

    deliberation_id: UUID
    reason: Line
    commitments: tuple[UUID, ...]


class DeliberationClosed(Fact, name="deliberation-closed"):
    """``settled``: with consensus and every promise kept."""

    deliberation_id: UUID
    issue_id: UUID
    settled: Flag
