"""Committee: who deliberates for a town or a village, one at each, for a term."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field

from eventlog.decider import Context, Decider, Due
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.deliberation.committee import CommitteeDissolved, CommitteeEstablished, Member, MemberKind, Programme
from services.deliberation.domain.procedure import CommitteeRules, Procedure
from vocabulary.calendar import day_of, end_of_day
from vocabulary.divisions import DivisionCode, level_of
from vocabulary.words import Day, Line


class EstablishCommittee(Value):
    """``term_until``: the last day of its term."""

    division: DivisionCode
    name: Line
    members: Annotated[tuple[Member, ...], Field(max_length=100)]
    term_until: Day
    programme: Programme | None = None


class DissolveCommittee(Value):
    reason: Line


class ExpireTerm(Value):
    """Sent by the timer when the term is over."""


class Unestablished(Value):
    """No committee at this division yet."""


class Standing(Value):
    division: DivisionCode
    members: tuple[Member, ...]
    term_until: Day

    @property
    def fixed_members(self) -> tuple[UUID, ...]:
        """Everyone but the CPPCC members posted to it: of these a quorum is counted."""
        return tuple(member.person for member in self.members if member.kind is not MemberKind.CPPCC)


class Dissolved(Value):
    division: DivisionCode


Command: TypeAlias = EstablishCommittee | DissolveCommittee | ExpireTerm
Fact: TypeAlias = CommitteeEstablished | CommitteeDissolved
State: TypeAlias = Unestablished | Standing | Dissolved


class InForce(Context):
    procedure: Procedure


def decide(command: Command, committee: State, context: InForce) -> Sequence[Fact]:
    match command:
        case EstablishCommittee():
            return establish(command, committee, context)
        case DissolveCommittee():
            return dissolve(command, committee)
        case ExpireTerm():
            return expire(committee, context)


def establish(command: EstablishCommittee, committee: State, context: InForce) -> Sequence[Fact]:
    """One at a time at each division; the next follows when the term of the last one is over."""
    today = day_of(context.occurred_at)
    match committee:
        case Standing(term_until=until) if today <= until:
            raise Rejected("committee-exists", until=until)
        case Standing(division=division):
            proper(command, today, context.procedure.committee)
            return [expired(division), CommitteeEstablished(**vars(command))]
        case Unestablished() | Dissolved():
            proper(command, today, context.procedure.committee)
            return [CommitteeEstablished(**vars(command))]


def proper(command: EstablishCommittee, today: date, rules: CommitteeRules) -> None:
    """Refuse a committee that is not made up as the procedure asks."""
    size = rules.size(level_of(command.division))
    if size is None:
        raise Rejected("committee-of-a-county", division=command.division)
    persons = {member.person for member in command.members}
    if len(persons) < len(command.members):
        raise Rejected("committee-member-twice")
    if not size.smallest <= len(persons) <= size.largest:
        raise Rejected("committee-size", members=len(persons), smallest=size.smallest, largest=size.largest)
    if not any(member.woman for member in command.members):
        raise Rejected("committee-without-woman")
    kinds = [member.kind for member in command.members]
    if MemberKind.CPPCC not in kinds:
        raise Rejected("committee-without-cppcc-member")
    if kinds.count(MemberKind.FIRST_CONVENER) != 1:
        raise Rejected("committee-first-convener", conveners=kinds.count(MemberKind.FIRST_CONVENER))
    if not today <= command.term_until < years_after(today, rules.term_years):
        raise Rejected("committee-term", years=rules.term_years)


def years_after(day: date, years: int) -> date:
    """The same day ``years`` later; after 29 February, 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def dissolve(command: DissolveCommittee, committee: State) -> Sequence[Fact]:
    match committee:
        case Standing(division=division):
            return [CommitteeDissolved(division=division, reason=command.reason)]
        case Unestablished():
            raise Rejected("committee-absent")
        case Dissolved():
            raise Rejected("committee-dissolved")


def expire(committee: State, context: InForce) -> Sequence[Fact]:
    """A term that is over ends the committee: nobody has to say so."""
    match committee:
        case Standing(division=division, term_until=until) if context.occurred_at >= end_of_day(until):
            return [expired(division)]
        case Standing(term_until=until):
            raise Rejected("committee-in-term", until=until)
        case Unestablished():
            raise Rejected("committee-absent")
        case Dissolved():
            raise Rejected("committee-dissolved")


def expired(division: DivisionCode) -> CommitteeDissolved:
    return CommitteeDissolved(division=division, reason="term-expired")


def in_term(committee: State, at: datetime) -> Standing | None:
    """Return the committee if it stands and its term is not over: others neither take topics nor meet."""
    match committee:
        case Standing(term_until=until) if day_of(at) <= until:
            return committee
        case Unestablished() | Standing() | Dissolved():
            return None


def evolve(_: State, fact: Fact) -> State:
    match fact:
        case CommitteeEstablished(division=division, members=members, term_until=until):
            return Standing(division=division, members=members, term_until=until)
        case CommitteeDissolved(division=division):
            return Dissolved(division=division)


def due(committee: State) -> Sequence[Due[Command]]:
    """The end of a committee's term."""
    match committee:
        case Standing(term_until=until):
            return [Due[Command](at=end_of_day(until), command=ExpireTerm())]
        case Unestablished() | Dissolved():
            return []


committee: Decider[Command, State, Fact, InForce] = Decider(
    "committee", Unestablished(), decide, evolve, due, timed=(ExpireTerm,)
)
