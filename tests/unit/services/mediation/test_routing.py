"""Routing: an issue routed twice has two cases, and a withdrawal stops the last."""

from uuid import UUID

from eventlog.testing import Scenario
from facts.mediation.routing import CaseLostIssue, CaseTookIssue
from services.mediation.domain.routing import LoseIssue, TakeIssue, routing

ISSUE, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=3)

an_unknown_issue = Scenario(routing)
an_answered_issue = an_unknown_issue.given(CaseTookIssue(issue_id=ISSUE, case_id=FIRST))
a_withdrawn_issue = an_answered_issue.given(CaseLostIssue(issue_id=ISSUE, case_id=FIRST, reason="moved away"))


def test_a_case_takes_an_issue() -> None:
    took = CaseTookIssue(issue_id=ISSUE, case_id=FIRST)
    an_unknown_issue.when(TakeIssue(issue_id=ISSUE, case_id=FIRST)).then(took)
    a_withdrawn_issue.when(TakeIssue(issue_id=ISSUE, case_id=FIRST)).then(took)


def test_the_last_case_answers() -> None:
    routed_again = an_answered_issue.and_then(TakeIssue(issue_id=ISSUE, case_id=SECOND))
    routed_again.when(LoseIssue(reason="moved away")).then(
        CaseLostIssue(issue_id=ISSUE, case_id=SECOND, reason="moved away")
    )


def test_nothing_stops_without_a_case() -> None:
    an_unknown_issue.when(LoseIssue(reason="moved away")).then_rejected("issue-without-case")
    a_withdrawn_issue.when(LoseIssue(reason="moved away")).then_rejected("issue-without-case")


def test_it_never_leaves_the_service() -> None:
    assert not routing.published
