"""Reactions: a routed issue becomes a case, each time a new one, and its withdrawal stops that one."""

from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest

from eventlog.decider import Actor
from eventlog.facts import Fact, Recorded, StreamId
from eventlog.handler import Contexts, Handler, Opening, Request
from eventlog.memory_log import MemoryLog
from eventlog.sealed import seal
from facts.intake.issue import IssueDetails, IssueRouted, IssueWithdrawn
from services.mediation.contexts import register as contexts_of_mediation
from services.mediation.domain.case import OpenCase, TerminateCase, Terminated, case
from services.mediation.reactions import open_routed_case, terminate_withdrawn_case
from vocabulary.kinds import Category, DisputeSource, DisputeType, Route

T = TypeVar("T", bound=Fact)

ISSUE, FIRST, SECOND = UUID(int=1), UUID(int=2), UUID(int=3)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADLINE = seal(bytes(32), "620724", UUID(int=9), "public-text", "地界")


def recorded(data: T) -> Recorded[T]:
    return Recorded(
        fact_id=UUID(int=50),
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


def routed(
    route: Route, routing_id: UUID = FIRST, *, dispute: DisputeType | None = DisputeType.NEIGHBOUR
) -> IssueRouted:
    details = IssueDetails(category=Category.CONFLICT_MEDIATION, headline=HEADLINE, dispute=dispute)
    return IssueRouted(issue_id=ISSUE, routing_id=routing_id, route=route, details=details)


class TestOpenRoutedCase:
    @pytest.mark.parametrize("case_id", [FIRST, SECOND])
    def test_opens_a_case_for_each_hand_over(self, case_id: UUID) -> None:
        opening = OpenCase(case_id=case_id, issue_id=ISSUE, source=DisputeSource.ROUTED, dispute=DisputeType.NEIGHBOUR)
        assert open_routed_case(recorded(routed(Route.MEDIATION, case_id))) == [case.send(case_id, opening)]

    def test_a_dispute_without_a_type_is_other(self) -> None:
        opening = OpenCase(case_id=FIRST, issue_id=ISSUE, source=DisputeSource.ROUTED, dispute=DisputeType.OTHER)
        assert open_routed_case(recorded(routed(Route.MEDIATION, dispute=None))) == [case.send(FIRST, opening)]

    @pytest.mark.parametrize("route", sorted(set(Route) - {Route.MEDIATION}))
    def test_leaves_other_routes_alone(self, route: Route) -> None:
        assert open_routed_case(recorded(routed(route))) == []


class TestTerminateWithdrawnCase:
    def test_stops_the_case_that_had_it(self) -> None:
        withdrawn = IssueWithdrawn(issue_id=ISSUE, reason="moved away", route=Route.MEDIATION, routing_id=SECOND)
        assert terminate_withdrawn_case(recorded(withdrawn)) == [case.send(SECOND, TerminateCase(reason="moved away"))]

    @pytest.mark.parametrize(("route", "routing_id"), [(None, None), (Route.DELIBERATION, FIRST)])
    def test_of_what_we_never_had_is_not_ours(self, route: Route | None, routing_id: UUID | None) -> None:
        withdrawn = IssueWithdrawn(issue_id=ISSUE, reason="moved away", route=route, routing_id=routing_id)
        assert terminate_withdrawn_case(recorded(withdrawn)) == []


async def test_a_reaction_reaches_a_case_that_stands() -> None:
    """Both travel as reactions do, through the one handler: opened by the first, stopped by the second."""
    contexts, log = Contexts(), MemoryLog()
    contexts_of_mediation(contexts)
    handler = Handler(log, contexts)
    withdrawn = IssueWithdrawn(issue_id=ISSUE, reason="moved away", route=Route.MEDIATION, routing_id=FIRST)
    sends = [*open_routed_case(recorded(routed(Route.MEDIATION))), *terminate_withdrawn_case(recorded(withdrawn))]
    for n, send in enumerate(sends):
        request = Request(
            tenant="620724",
            actor=Actor(id="reaction/sample"),
            command_id=UUID(int=70 + n),
            digest=b"",
            correlation=UUID(int=51),
            opens=Opening("620724100701.village-committee"),
            occurred_at=MONDAY,
        )
        await handler.send(send.decider, send.key, send.command, request)
    assert isinstance(await handler.state(case, "620724", FIRST), Terminated)
