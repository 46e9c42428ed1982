"""MediationCommittee: three to nine members, a woman among them, three years."""

from datetime import date
from uuid import UUID

import pytest
from pydantic import ValidationError

from eventlog.testing import Scenario
from facts.mediation.committee import CommitteeMember, MediationCommitteeRegistered
from services.mediation.domain.committee import RegisterMediationCommittee, committee, last_day

VILLAGE = "620724100701"


def members(count: int, *, women: int = 1) -> tuple[CommitteeMember, ...]:
    return tuple(CommitteeMember(person=UUID(int=n), woman=n < women) for n in range(count))


def register(people: tuple[CommitteeMember, ...], term_from: date = date(2026, 1, 1)) -> RegisterMediationCommittee:
    return RegisterMediationCommittee(division=VILLAGE, name="东联村调解委员会", members=people, term_from=term_from)


registered = MediationCommitteeRegistered(
    division=VILLAGE,
    name="东联村调解委员会",
    members=members(3),
    term_from=date(2026, 1, 1),
    term_until=date(2028, 12, 31),
)
no_committee = Scenario(committee)
a_committee_in_office = no_committee.given(registered)


class TestRegister:
    def test_pml_9_serves_three_years(self) -> None:
        no_committee.when(register(members(3))).then(registered)

    @pytest.mark.parametrize("count", [3, 9])
    def test_pml_8_three_to_nine(self, count: int) -> None:
        no_committee.when(register(members(count))).then(registered.model_copy(update={"members": members(count)}))

    @pytest.mark.parametrize("count", [0, 2, 10])
    def test_pml_8_no_fewer_and_no_more(self, count: int) -> None:
        no_committee.when(register(members(count))).then_rejected("committee-size")

    def test_pml_8_a_woman_among_them(self) -> None:
        no_committee.when(register(members(5, women=0))).then_rejected("committee-without-woman")

    def test_nobody_counts_twice(self) -> None:
        no_committee.when(register((*members(3), *members(1)))).then_rejected("committee-member-twice")

    def test_one_a_division_at_a_time(self) -> None:
        a_committee_in_office.when(register(members(3), date(2028, 12, 31))).then_rejected("committee-in-term")

    def test_the_next_begins_after_its_term(self) -> None:
        a_committee_in_office.when(register(members(4), date(2029, 1, 1))).then(
            registered.model_copy(
                update={"members": members(4), "term_from": date(2029, 1, 1), "term_until": date(2031, 12, 31)}
            )
        )

    def test_the_rules_hold_for_every_term(self) -> None:
        a_committee_in_office.when(register(members(2), date(2029, 1, 1))).then_rejected("committee-size")

    def test_a_term_ends_within_the_calendar(self) -> None:
        no_committee.when(register(members(3), date(2197, 12, 31))).then(
            registered.model_copy(update={"term_from": date(2197, 12, 31), "term_until": date(2200, 12, 30)})
        )
        with pytest.raises(ValidationError):
            register(members(3), date(2198, 1, 1))


def test_a_term_begun_on_29_february() -> None:
    assert last_day(date(2028, 2, 29)) == date(2031, 2, 28)
