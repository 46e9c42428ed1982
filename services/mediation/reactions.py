"""What mediation does when others have spoken."""

from collections.abc import Sequence

from eventlog.decider import Send
from eventlog.facts import Recorded
from eventlog.reactions import Reactions
from facts.intake.issue import IssueRouted, IssueWithdrawn
from services.mediation.domain.case import OpenCase, TerminateCase, case
from vocabulary.kinds import DisputeSource, DisputeType, Route

to_intake = Reactions()


@to_intake.to(IssueRouted)
def open_routed_case(fact: Recorded[IssueRouted]) -> Sequence[Send]:
    """Each hand-over opens a case of its own, so that an issue routed twice has two."""
    if fact.data.route is not Route.MEDIATION:
        return []
    case_id = fact.data.routing_id
    dispute = fact.data.details.dispute or DisputeType.OTHER
    opening = OpenCase(case_id=case_id, issue_id=fact.data.issue_id, source=DisputeSource.ROUTED, dispute=dispute)
    return [case.send(case_id, opening)]


@to_intake.to(IssueWithdrawn)
def terminate_withdrawn_case(fact: Recorded[IssueWithdrawn]) -> Sequence[Send]:
    """The case that was to answer a withdrawn issue stops."""
    if fact.data.route is not Route.MEDIATION or fact.data.routing_id is None:
        return []
    return [case.send(fact.data.routing_id, TerminateCase(reason=fact.data.reason))]
