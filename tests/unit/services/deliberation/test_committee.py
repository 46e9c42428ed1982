"""Every command on every state of a committee and of a workstation: what follows, or which rule says no."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from eventlog.decider import Context
from eventlog.testing import SOMEBODY, Scenario
from facts.deliberation.committee import (
    CommitteeDissolved,
    CommitteeEstablished,
    Member,
    MemberKind,
    Programme,
)
from facts.deliberation.workstation import WorkstationClosed, WorkstationEstablished
from services.deliberation.domain import workstation as workstations
from services.deliberation.domain.committee import (
    Command,
    DissolveCommittee,
    EstablishCommittee,
    ExpireTerm,
    Fact,
    InForce,
    Standing,
    State,
    committee,
    in_term,
)
from services.deliberation.domain.procedure import default_procedure
from services.deliberation.domain.workstation import CloseWorkstation, EstablishWorkstation, workstation
from vocabulary.calendar import end_of_day

VILLAGE, TOWN, COUNTY = "620724100701", "620724100", "620724"
LEAP_DAY = datetime(2028, 2, 29, 9, tzinfo=UTC)
UNTIL = date(2030, 12, 31)
IN_FORCE = InForce(**dict(SOMEBODY), procedure=default_procedure())


def members(n: int = 7, women: int = 1, cppcc: int = 1, first: int = 1) -> tuple[Member, ...]:
    """A committee of ``n``, so composed."""
    kinds = [MemberKind.FIRST_CONVENER] * first + [MemberKind.CPPCC] * cppcc
    kinds += [MemberKind.FIXED] * (n - len(kinds))
    return tuple(Member(person=UUID(int=i + 1), kind=kind, woman=i < women) for i, kind in enumerate(kinds[:n]))


establish = EstablishCommittee(
    division=VILLAGE,
    name="协商议事委员会",
    members=members(),
    term_until=UNTIL,
    programme=Programme.PARTY_BUILDING_NEIGHBOURHOOD,
)
established = CommitteeEstablished(**dict(establish))
dissolved = CommitteeDissolved(division=VILLAGE, reason="并村")

nothing: Scenario[Command, State, Fact, InForce] = Scenario(committee, context=IN_FORCE)
a_committee = nothing.given(established)
an_expired_one = a_committee.under(IN_FORCE.model_copy(update={"occurred_at": datetime(2031, 1, 2, tzinfo=UTC)}))
a_dissolved_one = a_committee.given(dissolved)

STATES: Mapping[str, Scenario[Command, State, Fact, InForce]] = {
    "nothing": nothing,
    "standing": a_committee,
    "dissolved": a_dissolved_one,
}
COMMANDS: Mapping[str, Command] = {
    "establish": establish,
    "dissolve": DissolveCommittee(reason="并村"),
    "expire": ExpireTerm(),
}
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "establish": {"nothing": established, "standing": "committee-exists", "dissolved": established},
    "dissolve": {"nothing": "committee-absent", "standing": dissolved, "dissolved": "committee-dissolved"},
    "expire": {"nothing": "committee-absent", "standing": "committee-in-term", "dissolved": "committee-dissolved"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_every_state(command: str, state: str) -> None:
    outcome = STATES[state].when(COMMANDS[command])
    match TABLE[command][state]:
        case str() as code:
            outcome.then_rejected(code)
        case fact:
            outcome.then(fact)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_sent_twice_is_refused_the_second_time(command: str, state: str) -> None:
    outcome = STATES[state].when(COMMANDS[command])
    if outcome.facts is not None:
        assert STATES[state].given(*outcome.facts).when(COMMANDS[command]).code is not None


class TestComposition:
    @pytest.mark.parametrize(
        ("division", "composed", "code"),
        [
            (VILLAGE, members(6), "committee-size"),
            (VILLAGE, members(16), "committee-size"),
            (TOWN, members(8), "committee-size"),
            (TOWN, members(22), "committee-size"),
            (VILLAGE, members(women=0), "committee-without-woman"),
            (VILLAGE, members(cppcc=0), "committee-without-cppcc-member"),
            (VILLAGE, members(first=0), "committee-first-convener"),
            (VILLAGE, members(first=2), "committee-first-convener"),
            (VILLAGE, (*members(), members()[0]), "committee-member-twice"),
            (COUNTY, members(), "committee-of-a-county"),
        ],
    )
    def test_is_held_to_the_procedure(self, division: str, composed: Sequence[Member], code: str) -> None:
        wanted = establish.model_copy(update={"division": division, "members": tuple(composed)})
        nothing.when(wanted).then_rejected(code)

    @pytest.mark.parametrize(("division", "size"), [(VILLAGE, 7), (VILLAGE, 15), (TOWN, 9), (TOWN, 21)])
    def test_both_ends_of_a_size_are_included(self, division: str, size: int) -> None:
        wanted = establish.model_copy(update={"division": division, "members": members(size)})
        nothing.when(wanted).then(CommitteeEstablished(**dict(wanted)))


class TestTerm:
    @pytest.mark.parametrize("until", [date(2026, 3, 1), date(2031, 3, 2)])
    def test_ends_within_five_years_and_not_before_it_begins(self, until: date) -> None:
        nothing.when(establish.model_copy(update={"term_until": until})).then_rejected("committee-term")

    def test_from_a_leap_day_lasts_until_the_last_of_february(self) -> None:
        on_leap_day = nothing.under(IN_FORCE.model_copy(update={"occurred_at": LEAP_DAY}))
        last = establish.model_copy(update={"term_until": date(2033, 2, 28)})
        on_leap_day.when(last).then(CommitteeEstablished(**dict(last)))
        on_leap_day.when(establish.model_copy(update={"term_until": date(2033, 3, 1)})).then_rejected("committee-term")

    def test_over_the_next_one_follows_and_the_last_is_dissolved(self) -> None:
        renewed = establish.model_copy(update={"term_until": date(2035, 12, 31)})
        ended = CommitteeDissolved(division=VILLAGE, reason="term-expired")
        an_expired_one.when(renewed).then(ended, CommitteeEstablished(**dict(renewed)))

    def test_over_the_committee_is_dissolved_without_anybody_saying_so(self) -> None:
        [end] = committee.due(a_committee.state)
        assert end.at == end_of_day(UNTIL)
        at_its_end = IN_FORCE.model_copy(update={"occurred_at": end.at})
        ended = CommitteeDissolved(division=VILLAGE, reason="term-expired")
        a_committee.under(at_its_end).when(end.command).then(ended)

    @pytest.mark.parametrize("state", STATES)
    def test_each_due_command_leaves_due(self, state: str) -> None:
        STATES[state].then_due_commands_leave()

    def test_ends_with_its_last_day_in_shanghai(self) -> None:
        assert in_term(a_committee.state, datetime(2030, 12, 31, 15, 59, tzinfo=UTC)) is not None
        assert in_term(a_committee.state, datetime(2030, 12, 31, 16, 0, tzinfo=UTC)) is None
        assert in_term(nothing.state, SOMEBODY.occurred_at) is None
        assert in_term(a_dissolved_one.state, SOMEBODY.occurred_at) is None


def test_fixed_members_are_all_but_the_cppcc_members() -> None:
    standing = a_committee.state
    assert isinstance(standing, Standing)
    cppcc = [member.person for member in standing.members if member.kind is MemberKind.CPPCC]
    assert set(standing.fixed_members) == {member.person for member in standing.members} - set(cppcc)


class TestWorkstation:
    begun = EstablishWorkstation(division=TOWN, name="委员工作站", head=UUID(int=1))
    active = WorkstationEstablished(**dict(begun))
    closed = WorkstationClosed(division=TOWN, reason="合并")
    nothing: Scenario[workstations.Command, workstations.State, workstations.Fact, Context] = Scenario(workstation)

    def test_stands_once_in_a_town(self) -> None:
        self.nothing.when(self.begun).then(self.active)
        self.nothing.given(self.active).when(self.begun).then_rejected("workstation-exists")

    @pytest.mark.parametrize("division", [VILLAGE, COUNTY])
    def test_stands_in_towns_only(self, division: str) -> None:
        elsewhere = self.begun.model_copy(update={"division": division})
        self.nothing.when(elsewhere).then_rejected("workstation-outside-a-town")

    def test_is_closed_once_and_may_be_established_again(self) -> None:
        close = CloseWorkstation(reason="合并")
        self.nothing.when(close).then_rejected("workstation-absent")
        self.nothing.given(self.active).when(close).then(self.closed)
        self.nothing.given(self.active, self.closed).when(close).then_rejected("workstation-closed")
        self.nothing.given(self.active, self.closed).when(self.begun).then(self.active)
