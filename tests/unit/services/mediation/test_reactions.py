"""Reactions: a routed issue becomes a case, each time a new one, and its withdrawal reaches the last."""

from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from eventlog.facts import Fact, Recorded, StreamId
from eventlog.sealed import PublicText
from facts.intake.issue import IssueDetails, IssueRouted, IssueWithdrawn
from facts.mediation.routing import CaseLostIssue
from services.mediation.domain.case import OpenCase, TerminateCase, case
from services.mediation.domain.routing import LoseIssue, TakeIssue, routing
from services.mediation.reactions import lose_withdrawn_issue, open_routed_case, terminate_case
from vocabulary.kinds import Category, DisputeSource, DisputeType, Route

T = TypeVar("T", bound=Fact)

ISSUE, CASE = UUID(int=1), UUID(int=2)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADLINE = TypeAdapter(PublicText).validate_python({"id": UUID(int=9), "box": "boundary"})


def recorded(data: T, fact_id: UUID = UUID(int=50)) -> Recorded[T]:
    return Recorded(
        fact_id=fact_id,
        tenant="620724",
        stream=StreamId("issue", str(ISSUE)),
        version=1,
        position=1,
        published=True,
        organ="620724100701.village-committee",
        matter=None,
        actor="clerk",
        occurred_at=MONDAY,
        recorded_at=MONDAY,
        correlation=UUID(int=51),
        causation=None,
        data=data,
    )


def routed(route: Route, dispute: DisputeType | None = DisputeType.NEIGHBOUR) -> IssueRouted:
    details = IssueDetails(category=Category.CONFLICT_MEDIATION, headline=HEADLINE, dispute=dispute)
    return IssueRouted(issue_id=ISSUE, route=route, details=details)


class TestOpenRoutedCase:
    def test_opens_a_case_and_remembers_it(self) -> None:
        opening, taking = open_routed_case(recorded(routed(Route.MEDIATION)))
        key = UUID(opening.key)
        assert opening == case.send(
            key,
            OpenCase(case_id=key, issue_id=ISSUE, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR),
        )
        assert taking == routing.send(ISSUE, TakeIssue(issue_id=ISSUE, case_id=key))

    def test_an_issue_routed_twice_has_two_cases(self) -> None:
        first, _ = open_routed_case(recorded(routed(Route.MEDIATION), UUID(int=60)))
        again, _ = open_routed_case(recorded(routed(Route.MEDIATION), UUID(int=60)))
        second, _ = open_routed_case(recorded(routed(Route.MEDIATION), UUID(int=61)))
        assert first == again
        assert first.key != second.key

    def test_a_dispute_without_a_type_is_other(self) -> None:
        opening, _ = open_routed_case(recorded(routed(Route.MEDIATION, None)))
        assert isinstance(opening.command, OpenCase)
        assert opening.command.dispute is DisputeType.OTHER

    @pytest.mark.parametrize("route", sorted(set(Route) - {Route.MEDIATION}))
    def test_leaves_other_routes_alone(self, route: Route) -> None:
        assert open_routed_case(recorded(routed(route))) == []


class TestWithdrawal:
    def test_is_looked_up(self) -> None:
        withdrawn = IssueWithdrawn(issue_id=ISSUE, reason="moved away", route=Route.MEDIATION)
        assert lose_withdrawn_issue(recorded(withdrawn)) == [routing.send(ISSUE, LoseIssue(reason="moved away"))]

    @pytest.mark.parametrize("route", [None, Route.DELIBERATION])
    def test_of_what_we_never_had_is_not_ours(self, route: Route | None) -> None:
        assert lose_withdrawn_issue(recorded(IssueWithdrawn(issue_id=ISSUE, reason="moved away", route=route))) == []

    def test_stops_the_case(self) -> None:
        lost = CaseLostIssue(issue_id=ISSUE, case_id=CASE, reason="moved away")
        assert terminate_case(recorded(lost)) == [case.send(CASE, TerminateCase(reason="moved away"))]
