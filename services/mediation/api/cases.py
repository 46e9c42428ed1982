"""Taking a dispute from the first word to the last."""

from uuid import UUID

from fastapi import Request
from uuid_utils.compat import uuid7

from eventlog.facts import Value
from eventlog.handler import Head, Opening
from eventlog.handler import Request as Order
from eventlog.sealed import Sealed
from facts.mediation.case import Party
from services.mediation.domain.access import RecordRead, access
from services.mediation.domain.case import (
    About,
    AcceptCase,
    Agreed,
    Agreement,
    AssignMediator,
    Breached,
    CloseCase,
    FailCase,
    HoldMediation,
    NotifyRights,
    OpenCase,
    Performed,
    ReachAgreement,
    RecordBreach,
    RecordConsent,
    RecordPerformance,
    RegisterParty,
    State,
    WithdrawParty,
    case,
    known,
)
from vocabulary.kinds import DisputeSource, DisputeType
from vocabulary.matter import MatterCode
from vocabulary.organs import OrganId, division_of
from vocabulary.roles import Role
from vocabulary.words import Account, Day, Flag, Instant, Line, Words
from web.commands import MINT, Commands, Created
from web.correlation import correlation_of
from web.parts import parts_of
from web.routing import APIRouter
from web.status import status_of
from web.vault import Vault

router = APIRouter(prefix="/cases", tags=["mediation case"])


class CaseBody(Value):
    """A dispute brought by its parties, or taken up by ``organ``. ``words``: what it is about, kept sealed."""

    organ: OrganId
    source: DisputeSource
    dispute: DisputeType
    words: Words


class PartyBody(Value):
    """A party by name. ``person``: the subject id they are known by already; ``account``: for who has one."""

    name: Line
    person: UUID | None = None
    account: Account | None = None


class PartyCreated(Value):
    """The random id that the party is known by."""

    person: UUID


class AgreementBody(Value):
    """``terms``: content, manner, place and time of performance, kept sealed. ``perform_by``: its last day."""

    written: Flag
    terms: Words
    perform_by: Day


class PerformanceBody(Value):
    """``performed_at``: when, if it is only recorded now; what was performed in time was not missed."""

    performed_at: Instant | None = None


@router.post("", status_code=201, summary="Open a case")
async def open_case(body: CaseBody, commands: Commands, vault: Vault) -> Created:
    """Open a case that no issue brought here."""
    async with commands.unless_answered():
        commands.authorize(body.organ, commands.caller.id)  # no key is made for who may not use it
        key = commands.new_id("case")
        command = OpenCase(
            case_id=key,
            issue_id=None,
            source=body.source,
            dispute=body.dispute,
            words=await vault.seal(key, "case-words", body.words),
        )
        return await commands.create(case, command, organ=body.organ, matter=MINT, key=key)
    return commands.created_before()


@router.post("/{case_id}/parties", status_code=201, summary="Register a party")
async def register_party(case_id: UUID, body: PartyBody, commands: Commands, vault: Vault) -> PartyCreated:
    """Name a party, sealed under that person's key. Nobody mediates with an unknown."""
    person = body.person or commands.new_id("person")
    async with commands.unless_answered():
        await commands.head(case, case_id)  # no key is made for who may not use it
        name = await vault.seal(person, "party-name", body.name)
        await commands.send(case, case_id, RegisterParty(party=Party(person=person, name=name, account=body.account)))
    return PartyCreated(person=person)


@router.post("/{case_id}/consent", status_code=204, summary="Record a party's consent or refusal")
async def record_consent(case_id: UUID, body: RecordConsent, commands: Commands) -> None:
    """Record whether a party wants mediation. One clear refusal ends it."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/rights", status_code=204, summary="Say that the parties were told their rights")
async def notify_rights(case_id: UUID, body: NotifyRights, commands: Commands) -> None:
    """Record that the parties know what mediation is and what they may do in it; before anything is held."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/accept", status_code=204, summary="Accept a case")
async def accept_case(case_id: UUID, body: AcceptCase, commands: Commands) -> None:
    """Accept a case whose parties all consent and which no court, police or arbitration body has."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/mediator", status_code=204, summary="Assign a mediator")
async def assign_mediator(case_id: UUID, body: AssignMediator, commands: Commands) -> None:
    """Name the mediator by account, or another in their place; every tie to the parties is stated first."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/hold", status_code=204, summary="Record that mediation was held")
async def hold_mediation(case_id: UUID, body: HoldMediation, commands: Commands) -> None:
    """Record that the mediator sat with the parties."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/agreement", status_code=204, summary="Record an agreement")
async def reach_agreement(case_id: UUID, body: AgreementBody, commands: Commands, vault: Vault) -> None:
    """Record what was agreed. It settles the dispute, and is to be performed by a day."""
    async with commands.unless_answered():
        await commands.head(case, case_id)
        terms = await vault.seal(case_id, "agreement-terms", body.terms)
        await commands.send(
            case, case_id, ReachAgreement(written=body.written, terms=terms, perform_by=body.perform_by)
        )


@router.post("/{case_id}/fail", status_code=204, summary="End a case without agreement")
async def fail_case(case_id: UUID, body: FailCase, commands: Commands) -> None:
    """End it with a coded reason, once the parties know which other ways stand open."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/withdraw", status_code=204, summary="Record that a party withdraws")
async def withdraw_party(case_id: UUID, body: WithdrawParty, commands: Commands) -> None:
    """End it because a party wants no more of it; possible until there is an agreement."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/performance", status_code=204, summary="Record performance")
async def record_performance(case_id: UUID, body: PerformanceBody, commands: Commands) -> None:
    """Record that the agreement was performed, also late, also after a breach."""
    await commands.send(case, case_id, RecordPerformance(), occurred_at=body.performed_at)


@router.post("/{case_id}/breach", status_code=204, summary="Record a breach")
async def record_breach(case_id: UUID, body: RecordBreach, commands: Commands) -> None:
    """Record that the agreement was not kept; the settlement is taken back until it is."""
    await commands.send(case, case_id, body)


@router.post("/{case_id}/close", status_code=204, summary="Close a case")
async def close_case(case_id: UUID, body: CloseCase, commands: Commands) -> None:
    """Close a case that was performed, failed, or stayed broken."""
    await commands.send(case, case_id, body)


class PartyShown(Value):
    """``name`` as in CaseShown."""

    person: UUID
    name: str | None
    consented: Flag


class AgreementShown(Value):
    """``terms`` as in CaseShown. ``overdue``: the day passed without a record of performance."""

    written: Flag
    perform_by: Day
    overdue: Flag
    terms: str | None


class CaseShown(Value):
    """Where a case stands.

    Names, words and terms are null unless the caller is the case's mediator, or the director at its own division.
    """

    case_id: UUID
    issue_id: UUID | None
    matter: MatterCode | None
    organ: OrganId
    status: Line
    source: DisputeSource
    dispute: DisputeType
    rights_told: Flag
    mediator: Account | None
    words: str | None
    parties: tuple[PartyShown, ...]
    agreement: AgreementShown | None


@router.get("/{case_id}", summary="Show a case")
async def show_case(case_id: UUID, request: Request, commands: Commands, vault: Vault) -> CaseShown:
    """Say where a case stands. Being shown its names is written down, apart from the case; its ETag stays."""
    head = await commands.head(case, case_id)
    state: State = head.state
    about = known(state)
    opened = may_open(commands, head, about)
    if opened:
        await write_down_read(case_id, request, commands, head)

    async def show(sealed: Sealed[str] | None) -> str | None:
        return await vault.show(sealed) if opened and sealed is not None else None

    agreement = agreement_of(state)
    return CaseShown(
        case_id=case_id,
        issue_id=about.issue_id,
        matter=head.matter,
        organ=head.organ,
        status=status_of(state),
        source=about.source,
        dispute=about.dispute,
        rights_told=about.rights_told,
        mediator=about.mediator,
        words=await show(about.words),
        parties=tuple(
            [
                PartyShown(person=party.person, name=await show(party.name), consented=party.person in about.consenting)
                for party in about.parties
            ]
        ),
        agreement=None
        if agreement is None
        else AgreementShown(
            written=agreement.written,
            perform_by=agreement.perform_by,
            overdue=isinstance(state, Agreed) and state.overdue,
            terms=await show(agreement.terms),
        ),
    )


def may_open(commands: Commands, head: Head, about: About) -> bool:
    """The assigned mediator; or a director, of the case's own division only: a town does not read its villages'."""
    caller = commands.caller
    return caller.id == about.mediator or any(
        grant.role is Role.MEDIATION_DIRECTOR and division_of(grant.at) == division_of(head.organ)
        for grant in caller.grants
    )


async def write_down_read(case_id: UUID, request: Request, commands: Commands, head: Head) -> None:
    """Record the read before anything is opened: what cannot be written down is not shown."""
    handler = parts_of(request).handler
    if handler is None:
        raise TypeError("mediation has a log")
    order = Order(
        tenant=commands.tenant,
        actor=commands.caller.actor,
        command_id=uuid7(),
        digest=b"",
        correlation=correlation_of(request),
        opens=Opening(head.organ, head.matter),
    )
    await handler.send(access, case_id, RecordRead(case_id=case_id), order)


def agreement_of(state: State) -> Agreement | None:
    """What was agreed, as long as it is being performed or was."""
    return state.agreement if isinstance(state, Agreed | Performed | Breached) else None
