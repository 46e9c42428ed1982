"""Issues: where each stands, from registration to its end. Of intake's topic."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from eventlog.facts import Recorded, Value
from eventlog.read_model import ReadModel
from eventlog.sealed import PublicText
from facts.intake.issue import (
    IssueAdmitted,
    IssueApproved,
    IssueClassified,
    IssueClosed,
    IssueRefused,
    IssueRegistered,
    IssueResolved,
    IssueReturned,
    IssueRouted,
    IssueWithdrawn,
)
from services.reporting.read_models.listing import Listing
from services.reporting.read_models.rows import after
from vocabulary.divisions import DivisionCode
from vocabulary.kinds import Category, DisputeType, Route
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId, division_of


class IssueStatus(StrEnum):
    REGISTERED = "registered"
    ADMITTED = "admitted"
    REFUSED = "refused"
    APPROVED = "approved"
    ROUTED = "routed"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class IssueStanding(Value):
    """Where an issue stands: all but its headline. ``key``: one of the key issues that a town reports."""

    issue_id: UUID
    matter: MatterCode | None
    organ: OrganId
    division: DivisionCode
    category: Category
    key: bool
    dispute: DisputeType | None
    status: IssueStatus
    route: Route | None
    registered_at: datetime
    changed_at: datetime


class IssueRow(IssueStanding):
    """``headline`` stays sealed here."""

    headline: PublicText


issues = ReadModel(IssueRow, table="issues", key="issue_id")
listing = Listing(issues, at="registered_at")


@issues.on(IssueRegistered, key=lambda fact: fact.issue_id)
def registered(_: IssueRow | None, fact: Recorded[IssueRegistered]) -> IssueRow:
    details = fact.data.details
    return IssueRow(
        issue_id=fact.data.issue_id,
        matter=fact.matter,
        organ=fact.organ,
        division=division_of(fact.organ),
        category=details.category,
        key=False,
        dispute=details.dispute,
        status=IssueStatus.REGISTERED,
        route=None,
        headline=details.headline,
        registered_at=fact.occurred_at,
        changed_at=fact.occurred_at,
    )


@issues.on(IssueClassified, key=lambda fact: fact.issue_id)
def classified(row: IssueRow | None, fact: Recorded[IssueClassified]) -> IssueRow | None:
    return after(row, fact, category=fact.data.classification.category, key=fact.data.classification.key)


@issues.on(IssueAdmitted, key=lambda fact: fact.issue_id)
def admitted(row: IssueRow | None, fact: Recorded[IssueAdmitted]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.ADMITTED)


@issues.on(IssueRefused, key=lambda fact: fact.issue_id)
def refused(row: IssueRow | None, fact: Recorded[IssueRefused]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.REFUSED)


@issues.on(IssueApproved, key=lambda fact: fact.issue_id)
def approved(row: IssueRow | None, fact: Recorded[IssueApproved]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.APPROVED)


@issues.on(IssueRouted, key=lambda fact: fact.issue_id)
def routed(row: IssueRow | None, fact: Recorded[IssueRouted]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.ROUTED, route=fact.data.route)


@issues.on(IssueReturned, key=lambda fact: fact.issue_id)
def returned(row: IssueRow | None, fact: Recorded[IssueReturned]) -> IssueRow | None:
    """It waits for another route."""
    return after(row, fact, status=IssueStatus.APPROVED, route=None)


@issues.on(IssueResolved, key=lambda fact: fact.issue_id)
def resolved(row: IssueRow | None, fact: Recorded[IssueResolved]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.RESOLVED)


@issues.on(IssueClosed, key=lambda fact: fact.issue_id)
def closed(row: IssueRow | None, fact: Recorded[IssueClosed]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.CLOSED)


@issues.on(IssueWithdrawn, key=lambda fact: fact.issue_id)
def withdrawn(row: IssueRow | None, fact: Recorded[IssueWithdrawn]) -> IssueRow | None:
    return after(row, fact, status=IssueStatus.WITHDRAWN, route=None)
