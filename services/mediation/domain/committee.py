"""MediationCommittee: who may mediate for a division, and for how long."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, TypeAlias

from pydantic import Field

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.mediation.committee import CommitteeMember, MediationCommitteeRegistered
from vocabulary.divisions import DivisionCode
from vocabulary.words import Day, Line

SMALLEST, LARGEST = 3, 9  # PML art. 8
TERM = 3  # years, PML art. 9


class RegisterMediationCommittee(Value):
    """``term_from``: the first day of its term; the last follows from it."""

    division: DivisionCode
    name: Line
    members: Annotated[tuple[CommitteeMember, ...], Field(max_length=100)]
    term_from: Annotated[Day, Field(le=date(2197, 12, 31))]


class Unregistered(Value):
    """No committee at this division yet."""


class Registered(Value):
    term_until: Day


State: TypeAlias = Unregistered | Registered


def decide(command: RegisterMediationCommittee, committee: State, _: Context) -> Sequence[MediationCommitteeRegistered]:
    """A committee stands for its term; the next one begins after it."""
    match committee:
        case Registered(term_until=until) if command.term_from <= until:
            raise Rejected("committee-in-term", until=until)
        case Unregistered() | Registered():
            proper(command.members)
            return [MediationCommitteeRegistered(**vars(command), term_until=last_day(command.term_from))]


def proper(members: Sequence[CommitteeMember]) -> None:
    """Refuse a committee that the law does not know: PML art. 8, three to nine members, a woman among them."""
    persons = {member.person for member in members}
    if len(persons) < len(members):
        raise Rejected("committee-member-twice")
    if not SMALLEST <= len(persons) <= LARGEST:
        raise Rejected("committee-size", members=len(persons), smallest=SMALLEST, largest=LARGEST)
    if not any(member.woman for member in members):
        raise Rejected("committee-without-woman")


def last_day(first: date) -> date:
    """The last day of a term that begins on ``first``; one begun on 29 February ends on 28 February."""
    try:
        following = first.replace(year=first.year + TERM)
    except ValueError:
        following = date(first.year + TERM, 3, 1)
    return following - timedelta(days=1)


def evolve(_: State, fact: MediationCommitteeRegistered) -> State:
    return Registered(term_until=fact.term_until)


committee: Decider[RegisterMediationCommittee, State, MediationCommitteeRegistered, Context] = Decider(
    "mediation-committee", Unregistered(), decide, evolve
)
