"""The log that a year is lived on: its clock stands where it is put, and its timers come one after the other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from eventlog.facts import NewFact, StreamId
from eventlog.log import Append, Expect, NewTimer
from facts.deliberation.workstation import WorkstationClosed
from tests.rehearsal.planned_log import Clock, PlannedLog

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def item(key: str, timers: Sequence[datetime] = (), facts: int = 1) -> Append:
    fact = WorkstationClosed(division="620724100", reason="撤并")
    return Append(
        tenant="620724",
        stream=StreamId("workstation", key),
        expected=Expect.ANY,
        published=True,
        organ="620724100.member-workstation",
        matter=None,
        actor="somebody",
        occurred_at=START,
        command_id=uuid4(),
        digest=b"",
        correlation=uuid4(),
        causation=None,
        answer={},
        facts=[NewFact.of(uuid4(), fact) for _ in range(facts)],
        timers=[NewTimer(at, "{}") for at in timers],
    )


class TestPlannedLog:
    async def test_records_by_a_clock_that_only_goes_forward(self) -> None:
        clock = Clock()
        log = PlannedLog(clock)
        clock.go_to(START)
        clock.go_to(START - HOUR)
        await log.append(item("1"))
        assert [fact.recorded_at for fact in log.facts()] == [START]

    async def test_finds_a_stream(self) -> None:
        log = PlannedLog(Clock())
        for key in ("1", "2", "1"):
            await log.append(item(key, facts=2))
        found = [fact.version for fact in await log.stream("620724", StreamId("workstation", "1"), 1, 2)]
        assert found == [2, 3]
        assert await log.stream("620725", StreamId("workstation", "1")) == []

    async def test_has_timers_fall_due_one_after_the_other(self) -> None:
        clock = Clock()
        log = PlannedLog(clock)
        await log.append(item("1", [START + HOUR]))
        await log.append(item("2", [START]))
        assert log.falls_due(START - HOUR) is None
        assert log.falls_due(START + HOUR) == START
        assert await log.due(10) == []
        clock.go_to(START)
        assert [timer.stream.key for timer in await log.due(10)] == ["2"]
        await log.append(item("2"))  # it is called off
        assert log.falls_due(START) is None
        assert log.falls_due(START + HOUR) == START + HOUR
