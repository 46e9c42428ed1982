"""Erasure: the record that a subject's key was destroyed, in each service that may have sealed anything for it.

A subject is whoever a key belongs to: a person, a case, or a published text. The key goes first, so that the record
never says what is not so; whoever is torn off in between does it again.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Fact, Value


class Reason(StrEnum):
    """Why. Never in anybody's words: they could not be erased."""

    ASKED = "asked"  # the person did
    CONSENT_WITHDRAWN = "consent-withdrawn"
    NO_LONGER_NEEDED = "no-longer-needed"
    UNLAWFUL = "unlawful"  # it should not have been kept, or not been published
    ORDERED = "ordered"  # by a court or an authority


class SubjectErased(Fact, name="subject-erased"):
    """Its key is gone; the envelope says who had it done, and when."""

    subject: UUID
    reason: Reason


class EraseSubject(Value):
    subject: UUID
    reason: Reason


class Standing(Value): ...


class Erased(Value): ...


State: TypeAlias = Standing | Erased


def decide(command: EraseSubject, subject: State, _: Context) -> Sequence[SubjectErased]:
    match subject:
        case Standing():
            return [SubjectErased(subject=command.subject, reason=command.reason)]
        case Erased():
            raise Rejected("subject-erased")


def evolve(_: State, __: SubjectErased) -> State:
    return Erased()


erasure: Decider[EraseSubject, State, SubjectErased, Context] = Decider(
    "erasure", Standing(), decide, evolve, published=False
)
