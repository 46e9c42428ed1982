"""Work records: each kind is recorded once, and withdrawn when that was an error."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from eventlog.decider import Context
from eventlog.testing import Scenario
from facts.deliberation.work_record import (
    DocumentIssued,
    Lead,
    LeadershipMeetingHeld,
    LearningSessionHeld,
    MeetingKind,
    PublicityRecorded,
    WorkRecordWithdrawn,
)
from services.deliberation.domain.work_record import (
    Command,
    Fact,
    IssueDocument,
    RecordLearning,
    RecordMeeting,
    RecordPublicity,
    State,
    WithdrawRecord,
    known,
    title_of,
    work_record,
)

KEY, WANG, LI = UUID(int=1), UUID(int=2), UUID(int=3)
nothing: Scenario[Command, State, Fact, Context] = Scenario(work_record)

KINDS: Mapping[str, tuple[Command, Fact]] = {
    "meeting": (
        RecordMeeting(record_id=KEY, kind=MeetingKind.PARTY_COMMITTEE, topic="协商工作", attendees=9),
        LeadershipMeetingHeld(record_id=KEY, kind=MeetingKind.PARTY_COMMITTEE, topic="协商工作", attendees=9),
    ),
    "document": (
        IssueDocument(number=7, year=2026, title="协商工作", enacts="实施方案"),
        DocumentIssued(number=7, year=2026, title="协商工作", enacts="实施方案"),
    ),
    "learning": (
        RecordLearning(record_id=KEY, topic="协商工作", members=(WANG, LI)),
        LearningSessionHeld(record_id=KEY, topic="协商工作", members=(WANG, LI)),
    ),
    "publicity": (
        RecordPublicity(record_id=KEY, lead=Lead.CADRES, channel="公众号", title="协商工作"),
        PublicityRecorded(record_id=KEY, lead=Lead.CADRES, channel="公众号", title="协商工作"),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_recorded_once(kind: str) -> None:
    command, fact = KINDS[kind]
    nothing.when(command).then(fact)
    for again, _ in KINDS.values():
        nothing.given(fact).when(again).then_rejected("work-record-exists")


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_a_title(kind: str) -> None:
    assert title_of(known(nothing.given(KINDS[kind][1]).state)) == "协商工作"


def test_nobody_learns_twice_at_once() -> None:
    nothing.when(RecordLearning(record_id=KEY, topic="协商工作", members=(WANG, WANG))).then_rejected("attended-twice")


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_withdrawn_once_and_its_number_stays_given(kind: str) -> None:
    command, fact = KINDS[kind]
    error = WithdrawRecord(reason="重复登记")
    withdrawn = WorkRecordWithdrawn(reason="重复登记")
    nothing.given(fact).when(error).then(withdrawn)
    nothing.given(fact, withdrawn).when(error).then_rejected("work-record-withdrawn")
    nothing.given(fact, withdrawn).when(command).then_rejected("work-record-exists")
    nothing.when(error).then_rejected("work-record-absent")
