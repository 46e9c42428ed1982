"""Outcome: what a deliberation arrived at, submitted to whoever decides, adopted or refused with reasons."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import PublicText
from facts.deliberation.outcome import OutcomeAdopted, OutcomeKind, OutcomeRefused, OutcomeSubmitted, Promise
from vocabulary.calendar import day_of
from vocabulary.divisions import contains, county_of
from vocabulary.organs import division_of
from vocabulary.words import Flag


class SubmitOutcome(Value):
    outcome_id: UUID
    deliberation_id: UUID
    session_id: UUID
    kind: OutcomeKind
    summary: PublicText


class AdoptOutcome(Value):
    """``partly``: less than what was submitted. ``promises``: what is to be done, by whom and until when."""

    partly: Flag = False
    promises: Annotated[tuple[Promise, ...], Field(max_length=50)] = ()


class RefuseOutcome(Value):
    reasons: PublicText


class Unsubmitted(Value):
    """Nothing here yet."""


class Submitted(Value):
    outcome_id: UUID
    deliberation_id: UUID
    kind: OutcomeKind


class Adopted(Value):
    outcome_id: UUID
    deliberation_id: UUID
    partly: Flag
    promises: tuple[Promise, ...]


class Refused(Value):
    outcome_id: UUID
    deliberation_id: UUID


Command: TypeAlias = SubmitOutcome | AdoptOutcome | RefuseOutcome
Fact: TypeAlias = OutcomeSubmitted | OutcomeAdopted | OutcomeRefused
State: TypeAlias = Unsubmitted | Submitted | Adopted | Refused


class AtHand(Context):
    """Whether the deliberation is open, and whether the session that treated it has signed minutes."""

    deliberation_open: Flag = False
    minutes_signed: Flag = False


def decide(command: Command, outcome: State, context: AtHand) -> Sequence[Fact]:
    match command:
        case SubmitOutcome():
            return submit(command, outcome, context)
        case AdoptOutcome():
            return adopt(command, outcome, context)
        case RefuseOutcome():
            return refuse(command, outcome)


def submit(command: SubmitOutcome, outcome: State, context: AtHand) -> Sequence[Fact]:
    """Only what a session with signed minutes arrived at is submitted."""
    match outcome:
        case Unsubmitted() if not context.deliberation_open:
            raise Rejected("deliberation-not-open")
        case Unsubmitted() if not context.minutes_signed:
            raise Rejected("minutes-not-signed")
        case Unsubmitted():
            return [OutcomeSubmitted(**vars(command))]
        case Submitted() | Adopted() | Refused():
            raise Rejected("outcome-exists")


def adopt(command: AdoptOutcome, outcome: State, context: AtHand) -> Sequence[Fact]:
    """Whoever decides adopts it, whole or in part, and names what is promised. A referral promises nothing here."""
    match outcome:
        case Submitted() if not context.deliberation_open:
            raise Rejected("deliberation-not-open")
        case Submitted(kind=OutcomeKind.REFERRAL) if command.promises:
            raise Rejected("referral-promises-nothing")
        case Submitted(outcome_id=key, deliberation_id=deliberation_id, kind=kind):
            for promise in command.promises:
                keepable(promise, context)
            return [OutcomeAdopted(outcome_id=key, deliberation_id=deliberation_id, kind=kind, **vars(command))]
        case Unsubmitted():
            raise Rejected("outcome-absent")
        case Adopted() | Refused():
            raise Rejected("outcome-decided")


def keepable(promise: Promise, context: AtHand) -> None:
    """Refuse a promise that is overdue when made, or made in another county's name."""
    if promise.due < day_of(context.occurred_at):
        raise Rejected("promise-overdue", due=promise.due)
    if not contains(county_of(division_of(context.organ)), division_of(promise.unit)):
        raise Rejected("promise-for-another-county", unit=promise.unit)


def refuse(command: RefuseOutcome, outcome: State) -> Sequence[Fact]:
    """A refusal states its reasons; the deliberation stays open and may submit again."""
    match outcome:
        case Submitted(outcome_id=key, deliberation_id=deliberation_id):
            return [OutcomeRefused(outcome_id=key, deliberation_id=deliberation_id, reasons=command.reasons)]
        case Unsubmitted():
            raise Rejected("outcome-absent")
        case Adopted() | Refused():
            raise Rejected("outcome-decided")


def evolve(_: State, fact: Fact) -> State:
    match fact:
        case OutcomeSubmitted(outcome_id=key, deliberation_id=deliberation_id, kind=kind):
            return Submitted(outcome_id=key, deliberation_id=deliberation_id, kind=kind)
        case OutcomeAdopted(outcome_id=key, deliberation_id=deliberation_id, partly=partly, promises=promises):
            return Adopted(outcome_id=key, deliberation_id=deliberation_id, partly=partly, promises=promises)
        case OutcomeRefused(outcome_id=key, deliberation_id=deliberation_id):
            return Refused(outcome_id=key, deliberation_id=deliberation_id)


outcome: Decider[Command, State, Fact, AtHand] = Decider("outcome", Unsubmitted(), decide, evolve)
