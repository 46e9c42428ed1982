"""Every command on every state of an issue: what follows, or which rule says no."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from eventlog.decider import Actor
from eventlog.sealed import PublicText
from eventlog.testing import SOMEBODY, Scenario
from facts.intake.issue import (
    Classification,
    IssueAdmitted,
    IssueApproved,
    IssueClassified,
    IssueClosed,
    IssueDetails,
    IssueRefused,
    IssueRegistered,
    IssueResolved,
    IssueReturned,
    IssueRouted,
    IssueWithdrawn,
    SubmissionDropped,
    SubmittersInformed,
)
from services.intake.domain.admissibility import sample_policy
from services.intake.domain.issue import (
    AdmitIssue,
    ApproveIssue,
    ClassifyIssue,
    CloseIssue,
    Command,
    DropSubmission,
    Fact,
    InForce,
    InformSubmitters,
    RecordReply,
    RefuseIssue,
    RegisterIssue,
    ResolveIssue,
    ReturnIssue,
    RouteIssue,
    State,
    WithdrawIssue,
    issue,
)
from tests.unit.sealed_samples import a_public_text
from vocabulary.kinds import Category, DisputeType, Route

KEY = UUID("0190b3c4-0000-7000-8000-000000000001")
ROUTING = UUID("0190b3c4-0000-7000-8000-000000000003")
SPOKEN = UUID("0190b3c4-0000-7000-8000-000000000002")
HEADLINE: PublicText = a_public_text("三社道路硬化")
REPLY: PublicText = a_public_text("已列入下月计划")
DETAILS = IssueDetails(category=Category.RURAL_CONSTRUCTION, headline=HEADLINE, dispute=DisputeType.NEIGHBOUR)
RECLASSIFIED = DETAILS.model_copy(update={"category": Category.ENVIRONMENT})
POLICY = sample_policy()
IN_FORCE = InForce(actor=SOMEBODY.actor, occurred_at=SOMEBODY.occurred_at, policy=POLICY)

registered = IssueRegistered(issue_id=KEY, details=DETAILS, submissions=(SPOKEN,))
AS = Classification(category=Category.ENVIRONMENT, key=True)
classified = IssueClassified(issue_id=KEY, classification=AS)
admitted = IssueAdmitted(issue_id=KEY, clause="D05", policy=POLICY.version)
refused = IssueRefused(issue_id=KEY, clause="X03", policy=POLICY.version, redirect="县法院", remedy="依法起诉")
approved = IssueApproved(issue_id=KEY)
routed = IssueRouted(issue_id=KEY, routing_id=ROUTING, route=Route.DELIBERATION, details=DETAILS)
to_department = routed.model_copy(update={"route": Route.DEPARTMENT})
returned = IssueReturned(issue_id=KEY, route=Route.DELIBERATION, reason="没有委员会")
resolved = IssueResolved(issue_id=KEY, by=Route.DELIBERATION)
replied = IssueResolved(issue_id=KEY, by=Route.DEPARTMENT, reply=REPLY)
dropped = SubmissionDropped(issue_id=KEY, submission_id=SPOKEN)
informed = SubmittersInformed(issue_id=KEY, submissions=(SPOKEN,))
closed = IssueClosed(issue_id=KEY)

nothing: Scenario[Command, State, Fact, InForce] = Scenario(issue, context=IN_FORCE)
a_registered_issue = nothing.given(registered)
an_admitted_issue = a_registered_issue.given(admitted)
a_refused_issue = a_registered_issue.given(refused)
an_approved_issue = an_admitted_issue.given(approved)
a_routed_issue = an_approved_issue.given(routed)
an_issue_at_a_department = an_approved_issue.given(to_department)
a_resolved_issue = a_routed_issue.given(resolved)
an_answered_issue = a_resolved_issue.given(informed)
a_closed_issue = an_answered_issue.given(closed)
a_withdrawn_issue = a_registered_issue.given(IssueWithdrawn(issue_id=KEY, reason="自行解决"))

STATES: Mapping[str, Scenario[Command, State, Fact, InForce]] = {
    "nothing": nothing,
    "registered": a_registered_issue,
    "admitted": an_admitted_issue,
    "refused": a_refused_issue,
    "approved": an_approved_issue,
    "routed": a_routed_issue,
    "at a department": an_issue_at_a_department,
    "resolved": a_resolved_issue,
    "answered": an_answered_issue,
    "closed": a_closed_issue,
    "withdrawn": a_withdrawn_issue,
}
COMMANDS: Mapping[str, Command] = {
    "register": RegisterIssue(issue_id=KEY, details=DETAILS, submissions=(SPOKEN,)),
    "classify": ClassifyIssue(classification=AS),
    "admit": AdmitIssue(clause="D05"),
    "refuse": RefuseIssue(clause="X03", redirect="县法院", remedy="依法起诉"),
    "approve": ApproveIssue(),
    "route": RouteIssue(route=Route.DELIBERATION, routing_id=ROUTING),
    "return": ReturnIssue(by=Route.DELIBERATION, routing_id=ROUTING, reason="没有委员会"),
    "resolve": ResolveIssue(by=Route.DELIBERATION, routing_id=ROUTING),
    "drop": DropSubmission(submission_id=SPOKEN),
    "reply": RecordReply(reply=REPLY),
    "inform": InformSubmitters(),
    "close": CloseIssue(),
    "withdraw": WithdrawIssue(reason="自行解决"),
}
GONE = IssueWithdrawn(issue_id=KEY, reason="自行解决")
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "register": dict.fromkeys(STATES, "issue-exists") | {"nothing": registered},
    "classify": dict.fromkeys(STATES, "issue-past-screening")
    | {"nothing": "issue-absent", "registered": classified, "admitted": classified, "approved": classified},
    "admit": dict.fromkeys(STATES, "issue-past-screening") | {"nothing": "issue-absent", "registered": admitted},
    "refuse": dict.fromkeys(STATES, "issue-past-screening") | {"nothing": "issue-absent", "registered": refused},
    "approve": dict.fromkeys(STATES, "issue-past-screening")
    | {
        "nothing": "issue-absent",
        "registered": "issue-not-admitted",
        "refused": "issue-not-admitted",
        "admitted": approved,
    },
    "route": dict.fromkeys(STATES, "issue-ended")
    | {
        "nothing": "issue-absent",
        "registered": "issue-not-approved",
        "admitted": "issue-not-approved",
        "refused": "issue-not-approved",
        "approved": routed,
        "routed": "issue-routed",
        "at a department": "issue-routed",
    },
    "return": dict.fromkeys(STATES, "issue-not-routed-there") | {"routed": returned},
    "resolve": dict.fromkeys(STATES, "issue-not-routed-there") | {"routed": resolved},
    "drop": dict.fromkeys(STATES, dropped) | {"nothing": "issue-absent"},
    "reply": dict.fromkeys(STATES, "issue-ended")
    | {
        "nothing": "issue-absent",
        "registered": "issue-not-routed",
        "admitted": "issue-not-routed",
        "refused": "issue-not-routed",
        "approved": "issue-not-routed",
        "routed": "issue-answered-by-service",
        "at a department": replied,
    },
    "inform": dict.fromkeys(STATES, "issue-not-resolved")
    | {"nothing": "issue-absent", "resolved": informed, "answered": "submitters-informed"},
    "close": dict.fromkeys(STATES, "issue-not-resolved")
    | {"nothing": "issue-absent", "resolved": "submitters-not-informed", "answered": closed},
    "withdraw": dict.fromkeys(STATES, "issue-ended")
    | {
        "nothing": "issue-absent",
        "registered": GONE,
        "admitted": GONE,
        "approved": GONE,
        "routed": GONE.model_copy(update={"route": Route.DELIBERATION, "routing_id": ROUTING}),
        "at a department": GONE.model_copy(update={"route": Route.DEPARTMENT, "routing_id": ROUTING}),
    },
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
@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"classify"}))
def test_a_command_sent_twice_is_refused_the_second_time(command: str, state: str) -> None:
    outcome = STATES[state].when(COMMANDS[command])
    if outcome.facts is not None:
        again = STATES[state].given(*outcome.facts).when(COMMANDS[command])
        assert again.code is not None


class TestScreening:
    def test_admission_names_an_inclusion_of_the_policy_in_force(self) -> None:
        a_registered_issue.when(AdmitIssue(clause="X03")).then_rejected("clause-not-included")

    def test_refusal_names_an_exclusion_of_the_policy_in_force(self) -> None:
        words = RefuseIssue(clause="D05", redirect="县法院", remedy="依法起诉")
        a_registered_issue.when(words).then_rejected("clause-not-excluded")

    def test_the_latest_classification_travels_with_the_issue(self) -> None:
        routed_as = an_approved_issue.given(classified).when(RouteIssue(route=Route.DELIBERATION, routing_id=ROUTING))
        routed_as.then(routed.model_copy(update={"details": RECLASSIFIED}))


class TestRouting:
    def test_mediation_needs_a_dispute(self) -> None:
        peaceful = registered.model_copy(update={"details": DETAILS.model_copy(update={"dispute": None})})
        history = nothing.given(peaceful, admitted, approved)
        history.when(RouteIssue(route=Route.MEDIATION, routing_id=ROUTING)).then_rejected("issue-no-dispute")

    def test_a_returned_issue_takes_another_route(self) -> None:
        a_routed_issue.given(returned).when(RouteIssue(route=Route.DEPARTMENT, routing_id=ROUTING)).then(to_department)

    def test_only_the_service_it_was_routed_to_resolves_it(self) -> None:
        at_mediation = ResolveIssue(by=Route.MEDIATION, routing_id=ROUTING)
        a_routed_issue.when(at_mediation).then_rejected("issue-not-routed-there")

    @pytest.mark.parametrize(
        "late",
        [
            ReturnIssue(by=Route.DELIBERATION, routing_id=ROUTING, reason="没有委员会"),
            ResolveIssue(by=Route.DELIBERATION, routing_id=ROUTING),
        ],
    )
    def test_a_word_about_an_earlier_hand_over_is_not_about_this_one(self, late: Command) -> None:
        again = a_routed_issue.given(returned, routed.model_copy(update={"routing_id": SPOKEN}))
        again.when(late).then_rejected("issue-not-routed-there")


class TestDropping:
    def test_a_dropped_submission_is_named_no_longer(self) -> None:
        history = a_resolved_issue.given(dropped)
        history.when(COMMANDS["drop"]).then_rejected("issue-without-submission")
        history.when(InformSubmitters()).then(informed.model_copy(update={"submissions": ()}))


class TestRegistering:
    def test_needs_every_submission_to_stand_here(self) -> None:
        elsewhere = nothing.under(IN_FORCE.model_copy(update={"not_standing": frozenset({SPOKEN})}))
        elsewhere.when(COMMANDS["register"]).then_rejected("submissions-not-standing")


def test_who_asks_is_no_part_of_these_rules() -> None:
    clerk = IN_FORCE.model_copy(update={"actor": Actor(id="clerk")})
    nothing.under(clerk).when(COMMANDS["register"]).then(registered)
