"""Every command on every state of a session: what follows, or which rule says no."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from eventlog.testing import SOMEBODY, Scenario
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
from services.deliberation.domain.procedure import default_procedure
from services.deliberation.domain.session import (
    CheckIn,
    CloseSession,
    Command,
    Fact,
    InForce,
    OpenSession,
    PlanSession,
    RecordStatement,
    SendNotice,
    SignMinutes,
    State,
    WaiveStatement,
    session,
)
from tests.unit.sealed_samples import a_sealed
from vocabulary.calendar import WorkingCalendar
from vocabulary.divisions import Level

KEY, ITEM = UUID(int=1), UUID(int=2)
MEMBERS = tuple(UUID(int=n) for n in range(11, 17))  # six fixed members: four make a quorum
PRESIDER, RECORDER = MEMBERS[0], UUID(int=21)
CPPCC, WANG, LI, GUEST = UUID(int=31), UUID(int=41), UUID(int=42), UUID(int=51)
WORDS = a_sealed("三社的路雨后泥泞。")
DAY = timedelta(days=1)
MONDAY = SOMEBODY.occurred_at
THURSDAY = MONDAY + 3 * DAY

plan = PlanSession(
    session_id=KEY,
    committee="620724100701",
    form=Form.MEETING,
    scale=Scale.REGULAR,
    agenda=(ITEM,),
    presider=PRESIDER,
    recorder=RECORDER,
    sides=("三社", "施工队"),
    begins_at=THURSDAY,
)
planned = SessionPlanned(**dict(plan), level=Level.VILLAGE, fixed_members=MEMBERS)
noticed = SessionNoticed(session_id=KEY, begins_at=THURSDAY, waived=False)
opened = SessionOpened(session_id=KEY)
failed = QuorumFailed(session_id=KEY, present=0, needed=4, chaired=False, sides_missing=("三社", "施工队"))
closed = SessionClosed(session_id=KEY)


def there(person: UUID, capacity: Capacity = Capacity.FIXED_MEMBER, side: str | None = None) -> ParticipantCheckedIn:
    return ParticipantCheckedIn(session_id=KEY, person=person, capacity=capacity, side=side)


member_four = there(MEMBERS[3])
everybody = (
    *(there(member) for member in MEMBERS[:4]),
    there(RECORDER, Capacity.GUEST),
    there(CPPCC, Capacity.CPPCC_MEMBER),
    there(WANG, Capacity.SIDE, "三社"),
    there(LI, Capacity.SIDE, "施工队"),
)
spoken = StatementRecorded(session_id=KEY, item=ITEM, speaker=WANG, side="三社", words=WORDS)
waived = StatementWaived(session_id=KEY, side="施工队")
SIGNERS = (PRESIDER, RECORDER, WANG, LI)
signed = MinutesSigned(
    session_id=KEY,
    form=Form.MEETING,
    scale=Scale.REGULAR,
    level=Level.VILLAGE,
    agenda=(ITEM,),
    attendances=8,
    members_present=4,
    cppcc_present=1,
    signed_by=SIGNERS,
)

IN_FORCE = InForce(
    **dict(SOMEBODY),
    procedure=default_procedure(),
    calendar=WorkingCalendar.load(),
    fixed_members=MEMBERS,
    open_items=frozenset({ITEM}),
)
ON_THE_DAY = IN_FORCE.model_copy(update={"occurred_at": THURSDAY})

nothing: Scenario[Command, State, Fact, InForce] = Scenario(session, context=IN_FORCE)
a_planned_one = nothing.given(planned)
a_noticed_one = a_planned_one.given(noticed)
a_full_room = a_noticed_one.given(*everybody)
an_open_one = a_full_room.given(opened)
one_that_failed = a_noticed_one.given(failed)
one_that_heard_all = an_open_one.given(spoken, waived)
a_closed_one = one_that_heard_all.given(closed)
a_signed_one = a_closed_one.given(signed)

STATES: Mapping[str, Scenario[Command, State, Fact, InForce]] = {
    "nothing": nothing,
    "planned": a_planned_one,
    "noticed": a_noticed_one,
    "full": a_full_room,
    "failed": one_that_failed,
    "open": an_open_one,
    "heard": one_that_heard_all,
    "closed": a_closed_one,
    "signed": a_signed_one,
}
COMMANDS: Mapping[str, tuple[Command, InForce]] = {
    "plan": (plan, IN_FORCE),
    "notice": (SendNotice(), IN_FORCE),
    "check in": (CheckIn(person=GUEST, capacity=Capacity.GUEST), ON_THE_DAY),
    "open": (OpenSession(), ON_THE_DAY),
    "state": (RecordStatement(item=ITEM, speaker=WANG, words=WORDS), ON_THE_DAY),
    "waive": (WaiveStatement(side="施工队"), ON_THE_DAY),
    "close": (CloseSession(), ON_THE_DAY),
    "sign": (SignMinutes(signed_by=SIGNERS), ON_THE_DAY),
}
NOT_OPEN = dict.fromkeys(("planned", "noticed", "full", "failed"), "session-not-open") | dict.fromkeys(
    ("closed", "signed"), "session-closed"
)
BEGUN = dict.fromkeys(("open", "heard", "closed", "signed"), "session-begun")
UNCALLED = dict.fromkeys(("planned", "failed"), "session-not-noticed")
guest = there(GUEST, Capacity.GUEST)
TABLE: Mapping[str, Mapping[str, Fact | str]] = {
    "plan": {**dict.fromkeys(STATES, "session-exists"), "nothing": planned},
    "notice": {
        **BEGUN,
        "nothing": "session-absent",
        "planned": noticed,
        "noticed": "session-noticed",
        "full": "session-noticed",
        "failed": "new-notice-without-date",
    },
    "check in": {
        **UNCALLED,
        **dict.fromkeys(("noticed", "full", "open", "heard"), guest),
        **dict.fromkeys(("closed", "signed"), "session-closed"),
        "nothing": "session-absent",
    },
    "open": {**BEGUN, **UNCALLED, "nothing": "session-absent", "noticed": failed, "full": opened},
    "state": {**NOT_OPEN, "nothing": "session-absent", "open": spoken, "heard": spoken},
    "waive": {**NOT_OPEN, "nothing": "session-absent", "open": waived, "heard": "side-heard"},
    "close": {**NOT_OPEN, "nothing": "session-absent", "open": "side-unheard", "heard": closed},
    "sign": {
        **dict.fromkeys(STATES, "session-not-closed"),
        "nothing": "session-absent",
        "closed": signed,
        "signed": "minutes-signed",
    },
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_every_state(command: str, state: str) -> None:
    words, context = COMMANDS[command]
    outcome = STATES[state].under(context).when(words)
    match TABLE[command][state]:
        case str() as code:
            outcome.then_rejected(code)
        case fact:
            outcome.then(fact)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"state"}))
def test_a_command_sent_twice_is_refused_the_second_time(command: str, state: str) -> None:
    words, context = COMMANDS[command]
    outcome = STATES[state].under(context).when(words)
    if outcome.facts is not None:
        assert STATES[state].given(*outcome.facts).under(context).when(words).code is not None


class TestPlanning:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"recorder": PRESIDER}, "presider-is-recorder"),
            ({"agenda": (ITEM, ITEM)}, "plan-repeats-itself"),
            ({"sides": ("三社", "三社")}, "plan-repeats-itself"),
            ({"agenda": (ITEM, UUID(int=99))}, "agenda-not-open"),
        ],
    )
    def test_refuses_what_cannot_be_carried_out(self, changes: Mapping[str, object], code: str) -> None:
        nothing.when(plan.model_copy(update=changes)).then_rejected(code)

    def test_needs_a_committee_in_term(self) -> None:
        nowhere = nothing.under(IN_FORCE.model_copy(update={"fixed_members": None}))
        nowhere.when(plan).then_rejected("no-committee-in-term")


def planned_at(division: str, level: Level, scale: Scale) -> Scenario[Command, State, Fact, InForce]:
    return nothing.given(planned.model_copy(update={"committee": division, "level": level, "scale": scale}))


TOWN = "620724100"
VILLAGE = "620724100701"


class TestNotice:
    @pytest.mark.parametrize(
        ("at", "earliest"),
        [
            (planned_at(VILLAGE, Level.VILLAGE, Scale.MICRO), MONDAY + DAY),
            (planned_at(TOWN, Level.TOWN, Scale.MICRO), MONDAY + DAY),
            (planned_at(VILLAGE, Level.VILLAGE, Scale.REGULAR), MONDAY + 3 * DAY),
            (planned_at(TOWN, Level.TOWN, Scale.REGULAR), MONDAY + 7 * DAY),  # five working days
        ],
    )
    def test_goes_out_in_time(self, at: Scenario[Command, State, Fact, InForce], earliest: datetime) -> None:
        at.when(SendNotice(begins_at=earliest)).then(noticed.model_copy(update={"begins_at": earliest}))
        at.when(SendNotice(begins_at=earliest - DAY)).then_rejected("notice-too-short")

    def test_may_be_short_when_every_side_agrees(self) -> None:
        soon = MONDAY + timedelta(hours=1)
        short = SendNotice(begins_at=soon, waived_by=("施工队", "三社"))
        a_planned_one.when(short).then(SessionNoticed(session_id=KEY, begins_at=soon, waived=True))
        one = SendNotice(begins_at=soon, waived_by=("三社",))
        a_planned_one.when(one).then_rejected("notice-too-short")

    def test_of_a_session_without_sides_nobody_can_waive(self) -> None:
        without = nothing.given(planned.model_copy(update={"sides": ()}))
        without.when(SendNotice(begins_at=MONDAY)).then_rejected("notice-too-short")

    def test_never_calls_into_the_past(self) -> None:
        past = SendNotice(begins_at=MONDAY - timedelta(hours=1), waived_by=planned.sides)
        a_planned_one.when(past).then_rejected("notice-too-short")

    def test_is_waived_by_sides_of_the_plan_only(self) -> None:
        a_planned_one.when(SendNotice(waived_by=("四社",))).then_rejected("side-unknown")

    def test_after_a_failed_quorum_names_a_new_date_and_everybody_checks_in_again(self) -> None:
        next_week = THURSDAY + 7 * DAY
        again = noticed.model_copy(update={"begins_at": next_week})
        one_that_failed.when(SendNotice(begins_at=next_week)).then(again)
        a_full_room.given(failed, again).when(CheckIn(person=WANG, capacity=Capacity.SIDE, side="三社")).then(
            there(WANG, Capacity.SIDE, "三社")
        )


class TestCheckingIn:
    @pytest.mark.parametrize(
        ("person", "capacity", "side", "code"),
        [
            (WANG, Capacity.SIDE, "三社", "checked-in-already"),
            (GUEST, Capacity.SIDE, None, "side-and-capacity-disagree"),
            (GUEST, Capacity.GUEST, "三社", "side-and-capacity-disagree"),
            (GUEST, Capacity.SIDE, "四社", "side-unknown"),
            (GUEST, Capacity.FIXED_MEMBER, None, "not-a-fixed-member"),
        ],
    )
    def test_is_as_what_one_is(self, person: UUID, capacity: Capacity, side: str | None, code: str) -> None:
        a_full_room.when(CheckIn(person=person, capacity=capacity, side=side)).then_rejected(code)

    @pytest.mark.parametrize("officer", [PRESIDER, RECORDER])
    def test_whoever_has_an_office_takes_no_side(self, officer: UUID) -> None:
        a_noticed_one.when(CheckIn(person=officer, capacity=Capacity.SIDE, side="三社")).then_rejected(
            "officer-takes-a-side"
        )

    def test_may_be_late(self) -> None:
        late = there(MEMBERS[4])
        an_open_one.when(CheckIn(person=MEMBERS[4], capacity=Capacity.FIXED_MEMBER)).then(late)
        counted = one_that_heard_all.given(late, closed).when(SignMinutes(signed_by=SIGNERS))
        counted.then(signed.model_copy(update={"attendances": 9, "members_present": 5}))


MICRO = nothing.given(planned.model_copy(update={"scale": Scale.MICRO}), noticed)
SIDES = everybody[-2:]
OFFICERS = (there(PRESIDER), there(RECORDER, Capacity.GUEST))


class TestQuorum:
    def failed(self, **changes: object) -> QuorumFailed:
        return QuorumFailed(session_id=KEY, present=4, needed=4, chaired=True, sides_missing=()).model_copy(
            update=changes
        )

    @pytest.mark.parametrize(
        ("away", "changes"),
        [
            ((member_four,), {"present": 3}),
            ((there(LI, Capacity.SIDE, "施工队"),), {"sides_missing": ("施工队",)}),
            ((there(RECORDER, Capacity.GUEST),), {"chaired": False}),
            ((there(PRESIDER),), {"present": 3, "chaired": False}),
        ],
    )
    def test_of_a_regular_session(self, away: Sequence[Fact], changes: Mapping[str, object]) -> None:
        some = a_noticed_one.given(*[fact for fact in everybody if fact not in away]).under(ON_THE_DAY)
        some.when(OpenSession()).then(self.failed(**changes))

    @pytest.mark.parametrize("third", [there(MEMBERS[5]), there(CPPCC, Capacity.CPPCC_MEMBER)])
    def test_of_a_micro_session_is_one_more_member(self, third: Fact) -> None:
        MICRO.given(*OFFICERS, third, *SIDES).under(ON_THE_DAY).when(OpenSession()).then(opened)

    def test_of_a_micro_session_does_not_count_presider_and_recorder(self) -> None:
        alone = MICRO.given(*OFFICERS, *SIDES).under(ON_THE_DAY)
        alone.when(OpenSession()).then(self.failed(present=0, needed=1))

    def test_is_counted_on_the_day(self) -> None:
        a_full_room.when(OpenSession()).then_rejected("session-before-its-day")

    def test_of_members_is_rounded_up(self) -> None:
        assert [default_procedure().quorum.among(n) for n in (1, 6, 7, 8)] == [1, 4, 5, 6]


class TestStatements:
    def test_are_on_the_agenda(self) -> None:
        elsewhere = RecordStatement(item=UUID(int=99), speaker=WANG, words=WORDS)
        an_open_one.when(elsewhere).then_rejected("item-not-on-agenda")

    def test_come_from_somebody_present(self) -> None:
        absent = RecordStatement(item=ITEM, speaker=GUEST, words=WORDS)
        an_open_one.when(absent).then_rejected("speaker-not-present")

    def test_of_a_member_speak_for_no_side(self) -> None:
        said = spoken.model_copy(update={"speaker": CPPCC, "side": None})
        an_open_one.when(RecordStatement(item=ITEM, speaker=CPPCC, words=WORDS)).then(said)
        an_open_one.given(said, waived).when(CloseSession()).then_rejected("side-unheard")

    def test_are_waived_by_sides_of_the_plan(self) -> None:
        an_open_one.when(WaiveStatement(side="四社")).then_rejected("side-unknown")


class TestMinutes:
    @pytest.mark.parametrize(
        ("signers", "code"),
        [
            ((*SIGNERS, GUEST), "signer-not-present"),
            ((RECORDER, WANG, LI), "minutes-without-officers"),
            ((PRESIDER, WANG, LI), "minutes-without-officers"),
            ((PRESIDER, RECORDER, WANG), "minutes-without-side"),
        ],
    )
    def test_are_signed_by_all_who_must_and_none_who_was_away(self, signers: tuple[UUID, ...], code: str) -> None:
        a_closed_one.when(SignMinutes(signed_by=signers)).then_rejected(code)


@pytest.mark.parametrize("history", [(opened,), (planned, opened), (planned, spoken), (planned, noticed, spoken)])
def test_a_history_that_cannot_be_is_not_read(history: Sequence[Fact]) -> None:
    with pytest.raises(TypeError):
        session.fold(history)


def test_nobody_joins_a_closed_session() -> None:
    with pytest.raises(TypeError):
        session.fold([guest], a_closed_one.state)


def test_instants_are_compared_by_their_day_in_shanghai() -> None:
    """A session called for 00:30 on the fourth day in Shanghai is three days' notice, though two days and a half."""
    after_midnight = datetime(2026, 3, 4, 16, 30, tzinfo=UTC)
    a_planned_one.when(SendNotice(begins_at=after_midnight)).then(
        noticed.model_copy(update={"begins_at": after_midnight})
    )
