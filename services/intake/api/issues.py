"""Turning submissions into issues, screening and routing them, and telling those who spoke what became of it."""

from uuid import UUID

from eventlog.facts import Value
from facts.intake.issue import Classification, IssueDetails
from services.intake.domain.issue import (
    AdmitIssue,
    ApproveIssue,
    ClassifyIssue,
    CloseIssue,
    InformSubmitters,
    RecordReply,
    RefuseIssue,
    RegisterIssue,
    RouteIssue,
    State,
    Unregistered,
    WithdrawIssue,
    issue,
)
from vocabulary.kinds import Category, DisputeType, Route
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId
from vocabulary.words import Line, Words
from web.commands import MINT, Commands, Created
from web.routing import APIRouter
from web.status import status_of
from web.vault import Vault

router = APIRouter(prefix="/issues", tags=["issue"])


class IssueBody(Value):
    """``headline`` is published: it names no person. ``dispute``: set when people are at odds."""

    organ: OrganId
    headline: Line
    category: Category
    dispute: DisputeType | None = None
    submissions: tuple[UUID, ...] = ()


class RouteBody(Value):
    route: Route


class HandedOver(Value):
    """``routing_id``: the id of the deliberation, commitment or case that answers."""

    routing_id: UUID


class ReplyBody(Value):
    """The answer given, as it is published."""

    reply: Words


@router.post("", status_code=201, summary="Register an issue")
async def register_issue(body: IssueBody, commands: Commands, vault: Vault) -> Created:
    """Register a problem out of the submissions that spoke of it."""
    async with commands.unless_answered():
        commands.authorize(body.organ, commands.caller.id)  # before a key is made for the headline
        key = commands.new_id("issue")
        details = IssueDetails(category=body.category, headline=await vault.public(body.headline), dispute=body.dispute)
        command = RegisterIssue(issue_id=key, details=details, submissions=body.submissions)
        return await commands.create(issue, command, organ=body.organ, matter=MINT, key=key)
    return commands.created_before()


@router.post("/{issue_id}/classify", status_code=204, summary="Classify an issue")
async def classify_issue(issue_id: UUID, body: Classification, commands: Commands) -> None:
    """Give its one category, and say whether it is a key issue."""
    await commands.send(issue, issue_id, ClassifyIssue(classification=body))


@router.post("/{issue_id}/admit", status_code=204, summary="Admit an issue")
async def admit_issue(issue_id: UUID, body: AdmitIssue, commands: Commands) -> None:
    """Admit it under an inclusion of the policy in force."""
    await commands.send(issue, issue_id, body)


@router.post("/{issue_id}/refuse", status_code=204, summary="Refuse an issue")
async def refuse_issue(issue_id: UUID, body: RefuseIssue, commands: Commands) -> None:
    """Refuse it under an exclusion, saying where it belongs and what the submitter can do."""
    await commands.send(issue, issue_id, body)


@router.post("/{issue_id}/approve", status_code=204, summary="Approve an issue")
async def approve_issue(issue_id: UUID, body: ApproveIssue, commands: Commands) -> None:
    """Approve an admitted issue: the secretary's word."""
    await commands.send(issue, issue_id, body)


@router.post("/{issue_id}/route", summary="Route an issue")
async def route_issue(issue_id: UUID, body: RouteBody, commands: Commands) -> HandedOver:
    """Hand an approved issue to whoever will answer it."""
    routing_id = commands.new_id("routing")
    await commands.send(issue, issue_id, RouteIssue(route=body.route, routing_id=routing_id))
    return HandedOver(routing_id=routing_id)


@router.post("/{issue_id}/reply", status_code=204, summary="Record a reply")
async def record_reply(issue_id: UUID, body: ReplyBody, commands: Commands, vault: Vault) -> None:
    """Record the answer of a department, a petition office or a higher level; it resolves the issue."""
    async with commands.unless_answered():
        await commands.head(issue, issue_id)  # asks for permission before a key is made for the reply
        await commands.send(issue, issue_id, RecordReply(reply=await vault.public(body.reply)))


@router.post("/{issue_id}/inform", status_code=204, summary="Say that the submitters were told")
async def inform_submitters(issue_id: UUID, body: InformSubmitters, commands: Commands) -> None:
    """Record that every submitter was told what became of it."""
    await commands.send(issue, issue_id, body)


@router.post("/{issue_id}/close", status_code=204, summary="Close an issue")
async def close_issue(issue_id: UUID, body: CloseIssue, commands: Commands) -> None:
    """Close a resolved issue once all submitters were told."""
    await commands.send(issue, issue_id, body)


@router.post("/{issue_id}/withdraw", status_code=204, summary="Withdraw an issue")
async def withdraw_issue(issue_id: UUID, body: WithdrawIssue, commands: Commands) -> None:
    """Take an issue back; whoever had it stops."""
    await commands.send(issue, issue_id, body)


class IssueShown(Value):
    """Where an issue stands. ``headline_id``: the headline's subject, the one to name in an erasure."""

    issue_id: UUID
    matter: MatterCode | None
    organ: OrganId
    status: Line
    headline: str
    headline_id: UUID
    category: Category
    dispute: DisputeType | None
    route: Route | None
    submissions: tuple[UUID, ...]


@router.get("/{issue_id}", summary="Show an issue")
async def show_issue(issue_id: UUID, commands: Commands, vault: Vault) -> IssueShown:
    """Say where an issue stands; the ETag is what If-Match is compared with."""
    head = await commands.head(issue, issue_id)
    state: State = head.state
    if isinstance(state, Unregistered):
        raise TypeError("a stream with facts is registered")
    details = state.about.details
    return IssueShown(
        issue_id=issue_id,
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        headline=await vault.show(details.headline),
        headline_id=details.headline.key_id,
        category=details.category,
        dispute=details.dispute,
        route=getattr(state, "route", None),
        submissions=state.about.submissions,
    )
