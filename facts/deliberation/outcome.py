"""Outcome: what a deliberation arrived at, submitted to whoever decides, adopted or refused with reasons."""

from enum import StrEnum
from uuid import UUID

from eventlog.facts import Fact, Value
from eventlog.sealed import PublicText
from vocabulary.organs import OrganId
from vocabulary.words import Day, Flag


class OutcomeKind(StrEnum):
    OPINION = "opinion"
    SUGGESTION = "suggestion"
    AGREEMENT = "agreement"
    REFERRAL = "referral"


class Promise(Value):
    """Something to be done by ``unit`` on or before ``due``."""

    commitment_id: UUID
    what: PublicText
    unit: OrganId
    due: Day


class OutcomeSubmitted(Fact, name="outcome-submitted"):
    outcome_id: UUID
    deliberation_id: UUID
    session_id: UUID
    kind: OutcomeKind
    summary: PublicText


class OutcomeAdopted(Fact, name="outcome-adopted"):
    outcome_id: UUID
    deliberation_id: UUID
    kind: OutcomeKind
    partly: Flag
    promises: tuple[Promise, ...]


class OutcomeRefused(Fact, name="outcome-refused"):
    outcome_id: UUID
    deliberation_id: UUID
    reasons: PublicText
