"""Lists: issues, sessions, cases, submissions and moved deadlines of a place, filtered, newest first, page by page."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Query

from eventlog.facts import Value
from facts.deliberation.session import Form, Scale
from facts.intake.submission import Channel
from services.reporting.api.asked import AtPlace, Reading
from services.reporting.api.headlines import HeadlineState, IssueShown, with_headlines
from services.reporting.fact_store.compiler import FactPlace
from services.reporting.fact_store.moved import MovedDeadline, moved
from services.reporting.read_models import cases, issues, sessions, submissions
from services.reporting.read_models.cases import CaseRow, CaseStatus
from services.reporting.read_models.issues import IssueStatus
from services.reporting.read_models.listing import Condition, Listing, RowPlace
from services.reporting.read_models.search import saying
from services.reporting.read_models.sessions import SessionRow, SessionStatus
from services.reporting.read_models.submissions import SubmissionRow, SubmissionStatus
from vocabulary.kinds import Category, DisputeSource, DisputeType, Route
from vocabulary.matter import MatterCode
from vocabulary.words import Line
from web.after import CaughtUp
from web.paging import Page, Paging, PagingRequest
from web.routing import APIRouter

R = TypeVar("R", bound=Value)
router = APIRouter(tags=["list"])

Matter = Annotated[MatterCode | None, Query(description="Of one matter only")]


@router.get("/issues", summary="List issues")
async def list_issues(
    place: AtPlace,
    _: CaughtUp,
    reading: Reading,
    paging: Paging,
    category: Category | None = None,
    status: IssueStatus | None = None,
    route: Route | None = None,
    key: Annotated[bool | None, Query(description="Key issues only, or all others")] = None,
    matter: Matter = None,
    words: Annotated[Line | None, Query(description="Whose headline holds each of these words")] = None,
) -> Page[IssueShown]:
    """Issues by the day they were registered, latest first. One whose headline was erased is found by no words."""
    filters = {"category": category, "status": status, "route": route, "key": key, "matter": matter}
    also = None if words is None else saying(words)
    rows = await _rows(issues.listing, place, reading, paging, filters, also)
    shown = await with_headlines(rows, place.tenant, reading.keys)
    page = Page[IssueShown].of(shown, paging, lambda issue: RowPlace(at=issue.registered_at, key=str(issue.issue_id)))
    if words is None:
        return page
    # The key may have gone since the row was found.
    clear = tuple(issue for issue in page.items if issue.headline_state is HeadlineState.CLEAR)
    return page.model_copy(update={"items": clear})


@router.get("/sessions", summary="List sessions")
async def list_sessions(
    place: AtPlace,
    _: CaughtUp,
    reading: Reading,
    paging: Paging,
    form: Form | None = None,
    scale: Scale | None = None,
    status: SessionStatus | None = None,
) -> Page[SessionRow]:
    """Sessions by the time they begin, latest first."""
    rows = await _rows(sessions.listing, place, reading, paging, {"form": form, "scale": scale, "status": status})
    return Page[SessionRow].of(rows, paging, sessions.listing.place)


@router.get("/cases", summary="List cases")
async def list_cases(
    place: AtPlace,
    _: CaughtUp,
    reading: Reading,
    paging: Paging,
    source: DisputeSource | None = None,
    dispute: DisputeType | None = None,
    status: CaseStatus | None = None,
    matter: Matter = None,
) -> Page[CaseRow]:
    """Mediation cases by the day they were opened, latest first: neither names nor words."""
    filters = {"source": source, "dispute": dispute, "status": status, "matter": matter}
    rows = await _rows(cases.listing, place, reading, paging, filters)
    return Page[CaseRow].of(rows, paging, cases.listing.place)


@router.get("/submissions", summary="List submissions")
async def list_submissions(
    place: AtPlace,
    _: CaughtUp,
    reading: Reading,
    paging: Paging,
    channel: Channel | None = None,
    status: SubmissionStatus | None = None,
    matter: Matter = None,
) -> Page[SubmissionRow]:
    """Submissions by the day they were received, latest first: never their words."""
    filters = {"channel": channel, "status": status, "matter": matter}
    rows = await _rows(submissions.listing, place, reading, paging, filters)
    return Page[SubmissionRow].of(rows, paging, submissions.listing.place)


@router.get("/moved-deadlines", summary="List moved deadlines")
async def list_moved_deadlines(
    place: AtPlace,
    _: CaughtUp,
    reading: Reading,
    paging: Paging,
    correction: Annotated[UUID | None, Query(description="The X-Correlation-Id of one correction")] = None,
) -> Page[MovedDeadline]:
    """Deadlines that a corrected calendar has moved, latest first: what is due, until when it was, and is now."""
    after = paging.after(FactPlace)
    rows = await moved(reading.pool, place.tenant, place.division, correction, after=after, limit=paging.fetch)
    return Page[MovedDeadline].of(rows, paging, lambda deadline: deadline.place)


async def _rows(
    listing: Listing[R],
    place: AtPlace,
    reading: Reading,
    paging: PagingRequest,
    filters: Mapping[str, str | bool | None],
    also: Condition | None = None,
) -> Sequence[R]:
    return await listing.page(
        reading.pool, place.tenant, place.division, filters, after=paging.after(RowPlace), limit=paging.fetch, also=also
    )
