"""Every command on every state of a commitment: what follows, or which rule says no; and its deadline."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from eventlog.decider import Actor
from eventlog.testing import SOMEBODY, Scenario
from facts.deliberation.commitment import (
    CommitmentCancelled,
    CommitmentClosed,
    CommitmentCompleted,
    CommitmentContested,
    CommitmentDeadlineMissed,
    CommitmentDeadlineNearing,
    CommitmentMissRevoked,
    CommitmentOpened,
    CommitmentVerified,
)
from services.deliberation.domain.commitment import (
    REMINDED_BEFORE,
    CancelCommitment,
    Command,
    CompleteCommitment,
    ContestCommitment,
    Fact,
    InForce,
    MissDeadline,
    OpenCommitment,
    RemindOfDeadline,
    State,
    VerifyCommitment,
    commitment,
)
from services.deliberation.domain.procedure import default_procedure
from tests.unit.sealed_samples import a_public_text
from vocabulary.calendar import Counted, Period, WorkingCalendar, day_of, end_of_day

KEY, DELIBERATION, ISSUE = UUID(int=1), UUID(int=2), UUID(int=3)
UNIT = "620724100.town-government"
WHAT, PROOF, REASON = a_public_text("铺砂"), a_public_text("照片三张"), a_public_text("只铺了一半")
DUE = datetime(2026, 3, 31, 15, 59, 59, 999999, tzinfo=UTC)
NEAR = DUE - REMINDED_BEFORE

promise = OpenCommitment(commitment_id=KEY, deliberation_id=DELIBERATION, issue_id=None, what=WHAT, unit=UNIT, due=DUE)
opened = CommitmentOpened(**dict(promise), opened_at=SOMEBODY.occurred_at)
completed = CommitmentCompleted(commitment_id=KEY, proof=PROOF, completed_by="worker", in_time=True)
nearing = CommitmentDeadlineNearing(commitment_id=KEY, due=DUE)
late = completed.model_copy(update={"in_time": False})
missed = CommitmentDeadlineMissed(commitment_id=KEY, due=DUE)
revoked = CommitmentMissRevoked(commitment_id=KEY)
verified = CommitmentVerified(commitment_id=KEY, verified_by="supervisor")
contested = CommitmentContested(commitment_id=KEY, reason=REASON, contested_at=SOMEBODY.occurred_at)
cancelled = CommitmentCancelled(commitment_id=KEY, deliberation_id=DELIBERATION, issue_id=None, reason="撤回")
closed = CommitmentClosed(commitment_id=KEY, deliberation_id=DELIBERATION, issue_id=None)

WORKER = Actor(id="worker", organ=UNIT)
SUPERVISOR = Actor(id="supervisor", organ="620724100701.supervisory-committee")
IN_FORCE = InForce(
    actor=SUPERVISOR,
    occurred_at=SOMEBODY.occurred_at,
    procedure=default_procedure(),
    calendar=WorkingCalendar.load(),
    awaited=True,
)
BY_WORKER = IN_FORCE.model_copy(update={"actor": WORKER})
AT_DUE = IN_FORCE.model_copy(update={"occurred_at": DUE})
WORKER_LATE = BY_WORKER.model_copy(update={"occurred_at": DUE + timedelta(microseconds=1)})

nothing: Scenario[Command, State, Fact, InForce] = Scenario(commitment, context=IN_FORCE)
an_open_one = nothing.given(opened)
a_missed_one = an_open_one.given(missed)
a_completed_one = an_open_one.given(completed)
a_closed_one = a_completed_one.given(verified, closed)

STATES: Mapping[str, Scenario[Command, State, Fact, InForce]] = {
    "nothing": nothing,
    "open": an_open_one,
    "reminded": an_open_one.given(nearing),
    "missed": a_missed_one,
    "completed": a_completed_one,
    "completed late": a_missed_one.given(late),
    "contested": a_completed_one.given(contested),
    "contested, late": a_missed_one.given(late, contested),
    "closed": a_closed_one,
    "cancelled": an_open_one.given(cancelled),
}
COMMANDS: Mapping[str, tuple[Command, InForce]] = {
    "open": (promise, IN_FORCE),
    "complete": (CompleteCommitment(proof=PROOF), BY_WORKER),
    "complete late": (CompleteCommitment(proof=PROOF), WORKER_LATE),
    "verify": (VerifyCommitment(), IN_FORCE),
    "contest": (ContestCommitment(reason=REASON), IN_FORCE),
    "remind": (RemindOfDeadline(), AT_DUE),
    "miss": (MissDeadline(), AT_DUE),
    "cancel": (CancelCommitment(reason="撤回"), IN_FORCE),
}
ENDED: Mapping[str, tuple[Fact, ...] | str] = dict.fromkeys(STATES, "commitment-ended") | {
    "nothing": "commitment-absent"
}
UNDONE = dict.fromkeys(("open", "reminded", "missed", "contested", "contested, late"), "commitment-not-completed")
DONE = dict.fromkeys(("completed", "completed late"), "commitment-completed")
RUNNING = ("open", "reminded", "missed", "completed", "completed late", "contested", "contested, late")
TABLE: Mapping[str, Mapping[str, tuple[Fact, ...] | str]] = {
    "open": {**dict.fromkeys(STATES, "commitment-exists"), "nothing": (opened,)},
    "complete": {
        **ENDED,
        **DONE,
        "open": (completed,),
        "reminded": (completed,),
        "contested": (completed,),
        "missed": (revoked, completed),
        "contested, late": (revoked, completed),
    },
    "complete late": {
        **ENDED,
        **DONE,
        **dict.fromkeys(("open", "reminded", "missed", "contested", "contested, late"), (late,)),
    },
    "verify": {**ENDED, **UNDONE, "completed": (verified, closed), "completed late": (verified, closed)},
    "contest": {**ENDED, **UNDONE, "completed": (contested,), "completed late": (contested,)},
    "miss": {
        **ENDED,
        **dict.fromkeys(RUNNING, "deadline-not-running"),
        "open": (missed,),
        "reminded": (missed,),
        "contested": (missed,),
    },
    "remind": {
        **ENDED,
        **dict.fromkeys(RUNNING, "deadline-not-running"),
        "open": (nearing,),
        "contested": (nearing,),
    },
    "cancel": {**ENDED, **dict.fromkeys(RUNNING, (cancelled,))},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_every_state(command: str, state: str) -> None:
    words, context = COMMANDS[command]
    outcome = STATES[state].under(context).when(words)
    match TABLE[command][state]:
        case str() as code:
            outcome.then_rejected(code)
        case facts:
            outcome.then(*facts)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_sent_twice_is_refused_the_second_time(command: str, state: str) -> None:
    words, context = COMMANDS[command]
    outcome = STATES[state].under(context).when(words)
    if outcome.facts is not None:
        assert STATES[state].given(*outcome.facts).under(context).when(words).code is not None


class TestDeadline:
    @pytest.mark.parametrize("state", STATES)
    def test_each_due_command_leaves_due(self, state: str) -> None:
        STATES[state].then_due_commands_leave()

    @pytest.mark.parametrize("state", STATES)
    def test_runs_while_nothing_was_heard(self, state: str) -> None:
        due = [timer.at for timer in commitment.due(STATES[state].state)]
        running = {"open": [NEAR, DUE], "contested": [NEAR, DUE], "reminded": [DUE]}
        assert due == running.get(state, [])

    def test_is_reminded_of_once_and_not_early(self) -> None:
        early = IN_FORCE.model_copy(update={"occurred_at": NEAR - timedelta(microseconds=1)})
        an_open_one.under(early).when(RemindOfDeadline()).then_rejected("reminder-not-due")
        an_open_one.under(AT_DUE).given(nearing).when(RemindOfDeadline()).then_rejected("deadline-not-running")

    def test_is_not_reminded_of_where_it_is_shorter_than_that(self) -> None:
        short = opened.model_copy(update={"opened_at": NEAR + timedelta(hours=1)})
        assert [timer.at for timer in commitment.due(nothing.given(short).state)] == [DUE]

    def test_is_not_missed_before_it_is_due(self) -> None:
        early = IN_FORCE.model_copy(update={"occurred_at": DUE - timedelta(microseconds=1)})
        an_open_one.under(early).when(MissDeadline()).then_rejected("commitment-not-due")

    def test_is_met_by_what_occurs_at_the_very_end(self) -> None:
        at_the_end = BY_WORKER.model_copy(update={"occurred_at": DUE})
        an_open_one.under(at_the_end).when(CompleteCommitment(proof=PROOF)).then(completed)

    def test_a_late_record_of_work_done_in_time_revokes_the_miss_for_good(self) -> None:
        kept = a_missed_one.under(BY_WORKER).and_then(CompleteCommitment(proof=PROOF))
        assert commitment.due(kept.state) == []
        kept.under(IN_FORCE).when(VerifyCommitment()).then(verified, closed)


class TestPromise:
    def test_is_not_opened_where_its_deliberation_does_not_await_it(self) -> None:
        unawaited = IN_FORCE.model_copy(update={"awaited": False})
        nothing.under(unawaited).when(promise).then_rejected("commitment-not-awaited")

    def test_is_not_kept_by_what_was_done_before_it(self) -> None:
        before = SOMEBODY.occurred_at - timedelta(microseconds=1)
        early = BY_WORKER.model_copy(update={"occurred_at": before})
        for state in (an_open_one, a_missed_one):
            state.under(early).when(CompleteCommitment(proof=PROOF)).then_rejected("completed-before-promised")

    def test_is_not_kept_by_what_was_done_before_it_was_contested(self) -> None:
        next_day = SOMEBODY.occurred_at + timedelta(days=1)
        again = a_completed_one.given(contested.model_copy(update={"contested_at": next_day}))
        again.under(BY_WORKER).when(CompleteCommitment(proof=PROOF)).then_rejected("completed-before-promised")
        on_that_day = BY_WORKER.model_copy(update={"occurred_at": next_day})
        again.under(on_that_day).when(CompleteCommitment(proof=PROOF)).then(completed)

    def test_of_old_facts_tells_not_when_it_was_made(self) -> None:
        old = nothing.given(opened.model_copy(update={"opened_at": None}), completed)
        contested_then = old.given(CommitmentContested(commitment_id=KEY, reason=REASON))
        early = BY_WORKER.model_copy(update={"occurred_at": SOMEBODY.occurred_at - timedelta(days=1)})
        contested_then.under(early).when(CompleteCommitment(proof=PROOF)).then(completed)


def counted(since: datetime, period: Period = Period(days=30)) -> Counted:  # noqa: B008  # a value
    return Counted(policy="default-1", since=since, period=period)


class TestDirectHandling:
    unhurried = OpenCommitment(commitment_id=KEY, issue_id=ISSUE, what=WHAT, unit=UNIT)
    handled = CommitmentOpened(
        commitment_id=KEY,
        deliberation_id=None,
        issue_id=ISSUE,
        what=WHAT,
        unit=UNIT,
        due=datetime(2026, 4, 1, 15, 59, 59, 999999, tzinfo=UTC),
        opened_at=SOMEBODY.occurred_at,
        counted=counted(SOMEBODY.occurred_at),
    )

    def test_is_due_in_thirty_days(self) -> None:
        nothing.when(self.unhurried).then(self.handled)

    def test_never_on_a_rest_day(self) -> None:
        on_a_thursday = IN_FORCE.model_copy(update={"occurred_at": datetime(2026, 3, 5, 1, tzinfo=UTC)})
        after_the_holiday = datetime(2026, 4, 7, 15, 59, 59, 999999, tzinfo=UTC)
        since = on_a_thursday.occurred_at
        news = {"due": after_the_holiday, "opened_at": since, "counted": counted(since)}
        due = self.handled.model_copy(update=news)
        nothing.under(on_a_thursday).when(self.unhurried).then(due)

    def test_may_be_counted_in_working_days(self) -> None:
        two = Period(days=2, working=True)
        handling = IN_FORCE.procedure.model_copy(update={"handling": two})
        hurried = IN_FORCE.model_copy(update={"procedure": handling})
        wednesday = datetime(2026, 3, 4, 15, 59, 59, 999999, tzinfo=UTC)
        news = {"due": wednesday, "counted": counted(SOMEBODY.occurred_at, two)}
        nothing.under(hurried).when(self.unhurried).then(self.handled.model_copy(update=news))

    def test_rests_at_weekends_in_a_year_whose_holidays_are_not_announced(self) -> None:
        thursday = datetime(2098, 12, 4, 1, tzinfo=UTC)
        context = IN_FORCE.model_copy(update={"occurred_at": thursday})
        saturday, monday = date(2099, 1, 3), date(2099, 1, 5)
        assert (saturday - day_of(thursday)).days == 30
        news = {"due": end_of_day(monday), "opened_at": thursday, "counted": counted(thursday)}
        due = self.handled.model_copy(update=news)
        nothing.under(context).when(self.unhurried).then(due)

    def test_is_awaited_by_no_deliberation(self) -> None:
        alone = IN_FORCE.model_copy(update={"awaited": False})
        nothing.under(alone).when(self.unhurried).then(self.handled)

    def test_names_the_issue_when_it_is_closed(self) -> None:
        done = nothing.given(self.handled, completed).when(VerifyCommitment())
        done.then(verified, CommitmentClosed(commitment_id=KEY, deliberation_id=None, issue_id=ISSUE))


class TestDuties:
    @pytest.mark.parametrize("organ", [None, "620724100701.village-committee"])
    def test_only_the_unit_completes(self, organ: str | None) -> None:
        stranger = IN_FORCE.model_copy(update={"actor": Actor(id="worker", organ=organ)})
        an_open_one.under(stranger).when(CompleteCommitment(proof=PROOF)).then_rejected("commitment-of-another-unit")

    def test_nobody_verifies_their_own_work(self) -> None:
        moved = IN_FORCE.model_copy(update={"actor": Actor(id="worker", organ=SUPERVISOR.organ)})
        a_completed_one.under(moved).when(VerifyCommitment()).then_rejected("verifier-completed-it")

    def test_nobody_verifies_their_own_units_work(self) -> None:
        colleague = IN_FORCE.model_copy(update={"actor": Actor(id="colleague", organ=UNIT)})
        a_completed_one.under(colleague).when(VerifyCommitment()).then_rejected("verifier-of-the-unit")


@pytest.mark.parametrize("fact", [missed, closed])
def test_a_history_that_cannot_be_is_not_read(fact: Fact) -> None:
    with pytest.raises(TypeError):
        commitment.fold([fact])
