"""Session: one meeting on one or more topics, from its plan to the signed minutes that make it count."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from eventlog.sealed import Sealed
from facts.deliberation.session import (
    Capacity,
    Form,
    MinutesSigned,
    ParticipantCheckedIn,
    QuorumFailed,
    Scale,
    SessionClosed,
    SessionNoticed,
    SessionOpened,
    SessionPlanned,
    StatementRecorded,
    StatementWaived,
)
from services.deliberation.domain.procedure import Procedure
from services.deliberation.domain.quorum import Participant, count
from vocabulary.calendar import WorkingCalendar, day_of
from vocabulary.divisions import DivisionCode, level_of
from vocabulary.words import Instant, Line


class PlanSession(Value):
    """``committee``: the division whose committee meets. ``agenda``: opened deliberations, in order."""

    session_id: UUID
    committee: DivisionCode
    form: Form
    scale: Scale
    agenda: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    presider: UUID
    recorder: UUID
    sides: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    begins_at: Instant


class SendNotice(Value):
    """``begins_at``: another time than planned. ``waived_by``: sides that agreed to less than the notice period."""

    begins_at: Instant | None = None
    waived_by: Annotated[tuple[Line, ...], Field(max_length=50)] = ()


class CheckIn(Value):
    """``side``: whom a person of that capacity speaks for."""

    person: UUID
    capacity: Capacity
    side: Line | None = None


class OpenSession(Value):
    """The presider opens it; whether it may begin is the quorum's to say."""


class RecordStatement(Value):
    """``item``: of the agenda."""

    item: UUID
    speaker: UUID
    words: Sealed[str]


class WaiveStatement(Value):
    side: Line


class CloseSession(Value):
    """Everybody has had their say."""


class SignMinutes(Value):
    signed_by: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=500)]


class Unplanned(Value):
    """Nothing here yet."""


class Planned(Value):
    plan: SessionPlanned


class Noticed(Value):
    plan: SessionPlanned
    begins_at: Instant
    present: tuple[Participant, ...] = ()


class QuorumMissed(Value):
    """It could not begin; a new notice calls it again."""

    plan: SessionPlanned


class Open(Value):
    """``heard``: sides that have spoken, or said that they will not."""

    plan: SessionPlanned
    present: tuple[Participant, ...]
    heard: frozenset[Line] = frozenset()


class Closed(Value):
    plan: SessionPlanned
    present: tuple[Participant, ...]


class Signed(Value):
    plan: SessionPlanned


Command: TypeAlias = (
    PlanSession | SendNotice | CheckIn | OpenSession | RecordStatement | WaiveStatement | CloseSession | SignMinutes
)
Fact: TypeAlias = (
    SessionPlanned
    | SessionNoticed
    | ParticipantCheckedIn
    | QuorumFailed
    | SessionOpened
    | StatementRecorded
    | StatementWaived
    | SessionClosed
    | MinutesSigned
)
State: TypeAlias = Unplanned | Planned | Noticed | QuorumMissed | Open | Closed | Signed


class InForce(Context):
    """``fixed_members`` of the committee that is to meet, None when none is in term; ``open_items``: of the agenda."""

    procedure: Procedure
    calendar: WorkingCalendar
    fixed_members: tuple[UUID, ...] | None = None
    open_items: frozenset[UUID] = frozenset()


def decide(command: Command, session: State, context: InForce) -> Sequence[Fact]:
    match command:
        case PlanSession():
            return plan(command, session, context)
        case SendNotice():
            return send_notice(command, session, context)
        case CheckIn():
            return check_in(command, session)
        case OpenSession():
            return open_(session, context)
        case RecordStatement():
            return record_statement(command, session)
        case WaiveStatement():
            return waive_statement(command, session)
        case CloseSession():
            return close(session)
        case SignMinutes():
            return sign_minutes(command, session)


def plan(command: PlanSession, session: State, context: InForce) -> Sequence[Fact]:
    """A committee in term meets on opened deliberations; whoever presides does not keep the record."""
    match session:
        case Unplanned():
            if context.fixed_members is None:
                raise Rejected("no-committee-in-term", division=command.committee)
            feasible(command, context.open_items)
            level = level_of(command.committee)
            return [SessionPlanned(**vars(command), level=level, fixed_members=context.fixed_members)]
        case Planned() | Noticed() | QuorumMissed() | Open() | Closed() | Signed():
            raise Rejected("session-exists")


def feasible(command: PlanSession, open_items: frozenset[UUID]) -> None:
    """Refuse a plan that cannot be carried out as it stands."""
    if command.presider == command.recorder:
        raise Rejected("presider-is-recorder")
    if repeats(command.agenda) or repeats(command.sides):
        raise Rejected("plan-repeats-itself")
    if missing := set(command.agenda) - open_items:
        raise Rejected("agenda-not-open", items=len(missing))


def repeats(items: Sequence[object]) -> bool:
    return len(set(items)) < len(items)


def send_notice(command: SendNotice, session: State, context: InForce) -> Sequence[Fact]:
    """Everybody concerned hears of it in time, unless every side agreed to less. A failed quorum needs a new date."""
    match session:
        case Planned(plan=plan):
            return [noticed(plan, command.begins_at or plan.begins_at, command, context)]
        case QuorumMissed(plan=plan):
            if command.begins_at is None:
                raise Rejected("new-notice-without-date")
            return [noticed(plan, command.begins_at, command, context)]
        case Unplanned():
            raise Rejected("session-absent")
        case Noticed():
            raise Rejected("session-noticed")
        case Open() | Closed() | Signed():
            raise Rejected("session-begun")


def noticed(plan: SessionPlanned, begins_at: Instant, command: SendNotice, context: InForce) -> SessionNoticed:
    for side in command.waived_by:
        known_side(plan, side)
    period = context.procedure.notice.period(plan.scale, plan.level)
    short = day_of(begins_at) < period.after(context.occurred_at, context.calendar)
    if begins_at < context.occurred_at or (short and not (plan.sides and set(plan.sides) == set(command.waived_by))):
        raise Rejected("notice-too-short", days=period.days)
    return SessionNoticed(session_id=plan.session_id, begins_at=begins_at, waived=short)


def known_side(plan: SessionPlanned, side: str) -> None:
    if side not in plan.sides:
        raise Rejected("side-unknown")


def check_in(command: CheckIn, session: State) -> Sequence[Fact]:
    """Somebody is there, before the session opens or late."""
    match session:
        case Noticed(plan=plan, present=present) | Open(plan=plan, present=present):
            proper(command, plan, present)
            return [ParticipantCheckedIn(session_id=plan.session_id, **vars(command))]
        case Unplanned():
            raise Rejected("session-absent")
        case Planned() | QuorumMissed():
            raise Rejected("session-not-noticed")
        case Closed() | Signed():
            raise Rejected("session-closed")


def proper(command: CheckIn, plan: SessionPlanned, present: Sequence[Participant]) -> None:
    """Refuse whoever is there already, or takes part as what they are not."""
    if any(participant.person == command.person for participant in present):
        raise Rejected("checked-in-already")
    if (command.side is None) == (command.capacity is Capacity.SIDE):
        raise Rejected("side-and-capacity-disagree")
    if command.side is not None:
        known_side(plan, command.side)
        if command.person in {plan.presider, plan.recorder}:
            raise Rejected("officer-takes-a-side")
    if command.capacity is Capacity.FIXED_MEMBER and command.person not in plan.fixed_members:
        raise Rejected("not-a-fixed-member")


def open_(session: State, context: InForce) -> Sequence[Fact]:
    """It begins on its day, with a quorum; without one that is recorded, and it must be called again."""
    match session:
        case Noticed(begins_at=begins_at) if day_of(context.occurred_at) < day_of(begins_at):
            raise Rejected("session-before-its-day", day=day_of(begins_at))
        case Noticed(plan=plan, present=present):
            quorum = count(plan, present, context.procedure.quorum)
            if not quorum.met:
                return [QuorumFailed(session_id=plan.session_id, **vars(quorum))]
            return [SessionOpened(session_id=plan.session_id)]
        case Unplanned():
            raise Rejected("session-absent")
        case Planned() | QuorumMissed():
            raise Rejected("session-not-noticed")
        case Open() | Closed() | Signed():
            raise Rejected("session-begun")


def record_statement(command: RecordStatement, session: State) -> Sequence[Fact]:
    """Somebody present speaks to an item, for the side they came for."""
    match session:
        case Open(plan=plan) if command.item not in plan.agenda:
            raise Rejected("item-not-on-agenda")
        case Open(plan=plan, present=present):
            speaker = next((someone for someone in present if someone.person == command.speaker), None)
            if speaker is None:
                raise Rejected("speaker-not-present")
            return [StatementRecorded(session_id=plan.session_id, side=speaker.side, **vars(command))]
        case Unplanned():
            raise Rejected("session-absent")
        case Planned() | Noticed() | QuorumMissed():
            raise Rejected("session-not-open")
        case Closed() | Signed():
            raise Rejected("session-closed")


def waive_statement(command: WaiveStatement, session: State) -> Sequence[Fact]:
    """A side may choose not to speak; the record says so."""
    match session:
        case Open(plan=plan, heard=heard):
            known_side(plan, command.side)
            if command.side in heard:
                raise Rejected("side-heard")
            return [StatementWaived(session_id=plan.session_id, side=command.side)]
        case Unplanned():
            raise Rejected("session-absent")
        case Planned() | Noticed() | QuorumMissed():
            raise Rejected("session-not-open")
        case Closed() | Signed():
            raise Rejected("session-closed")


def close(session: State) -> Sequence[Fact]:
    """Not before every side has spoken or waived: so no minutes are ever signed over somebody's head."""
    match session:
        case Open(plan=plan, heard=heard) if unheard := [side for side in plan.sides if side not in heard]:
            raise Rejected("side-unheard", sides=len(unheard))
        case Open(plan=plan):
            return [SessionClosed(session_id=plan.session_id)]
        case Unplanned():
            raise Rejected("session-absent")
        case Planned() | Noticed() | QuorumMissed():
            raise Rejected("session-not-open")
        case Closed() | Signed():
            raise Rejected("session-closed")


def sign_minutes(command: SignMinutes, session: State) -> Sequence[Fact]:
    """Presider, recorder and one of every side sign what they heard. From here on the session counts."""
    match session:
        case Closed(plan=plan, present=present):
            enough(set(command.signed_by), plan, present)
            return [minutes(plan, present, command.signed_by)]
        case Unplanned():
            raise Rejected("session-absent")
        case Planned() | Noticed() | QuorumMissed() | Open():
            raise Rejected("session-not-closed")
        case Signed():
            raise Rejected("minutes-signed")


def enough(signers: set[UUID], plan: SessionPlanned, present: Sequence[Participant]) -> None:
    """Refuse minutes that somebody signs who was not there, or somebody does not sign who must."""
    if signers - {participant.person for participant in present}:
        raise Rejected("signer-not-present")
    if not signers >= {plan.presider, plan.recorder}:
        raise Rejected("minutes-without-officers")
    signing = {participant.side for participant in present if participant.person in signers}
    if unsigned := [side for side in plan.sides if side not in signing]:
        raise Rejected("minutes-without-side", sides=len(unsigned))


def minutes(plan: SessionPlanned, present: Sequence[Participant], signed_by: tuple[UUID, ...]) -> MinutesSigned:
    capacities = [participant.capacity for participant in present]
    return MinutesSigned(
        session_id=plan.session_id,
        form=plan.form,
        scale=plan.scale,
        level=plan.level,
        agenda=plan.agenda,
        attendances=len(present),
        members_present=capacities.count(Capacity.FIXED_MEMBER),
        cppcc_present=capacities.count(Capacity.CPPCC_MEMBER),
        signed_by=signed_by,
    )


def evolve(session: State, fact: Fact) -> State:
    match fact:
        case SessionPlanned():
            return Planned(plan=fact)
        case SessionNoticed(begins_at=begins_at):
            return Noticed(plan=planned(session), begins_at=begins_at)
        case ParticipantCheckedIn():
            return joined(session, Participant(person=fact.person, capacity=fact.capacity, side=fact.side))
        case QuorumFailed():
            return QuorumMissed(plan=planned(session))
        case SessionOpened():
            return Open(plan=planned(session), present=present_at(session))
        case StatementRecorded(side=None):
            return session
        case StatementRecorded(side=side) | StatementWaived(side=side):
            return heard(session, side)
        case SessionClosed():
            return Closed(plan=planned(session), present=present_at(session))
        case MinutesSigned():
            return Signed(plan=planned(session))


def planned(session: State) -> SessionPlanned:
    """What every state but the first knows."""
    if isinstance(session, Unplanned):
        raise TypeError("a session's history begins with its plan")
    return session.plan


def present_at(session: State) -> tuple[Participant, ...]:
    if not isinstance(session, Noticed | Open | Closed):
        raise TypeError("nobody is present before the notice")
    return session.present


def joined(session: State, participant: Participant) -> State:
    present = (*present_at(session), participant)
    match session:
        case Noticed(plan=plan, begins_at=begins_at):
            return Noticed(plan=plan, begins_at=begins_at, present=present)
        case Open(plan=plan, heard=heard):
            return Open(plan=plan, present=present, heard=heard)
        case Unplanned() | Planned() | QuorumMissed() | Closed() | Signed():
            raise TypeError("nobody joins a session that is not called or is over")


def heard(session: State, side: str | None) -> State:
    if not isinstance(session, Open) or side is None:
        raise TypeError("a side is heard in an open session")
    return Open(plan=session.plan, present=session.present, heard=session.heard | {side})


session: Decider[Command, State, Fact, InForce] = Decider("session", Unplanned(), decide, evolve)
