"""MediationCase: every state meets every command, and every rule that can say no does."""

from datetime import UTC, date, datetime
from inspect import getfile
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest
from pydantic import ValidationError

from eventlog.decider import Actor
from eventlog.sealed import Sealed, seal
from eventlog.testing import Scenario
from facts.mediation.case import (
    AgreementBreached,
    AgreementPerformed,
    AgreementReached,
    CaseAccepted,
    CaseClosed,
    CaseDeclined,
    CaseFailed,
    CaseOpened,
    CaseTerminated,
    ConsentGiven,
    DisputeResolutionRevoked,
    DisputeResolved,
    FailureReason,
    MediationHeld,
    MediatorAssigned,
    Party,
    PartyRegistered,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
    RightsNotified,
)
from services.mediation.domain.agreement_form import AgreementForm, default_form
from services.mediation.domain.case import (
    About,
    AcceptCase,
    Agreed,
    Agreement,
    AssignMediator,
    CloseCase,
    Command,
    DeclareOverdue,
    Fact,
    FailCase,
    HoldMediation,
    InForce,
    NotifyRights,
    OpenCase,
    ReachAgreement,
    RecordBreach,
    RecordConsent,
    RecordPerformance,
    RegisterParty,
    State,
    TerminateCase,
    WithdrawParty,
    case,
)
from vocabulary.kinds import DisputeSource, DisputeType
from web.testing import codes_raised_in

CaseScenario: TypeAlias = Scenario[Command, State, Fact, InForce]

CASE, ISSUE = UUID(int=1), UUID(int=2)
LI, WANG, ZHAO = UUID(int=11), UUID(int=12), UUID(int=13)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
LAST_DAY = date(2026, 3, 31)
LAST_MOMENT = datetime(2026, 3, 31, 15, 59, 59, 999_999, tzinfo=UTC)  # midnight in Shanghai is a microsecond away
NEXT_MORNING = datetime(2026, 4, 1, 1, tzinfo=UTC)


def sealed(text: str) -> Sealed[str]:
    """Text under the case's key; a rule never opens it."""
    return seal(bytes(32), "620724", CASE, "sample", text)


TERMS = sealed("terms")
PARTY_LI = Party(person=LI, name=sealed("li"), account="resident-li")
PARTY_WANG = Party(person=WANG, name=sealed("wang"))
PARTY_ZHAO = Party(person=ZHAO, name=sealed("zhao"))


def asked_by(actor: str, at: datetime = MONDAY, *, roles: frozenset[str] = frozenset()) -> InForce:
    return InForce(actor=Actor(id=actor, roles=roles), occurred_at=at, form=default_form())


opened_fact = CaseOpened(case_id=CASE, issue_id=ISSUE, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR)
consents = (ConsentGiven(case_id=CASE, person=LI), ConsentGiven(case_id=CASE, person=WANG))
accepted_fact = CaseAccepted(case_id=CASE, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR)
assigned_fact = MediatorAssigned(case_id=CASE, mediator="mediator-chen", disclosed=True)
reached = AgreementReached(case_id=CASE, reached=date(2026, 3, 2), written=True, terms=TERMS, perform_by=LAST_DAY)
resolved = DisputeResolved(case_id=CASE, issue_id=ISSUE, dispute=DisputeType.NEIGHBOUR, source=DisputeSource.ROUTED)
overdue_fact = PerformanceOverdue(case_id=CASE, perform_by=LAST_DAY)
performed_fact = AgreementPerformed(case_id=CASE)
breached_facts = (AgreementBreached(case_id=CASE), DisputeResolutionRevoked(case_id=CASE, issue_id=ISSUE))
apart = CaseFailed(case_id=CASE, issue_id=ISSUE, reason=FailureReason.POSITIONS_APART)
left = CaseFailed(case_id=CASE, issue_id=ISSUE, reason=FailureReason.PARTY_WITHDREW, person=LI)
terminated_fact = CaseTerminated(case_id=CASE, issue_id=ISSUE, reason="withdrawn")
closed_fact = CaseClosed(case_id=CASE)

nothing: CaseScenario = Scenario(case).under(asked_by("mediator-chen"))
an_empty_case = nothing.given(opened_fact)
an_opened_case = an_empty_case.given(
    PartyRegistered(case_id=CASE, party=PARTY_LI), PartyRegistered(case_id=CASE, party=PARTY_WANG)
)
a_consented_case = an_opened_case.given(*consents)
an_accepted_case = a_consented_case.given(accepted_fact)
an_assigned_case = an_accepted_case.given(assigned_fact)
a_case_with_rights_told = an_assigned_case.given(RightsNotified(case_id=CASE))
a_held_case = a_case_with_rights_told.given(MediationHeld(case_id=CASE))
an_agreed_case = a_held_case.given(reached, resolved)
an_overdue_case = an_agreed_case.given(overdue_fact)
a_performed_case = an_agreed_case.given(performed_fact)
a_breached_case = an_agreed_case.given(*breached_facts)
a_declined_case = an_opened_case.given(CaseDeclined(case_id=CASE, issue_id=ISSUE, person=LI))
a_failed_case = a_held_case.given(apart)
a_terminated_case = an_opened_case.given(terminated_fact)
a_closed_case = a_performed_case.given(closed_fact)

OPEN = OpenCase(case_id=CASE, issue_id=ISSUE, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR)
PARTY = RegisterParty(party=PARTY_ZHAO)
CONSENT = RecordConsent(person=LI, given=True)
RIGHTS = NotifyRights()
ACCEPT = AcceptCase(pending_elsewhere=False)
ASSIGN = AssignMediator(mediator="mediator-sun", disclosed=True)
HOLD = HoldMediation()
AGREE = ReachAgreement(written=True, terms=TERMS, perform_by=LAST_DAY)
FAIL = FailCase(reason=FailureReason.POSITIONS_APART, remedies_told=True)
WITHDRAW = WithdrawParty(person=LI, remedies_told=True)
TERMINATE = TerminateCase(reason="withdrawn")
PERFORM = RecordPerformance()
BREACH = RecordBreach()
OVERDUE = DeclareOverdue()
CLOSE = CloseCase()

COMMANDS: tuple[Command, ...] = (
    OPEN, PARTY, CONSENT, RIGHTS, ACCEPT,
    ASSIGN, HOLD, AGREE, FAIL, WITHDRAW,
    TERMINATE, PERFORM, BREACH, OVERDUE, CLOSE,
)  # fmt: skip

told = (RightsNotified(case_id=CASE),)
sun = (MediatorAssigned(case_id=CASE, mediator="mediator-sun", disclosed=True),)
stopped = (terminated_fact,)
ended = ("case-exists", *["case-ended"] * 14)

Told: TypeAlias = str | tuple[Fact, ...]

# One row a state, one column a command, in the order of COMMANDS; asked by the assigned mediator on a Monday morning.
TABLE: dict[str, tuple[CaseScenario, tuple[Told, ...]]] = {
    "unopened": (nothing, ((opened_fact,), *["case-absent"] * 14)),
    "opened": (an_opened_case, (
        "case-exists", (PartyRegistered(case_id=CASE, party=PARTY_ZHAO),), (consents[0],), told, "consent-missing",
        "case-not-accepted", "case-not-accepted", "case-not-accepted", (apart,), (left,),
        stopped, "case-not-agreed", "case-not-agreed", "case-not-agreed", "case-open",
    )),
    "accepted": (an_accepted_case, (
        "case-exists", "case-accepted", "case-accepted", told, "case-accepted",
        sun, "mediator-not-assigned", "mediator-not-assigned", (apart,), (left,),
        stopped, "case-not-agreed", "case-not-agreed", "case-not-agreed", "case-open",
    )),
    "assigned": (an_assigned_case, (
        "case-exists", "case-accepted", "case-accepted", told, "case-accepted",
        sun, "rights-not-notified", "mediation-not-held", (apart,), (left,),
        stopped, "case-not-agreed", "case-not-agreed", "case-not-agreed", "case-open",
    )),
    "held": (a_held_case, (
        "case-exists", "case-accepted", "case-accepted", "rights-notified", "case-accepted",
        sun, (MediationHeld(case_id=CASE),), (reached, resolved), (apart,), (left,),
        stopped, "case-not-agreed", "case-not-agreed", "case-not-agreed", "case-open",
    )),
    "agreed": (an_agreed_case, (
        "case-exists", "case-accepted", "case-accepted", "case-agreed", "case-accepted",
        sun, "case-agreed", "case-agreed", "case-agreed", "case-agreed",
        "case-agreed", (performed_fact,), breached_facts, "performance-not-due", "case-open",
    )),
    "overdue": (an_overdue_case.under(asked_by("mediator-chen", NEXT_MORNING)), (
        "case-exists", "case-accepted", "case-accepted", "case-agreed", "case-accepted",
        sun, "case-agreed", "case-agreed", "case-agreed", "case-agreed",
        "case-agreed", (performed_fact,), breached_facts, "performance-overdue", "case-open",
    )),
    "performed": (a_performed_case, (
        "case-exists", "case-accepted", "case-accepted", "case-agreed", "case-accepted",
        "agreement-performed", "case-agreed", "case-agreed", "case-agreed", "case-agreed",
        "case-agreed", "agreement-performed", "agreement-performed", "agreement-performed", (closed_fact,),
    )),
    "breached": (a_breached_case, (
        "case-exists", "case-accepted", "case-accepted", "case-agreed", "case-accepted",
        sun, "case-agreed", "case-agreed", "case-agreed", "case-agreed",
        "case-agreed", (performed_fact, resolved), "agreement-breached", "agreement-breached", (closed_fact,),
    )),
    "declined": (a_declined_case, ended),
    "failed": (a_failed_case, (*ended[:-1], (closed_fact,))),
    "terminated": (a_terminated_case, ended),
    "closed": (a_closed_case, ended),
}  # fmt: skip

# What a rule refuses although the state would allow it.
REFUSALS: dict[str, tuple[CaseScenario, Command]] = {
    "case-source-routed": (nothing, OPEN.model_copy(update={"source": DisputeSource.APPLIED})),
    "case-source-not-applied": (
        nothing.under(asked_by("resident-li", roles=frozenset({"resident"}))),
        OPEN.model_copy(update={"issue_id": None, "source": DisputeSource.COURT}),
    ),
    "party-registered": (an_opened_case, RegisterParty(party=PARTY_LI)),
    "party-unknown": (an_opened_case, RecordConsent(person=ZHAO, given=True)),
    "consent-given": (a_consented_case, CONSENT),
    "case-pending-elsewhere": (a_consented_case, AcceptCase(pending_elsewhere=True)),
    "parties-too-few": (an_empty_case.given(PartyRegistered(case_id=CASE, party=PARTY_LI), consents[0]), ACCEPT),
    "mediator-assigned": (an_assigned_case, AssignMediator(mediator="mediator-chen", disclosed=True)),
    "mediator-is-party": (an_accepted_case, AssignMediator(mediator="resident-li", disclosed=True)),
    "interest-not-disclosed": (an_accepted_case, AssignMediator(mediator="mediator-chen", disclosed=False)),
    "performance-before-agreement": (a_held_case, AGREE.model_copy(update={"perform_by": date(2026, 3, 1)})),
    "written-agreement-required": (a_held_case, AGREE.model_copy(update={"written": False})),
    "performed-before-agreement": (
        an_agreed_case.under(asked_by("mediator-chen", datetime(2026, 3, 1, tzinfo=UTC))),
        PERFORM,
    ),
    "remedies-not-told": (a_held_case, FAIL.model_copy(update={"remedies_told": False})),
}


@pytest.mark.parametrize("state", TABLE)
@pytest.mark.parametrize("n", range(len(COMMANDS)), ids=[type(command).__name__ for command in COMMANDS])
def test_every_state_answers_every_command(state: str, n: int) -> None:
    scenario, answers = TABLE[state]
    outcome, answer = scenario.when(COMMANDS[n]), answers[n]
    if isinstance(answer, str):
        outcome.then_rejected(answer)
    else:
        outcome.then(*answer)


def test_the_table_is_whole() -> None:
    assert {len(answers) for _, answers in TABLE.values()} == {len(COMMANDS)}
    assert len({type(scenario.state) for scenario, _ in TABLE.values()}) == 11


@pytest.mark.parametrize("code", REFUSALS)
def test_a_rule_refuses(code: str) -> None:
    scenario, command = REFUSALS[code]
    scenario.when(command).then_rejected(code)


class TestOpenCase:
    """A dispute is routed with an issue, or brought by whom its source names."""

    @pytest.mark.parametrize("source", sorted(set(DisputeSource) - {DisputeSource.ROUTED}))
    def test_takes_up_what_came_without_an_issue(self, source: DisputeSource) -> None:
        words = sealed("a wall")
        command = OpenCase(case_id=CASE, issue_id=None, source=source, dispute=DisputeType.DAMAGE, words=words)
        nothing.when(command).then(
            CaseOpened(case_id=CASE, issue_id=None, source=source, dispute=DisputeType.DAMAGE, words=words)
        )

    def test_is_refused_as_routed_without_an_issue(self) -> None:
        nothing.when(OPEN.model_copy(update={"issue_id": None})).then_rejected("case-source-routed")

    def test_lets_a_resident_apply(self) -> None:
        command = OPEN.model_copy(update={"issue_id": None, "source": DisputeSource.APPLIED})
        resident = nothing.under(asked_by("resident-li", roles=frozenset({"resident"})))
        resident.when(command).then(opened_fact.model_copy(update={"issue_id": None, "source": DisputeSource.APPLIED}))


class TestRecordConsent:
    def test_pml_17_one_clear_refusal_ends_it(self) -> None:
        an_opened_case.when(RecordConsent(person=LI, given=False)).then(
            CaseDeclined(case_id=CASE, issue_id=ISSUE, person=LI)
        )

    def test_pml_17_a_refusal_counts_after_a_consent(self) -> None:
        a_consented_case.when(RecordConsent(person=LI, given=False)).then(
            CaseDeclined(case_id=CASE, issue_id=ISSUE, person=LI)
        )

    def test_a_stranger_cannot_refuse(self) -> None:
        an_opened_case.when(RecordConsent(person=ZHAO, given=False)).then_rejected("party-unknown")


class TestAcceptCase:
    def test_pml_3_all_parties_consent(self) -> None:
        a_consented_case.when(ACCEPT).then(accepted_fact)
        a_consented_case.given(PartyRegistered(case_id=CASE, party=PARTY_ZHAO)).when(ACCEPT).then_rejected(
            "consent-missing"
        )

    def test_nobody_mediates_with_oneself(self) -> None:
        an_empty_case.when(ACCEPT).then_rejected("parties-too-few")


class TestAssignMediator:
    @pytest.mark.parametrize("mediator", ["resident-li", str(WANG)])
    def test_a_party_is_known_by_account_or_person(self, mediator: str) -> None:
        an_accepted_case.when(AssignMediator(mediator=mediator, disclosed=True)).then_rejected("mediator-is-party")

    @pytest.mark.parametrize("scenario", [a_held_case, an_agreed_case, a_breached_case])
    def test_pml_23_another_takes_over_as_it_stands(self, scenario: CaseScenario) -> None:
        before, after = scenario.state, scenario.and_then(ASSIGN).state
        assert after == before.model_copy(update={"about": about_by("mediator-sun")})


class TestHoldMediation:
    def test_order_75_art_30_rights_are_told_first(self) -> None:
        an_assigned_case.when(HOLD).then_rejected("rights-not-notified")
        a_case_with_rights_told.when(HOLD).then(MediationHeld(case_id=CASE))


class TestTheAssignedMediator:
    """What is done in a case is done by the mediator assigned to it."""

    @pytest.mark.parametrize(
        ("scenario", "command"),
        [
            (a_held_case, HOLD),
            (a_held_case, AGREE),
            (a_held_case, FAIL),
            (an_agreed_case, PERFORM),
            (an_agreed_case, BREACH),
            (a_breached_case, PERFORM),
        ],
        ids=["hold", "agree", "fail", "perform", "breach", "make-good"],
    )
    def test_alone_acts(self, scenario: CaseScenario, command: Command) -> None:
        scenario.under(asked_by("mediator-sun")).when(command).then_rejected("not-the-assigned-mediator")

    def test_pml_23_is_not_needed_for_a_party_to_leave(self) -> None:
        a_held_case.under(asked_by("director-ma")).when(WITHDRAW).then(left)


class TestReachAgreement:
    def test_pml_28_may_be_oral_when_performed_on_the_spot(self) -> None:
        on_the_spot = AGREE.model_copy(update={"written": False, "perform_by": date(2026, 3, 2)})
        a_held_case.when(on_the_spot).then(
            reached.model_copy(update={"written": False, "perform_by": date(2026, 3, 2)}), resolved
        )

    def test_a_county_may_allow_more_to_be_oral(self) -> None:
        lenient = AgreementForm(version="lenient", oral_within_days=29)
        context = asked_by("mediator-chen").model_copy(update={"form": lenient})
        oral = AGREE.model_copy(update={"written": False})
        a_held_case.under(context).when(oral).then(reached.model_copy(update={"written": False}), resolved)

    def test_takes_the_day_in_shanghai(self) -> None:
        after_midnight = asked_by("mediator-chen", datetime(2026, 3, 1, 16, 30, tzinfo=UTC))
        yesterday = AGREE.model_copy(update={"perform_by": date(2026, 3, 1)})
        a_held_case.under(after_midnight).when(yesterday).then_rejected("performance-before-agreement")

    def test_what_it_says_is_kept(self) -> None:
        assert an_agreed_case.state == Agreed(
            about=about_by("mediator-chen"),
            agreement=Agreement(reached=date(2026, 3, 2), written=True, terms=TERMS, perform_by=LAST_DAY),
            overdue=False,
        )


class TestFailing:
    @pytest.mark.parametrize("scenario", [an_opened_case, an_accepted_case, a_held_case])
    @pytest.mark.parametrize("command", [FAIL, WITHDRAW])
    def test_pml_26_remedies_are_told(self, scenario: CaseScenario, command: Command) -> None:
        scenario.when(command.model_copy(update={"remedies_told": False})).then_rejected("remedies-not-told")

    def test_a_stranger_cannot_withdraw(self) -> None:
        a_held_case.when(WITHDRAW.model_copy(update={"person": ZHAO})).then_rejected("party-unknown")

    def test_a_withdrawal_names_its_party(self) -> None:
        with pytest.raises(ValidationError):
            FailCase.model_validate({"reason": "party-withdrew", "remedies_told": True})


class TestPerformance:
    def test_pml_31_the_day_passes(self) -> None:
        context = asked_by("timer", datetime(2026, 3, 31, 16, tzinfo=UTC))
        an_agreed_case.under(context).when(OVERDUE).then(overdue_fact)

    def test_the_last_moment_is_in_time(self) -> None:
        an_agreed_case.under(asked_by("timer", LAST_MOMENT)).when(OVERDUE).then_rejected("performance-not-due")

    def test_in_time_but_recorded_late_revokes_the_miss(self) -> None:
        an_overdue_case.under(asked_by("mediator-chen", LAST_MOMENT)).when(PERFORM).then(
            PerformanceOverdueRevoked(case_id=CASE), performed_fact
        )

    def test_a_breach_made_good_settles_it_again(self) -> None:
        made_good = a_breached_case.and_then(PERFORM)
        assert made_good.state == a_performed_case.state
        made_good.when(CLOSE).then(closed_fact)


@pytest.mark.parametrize("state", TABLE)
def test_each_due_command_leaves_due(state: str) -> None:
    scenario, _ = TABLE[state]
    scenario.then_due_commands_leave()
    assert len(case.due(scenario.state)) == (1 if state == "agreed" else 0)


def test_a_history_begins_with_the_opening() -> None:
    with pytest.raises(TypeError):
        _ = nothing.given(RightsNotified(case_id=CASE)).state


@pytest.mark.parametrize("scenario", [nothing, an_opened_case, a_closed_case])
def test_performance_follows_an_agreement(scenario: CaseScenario) -> None:
    with pytest.raises(TypeError):
        _ = scenario.given(performed_fact).state


def test_every_code_of_the_module_is_exercised() -> None:
    raised = codes_raised_in(Path(getfile(About)).parent)
    expected = {answer for _, answers in TABLE.values() for answer in answers if isinstance(answer, str)}
    assert expected | set(REFUSALS) | {"not-the-assigned-mediator"} == raised


def about_by(mediator: str) -> About:
    return About(
        case_id=CASE,
        issue_id=ISSUE,
        source=DisputeSource.ROUTED,
        dispute=DisputeType.NEIGHBOUR,
        words=None,
        parties=(PARTY_LI, PARTY_WANG),
        consenting=frozenset({LI, WANG}),
        rights_told=True,
        mediator=mediator,
    )
