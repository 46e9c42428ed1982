"""Each row follows its stream: what its columns say after every fact."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from eventlog.facts import Fact
from eventlog.read_model import ReadModel
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
)
from facts.intake.submission import (
    Channel,
    SubmissionLinked,
    SubmissionMerged,
    SubmissionReceived,
    SubmissionWithdrawn,
)
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
    DisputeResolutionRevoked,
    DisputeResolved,
    FailureReason,
    MediatorAssigned,
    PerformanceOverdue,
    PerformanceOverdueRevoked,
)
from services.reporting.read_models.cases import cases
from services.reporting.read_models.issues import issues
from services.reporting.read_models.sessions import sessions
from services.reporting.read_models.submissions import submissions
from tests.integration.services.reporting.sample import BEGINS, COUNTY, Sample, sample
from vocabulary.kinds import Category, DisputeSource, DisputeType, Route

KEY = UUID(int=1)
OTHER = UUID(int=2)
made = Sample()
HEADLINE = made.text()
DETAILS = IssueDetails(category=Category.LIVELIHOOD, headline=HEADLINE, dispute=None)
REGISTERED = IssueRegistered(issue_id=KEY, details=DETAILS, submissions=())
ADMITTED = IssueAdmitted(issue_id=KEY, clause="D01", policy="v1")
APPROVED = IssueApproved(issue_id=KEY)
ROUTED = IssueRouted(issue_id=KEY, routing_id=OTHER, route=Route.MEDIATION, details=DETAILS)
OPENED = CaseOpened(case_id=KEY, issue_id=OTHER, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR)
ACCEPTED = CaseAccepted(case_id=KEY, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR)
ASSIGNED = MediatorAssigned(case_id=KEY, mediator="mediator-chen", disclosed=True)
AGREED = AgreementReached(
    case_id=KEY, reached=date(2026, 1, 5), written=True, terms=made.sealed(), perform_by=date(2026, 2, 1)
)
SETTLED = DisputeResolved(case_id=KEY, issue_id=OTHER, dispute=DisputeType.NEIGHBOUR, source=DisputeSource.ROUTED)
BREACHED = (AgreementBreached(case_id=KEY), DisputeResolutionRevoked(case_id=KEY, issue_id=OTHER))
PERFORMED = AgreementPerformed(case_id=KEY)
RECEIVED = SubmissionReceived(submission_id=KEY, channel=Channel.VISIT, words=made.sealed())


def after(model: ReadModel[Any], *facts: Fact) -> Any:
    """The row after these facts, a day each."""
    recorder = Sample()
    stored = [recorder.record("any", "stream/1", fact, BEGINS + timedelta(days=n)) for n, fact in enumerate(facts)]
    rows = model.fold({}, model.touched(stored))
    return rows[COUNTY, str(KEY)]


class TestIssues:
    @pytest.mark.parametrize(
        ("facts", "status", "route"),
        [
            ([], "registered", None),
            ([ADMITTED], "admitted", None),
            ([IssueRefused(issue_id=KEY, clause="X01", policy="v1", redirect="法院", remedy="起诉")], "refused", None),
            ([ADMITTED, APPROVED], "approved", None),
            ([ADMITTED, APPROVED, ROUTED], "routed", Route.MEDIATION),
            ([ROUTED, IssueReturned(issue_id=KEY, route=Route.MEDIATION, reason="不受理")], "approved", None),
            ([ROUTED, IssueResolved(issue_id=KEY, by=Route.MEDIATION)], "resolved", Route.MEDIATION),
            ([ROUTED, IssueClosed(issue_id=KEY)], "closed", Route.MEDIATION),
            ([ROUTED, IssueWithdrawn(issue_id=KEY, reason="撤回")], "withdrawn", None),
        ],
    )
    def test_stand_where_their_last_fact_says(self, facts: Sequence[Fact], status: str, route: Route | None) -> None:
        row = after(issues, REGISTERED, *facts)
        assert (row.status, row.route, row.headline) == (status, route, HEADLINE)
        assert row.changed_at - row.registered_at == timedelta(days=len(facts))

    def test_have_their_last_class(self) -> None:
        environment = Classification(category=Category.ENVIRONMENT, key=True)
        key = IssueClassified(issue_id=KEY, classification=environment)
        no_longer = IssueClassified(issue_id=KEY, classification=environment.model_copy(update={"key": False}))
        row = after(issues, REGISTERED, key)
        assert (row.category, row.key) == (Category.ENVIRONMENT, True)
        assert not after(issues, REGISTERED, key, no_longer).key

    def test_that_were_never_registered_have_no_row(self) -> None:
        assert after(issues, ADMITTED) is None


class TestCases:
    @pytest.mark.parametrize(
        ("facts", "status", "settled", "overdue"),
        [
            ([], "opened", False, False),
            ([CaseDeclined(case_id=KEY, issue_id=OTHER, person=OTHER)], "declined", False, False),
            ([ACCEPTED], "accepted", False, False),
            ([ACCEPTED, ASSIGNED], "assigned", False, False),
            ([ACCEPTED, ASSIGNED, AGREED, SETTLED], "agreed", True, False),
            ([ACCEPTED, ASSIGNED, AGREED, SETTLED, ASSIGNED], "agreed", True, False),
            ([AGREED, SETTLED, PerformanceOverdue(case_id=KEY, perform_by=AGREED.perform_by)], "agreed", True, True),
            ([AGREED, SETTLED, PerformanceOverdueRevoked(case_id=KEY), PERFORMED], "performed", True, False),
            ([AGREED, SETTLED, *BREACHED], "breached", False, False),
            ([AGREED, SETTLED, *BREACHED, PERFORMED, SETTLED], "performed", True, False),
            ([AGREED, SETTLED, *BREACHED, CaseClosed(case_id=KEY)], "closed", False, False),
            ([CaseTerminated(case_id=KEY, issue_id=OTHER, reason="撤回")], "terminated", False, False),
        ],
    )
    def test_stand_where_their_facts_say(
        self, facts: Sequence[Fact], status: str, settled: bool, overdue: bool
    ) -> None:
        row = after(cases, OPENED, *facts)
        assert (row.status, row.settled, row.overdue) == (status, settled, overdue)

    def test_say_why_they_failed(self) -> None:
        failed = CaseFailed(case_id=KEY, issue_id=OTHER, reason=FailureReason.FACTS_UNCLEAR)
        row = after(cases, OPENED, ACCEPTED, failed)
        assert (row.status, row.failure) == ("failed", FailureReason.FACTS_UNCLEAR)

    def test_name_nobody(self) -> None:
        row = after(cases, OPENED, ACCEPTED, ASSIGNED, AGREED, SETTLED)
        assert "mediator-chen" not in row.model_dump_json()


class TestSubmissions:
    @pytest.mark.parametrize(
        ("facts", "status", "into", "issue"),
        [
            ([], "received", None, None),
            ([SubmissionMerged(submission_id=KEY, into=OTHER)], "merged", OTHER, None),
            ([SubmissionLinked(submission_id=KEY, issue_id=OTHER)], "linked", None, OTHER),
            ([SubmissionWithdrawn(submission_id=KEY, reason=made.sealed())], "withdrawn", None, None),
        ],
    )
    def test_stand_where_their_last_fact_says(
        self, facts: Sequence[Fact], status: str, into: UUID | None, issue: UUID | None
    ) -> None:
        row = after(submissions, RECEIVED, *facts)
        assert (row.status, row.merged_into, row.issue_id, row.anonymous) == (status, into, issue, True)
        assert "ciphertext" not in row.model_dump_json()


class TestSessions:
    def test_follow_their_notice_and_their_minutes(self) -> None:
        facts = sample().topics["deliberation"]
        signed = next(fact for fact in facts if fact.name == "minutes-signed")
        stream = [fact for fact in facts if fact.stream == signed.stream]
        [row] = sessions.fold({}, sessions.touched(stream)).values()
        assert row is not None
        notice: Any = stream[1].read().data
        minutes: Any = signed.read().data
        assert row.begins_at == notice.begins_at
        assert (row.status, row.attendances, row.topics) == ("signed", minutes.attendances, 1)
        assert isinstance(row.changed_at, datetime)
        [noticed] = sessions.fold({}, sessions.touched(stream[:2])).values()
        assert noticed is not None
        assert (noticed.status, noticed.attendances) == ("noticed", None)
