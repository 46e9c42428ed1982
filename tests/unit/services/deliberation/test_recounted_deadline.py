"""A promise's deadline, counted again on a corrected calendar: it moves where it must, and makes nobody late."""

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.decider import Actor
from eventlog.testing import Scenario
from facts.deliberation.commitment import (
    CommitmentCancelled,
    CommitmentClosed,
    CommitmentCompleted,
    CommitmentContested,
    CommitmentDeadlineMissed,
    CommitmentDeadlineMoved,
    CommitmentMissRevoked,
    CommitmentOpened,
    CommitmentVerified,
)
from services.deliberation.domain.commitment import (
    REMINDED_BEFORE,
    Command,
    CompleteCommitment,
    Fact,
    InForce,
    MissDeadline,
    OpenCommitment,
    Opened,
    RecomputeDeadline,
    RemindOfDeadline,
    State,
    commitment,
)
from services.deliberation.domain.procedure import default_procedure
from tests.unit.sealed_samples import a_public_text
from vocabulary.calendar import SHANGHAI, Counted, Period, Span, WorkingCalendar, YearTable, end_of_day, shipped_tables

KEY, ISSUE = UUID(int=1), UUID(int=3)
UNIT = "620724100.town-government"
WORDS = a_public_text("铺砂")
THURSDAY = datetime(2026, 3, 5, 9, tzinfo=SHANGHAI)
DUE = end_of_day(date(2026, 4, 7))  # thirty days on is a Saturday, and then comes the holiday
COUNTED = Counted(policy=default_procedure().version, since=THURSDAY, period=Period(days=30))

opened = CommitmentOpened(
    commitment_id=KEY,
    deliberation_id=None,
    issue_id=ISSUE,
    what=WORDS,
    unit=UNIT,
    due=DUE,
    opened_at=THURSDAY,
    counted=COUNTED,
)
missed = CommitmentDeadlineMissed(commitment_id=KEY, due=DUE)
revoked = CommitmentMissRevoked(commitment_id=KEY)
completed = CommitmentCompleted(commitment_id=KEY, proof=WORDS, completed_by="worker", in_time=True)
contested = CommitmentContested(commitment_id=KEY, reason=WORDS, contested_at=THURSDAY)
verified = CommitmentVerified(commitment_id=KEY, verified_by="supervisor")
closed = CommitmentClosed(commitment_id=KEY, deliberation_id=None, issue_id=ISSUE)
cancelled = CommitmentCancelled(commitment_id=KEY, deliberation_id=None, issue_id=ISSUE, reason="撤回")


def moved(to: date) -> CommitmentDeadlineMoved:
    return CommitmentDeadlineMoved(commitment_id=KEY, was=DUE, due=end_of_day(to))


def a_table(*off: date, work: tuple[date, ...] = ()) -> YearTable:
    return YearTable(rest=tuple(Span(first=day, last=day) for day in off), work=work)


def under(table: YearTable, at: datetime = THURSDAY) -> InForce:
    """The calendar is what ``table`` says of 2026, as corrected ``at`` that moment."""
    return InForce(
        actor=Actor(id="worker", organ=UNIT),
        occurred_at=at,
        procedure=default_procedure(),
        calendar=WorkingCalendar.of({**shipped_tables(), 2026: table}),
    )


UNCHANGED = shipped_tables()[2026]
LONGER = a_table(*(date(2026, 4, day) for day in range(3, 9)))
"""The holiday is two days longer: the deadline ends on the 9th."""
NONE_OFF = a_table(work=(date(2026, 4, 4),))
"""No holiday, and that Saturday is worked: the deadline ends on it."""
THE_9TH, SATURDAY = date(2026, 4, 9), date(2026, 4, 4)

nothing: Scenario[Command, State, Fact, InForce] = Scenario(commitment)
an_open_one = nothing.given(opened)
a_missed_one = an_open_one.given(missed)
a_completed_one = an_open_one.given(completed)
NOT_RUNNING = {
    "completed": a_completed_one,
    "completed late": a_missed_one.given(completed.model_copy(update={"in_time": False})),
    "closed": a_completed_one.given(verified, closed),
    "cancelled": an_open_one.given(cancelled),
    "named by somebody": nothing.given(opened.model_copy(update={"counted": None})),
}
RUNNING = {
    "open": an_open_one,
    "missed": a_missed_one,
    "contested": a_completed_one.given(contested),
    "moved before": an_open_one.given(moved(SATURDAY)),
}


class TestRecompute:
    def test_says_nothing_where_it_stays(self) -> None:
        an_open_one.under(under(UNCHANGED)).when(RecomputeDeadline()).then()

    def test_moves_it_to_a_later_day_and_its_timer_with_it(self) -> None:
        later = an_open_one.under(under(LONGER)).and_then(RecomputeDeadline())
        assert later.facts[-1] == moved(THE_9TH)
        assert [(timer.at, timer.command) for timer in commitment.due(later.state)] == [
            (end_of_day(THE_9TH) - REMINDED_BEFORE, RemindOfDeadline()),
            (end_of_day(THE_9TH), MissDeadline()),
        ]
        later.under(under(LONGER, DUE)).when(MissDeadline()).then_rejected("commitment-not-due")

    def test_moves_it_to_an_earlier_day(self) -> None:
        an_open_one.under(under(NONE_OFF)).when(RecomputeDeadline()).then(moved(SATURDAY))
        at_its_end = under(NONE_OFF, end_of_day(SATURDAY))
        an_open_one.under(at_its_end).when(RecomputeDeadline()).then(moved(SATURDAY))

    def test_makes_nobody_late_who_was_not(self) -> None:
        on_sunday = under(NONE_OFF, end_of_day(SATURDAY) + timedelta(microseconds=1))
        an_open_one.under(on_sunday).when(RecomputeDeadline()).then()
        a_missed_one.under(under(NONE_OFF, DUE + timedelta(days=1))).when(RecomputeDeadline()).then()

    def test_takes_a_miss_back_where_it_is_not_over_after_all(self) -> None:
        on_the_8th = under(LONGER, DUE + timedelta(hours=10))
        again = a_missed_one.under(on_the_8th).and_then(RecomputeDeadline())
        assert again.facts[-2:] == (moved(THE_9TH), revoked)
        assert commitment.due(again.state)[-1].at == end_of_day(THE_9TH)

    def test_leaves_a_miss_a_miss_where_it_is_over_by_both_but_judges_late_records_by_the_new_one(self) -> None:
        after_both = under(LONGER, DUE + timedelta(days=9))
        still = a_missed_one.under(after_both).and_then(RecomputeDeadline())
        assert still.facts[-1] == moved(THE_9TH)
        assert commitment.due(still.state) == []
        on_the_8th = under(LONGER, DUE + timedelta(hours=10))
        still.under(on_the_8th).when(CompleteCommitment(proof=WORDS)).then(revoked, completed)

    def test_moves_a_contested_one_that_is_open_again(self) -> None:
        RUNNING["contested"].under(under(LONGER)).when(RecomputeDeadline()).then(moved(THE_9TH))

    @pytest.mark.parametrize("state", NOT_RUNNING)
    def test_leaves_alone_what_no_count_runs_for(self, state: str) -> None:
        NOT_RUNNING[state].under(under(LONGER)).when(RecomputeDeadline()).then()

    def test_needs_a_promise(self) -> None:
        nothing.under(under(LONGER)).when(RecomputeDeadline()).then_rejected("commitment-absent")

    def test_counts_a_year_without_a_table_once_it_has_one(self) -> None:
        """Opened before the holidays of the next year were announced: by weekends only."""
        friday = datetime(2098, 12, 5, 9, tzinfo=SHANGHAI)
        before = under(UNCHANGED, friday)
        opening = OpenCommitment(commitment_id=KEY, issue_id=ISSUE, what=WORDS, unit=UNIT)
        promised = nothing.under(before).and_then(opening)
        assert isinstance(promised.state, Opened)
        assert promised.state.about.due == end_of_day(date(2099, 1, 5))
        announced = WorkingCalendar.of({2099: a_table(date(2099, 1, 5))})
        after = before.model_copy(update={"calendar": announced})
        facts = promised.under(after).when(RecomputeDeadline()).facts
        due = [fact.due for fact in facts or () if isinstance(fact, CommitmentDeadlineMoved)]
        assert due == [end_of_day(date(2099, 1, 6))]


tables = st.builds(
    a_table,
    *[st.sampled_from([date(2026, 3, 30) + timedelta(days=ahead) for ahead in range(20)])] * 5,
    work=st.just(()),
)
moments = st.integers(0, 57 * 24 * 60).map(lambda minutes: THURSDAY + timedelta(minutes=minutes))


@pytest.mark.parametrize("state", RUNNING)
@given(table=tables, at=moments)
def test_whatever_is_corrected_whenever_it_ends_where_it_is_counted_to_or_stands(
    state: str, table: YearTable, at: datetime
) -> None:
    """Counting again adds nothing; no deadline moves to a day already past; each due command leaves ``due``."""
    context = under(table, at)
    before = RUNNING[state].state
    assert isinstance(before, Opened)
    after = RUNNING[state].under(context).and_then(RecomputeDeadline())
    assert isinstance(after.state, Opened)
    ends = COUNTED.deadline(context.calendar)
    stands = ends < at and ends < before.about.due
    assert after.state.about.due == (before.about.due if stands else ends)
    assert after.state.missed is (before.missed and not (before.about.due != ends and at <= ends))
    after.when(RecomputeDeadline()).then()
    after.then_due_commands_leave()


def test_what_is_counted_stands_beside_the_day_it_led_to() -> None:
    unhurried = OpenCommitment(commitment_id=KEY, issue_id=ISSUE, what=WORDS, unit=UNIT)
    nothing.under(under(UNCHANGED)).when(unhurried).then(opened)
    named = unhurried.model_copy(update={"due": DUE})
    nothing.under(under(UNCHANGED)).when(named).then(opened.model_copy(update={"counted": None}))
