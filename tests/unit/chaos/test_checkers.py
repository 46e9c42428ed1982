"""Checkers find one thing wrong in a world that is right otherwise, and find nothing in one that is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from eventlog.facts import Fact, Stored, StreamId
from eventlog.sealed import PublicText
from facts.deliberation.commitment import CommitmentDeadlineMissed, CommitmentOpened
from facts.intake.issue import Classification, IssueClassified, IssueDetails, IssueRegistered
from facts.intake.submission import SubmissionLinked
from tests.chaos.checkers import id_of, judge
from tests.chaos.dump import Accepted, Dump, Entry, Service, Stream, Timer, entry_of
from tests.chaos.history import Command, Event, Failed, Invoked, Looked, Ok, Reused, Stuck, Unsure, gathered
from tests.chaos.plan import WRITERS
from tests.unit.sealed_samples import a_public_text
from vocabulary.kinds import Category

TENANT = "620724"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = AT + timedelta(days=1)
ISSUE, SUBMISSION, PROMISE = (uuid5(NAMESPACE_URL, name) for name in ("issue", "submission", "promise"))
TEXT: PublicText = a_public_text("路灯")
REGISTERED = IssueRegistered(
    issue_id=ISSUE, details=IssueDetails(category=Category.LIVELIHOOD, headline=TEXT), submissions=(SUBMISSION,)
)
CLASSIFIED = IssueClassified(issue_id=ISSUE, classification=Classification(category=Category.LIVELIHOOD, key=True))
LINKED = SubmissionLinked(submission_id=SUBMISSION, issue_id=ISSUE)
OPENED = CommitmentOpened(
    commitment_id=PROMISE, deliberation_id=None, issue_id=None, what=TEXT, unit=f"{TENANT}101.department.1", due=DUE
)
MISSED = CommitmentDeadlineMissed(commitment_id=PROMISE, due=DUE)


def stored(stream: str, version: int, position: int, fact: Fact, correlation: str, **more: object) -> Stored:
    plain = Stored(
        fact_id=uuid5(NAMESPACE_URL, f"{stream}/{version}/{position}"),
        tenant=TENANT,
        stream=StreamId.parse(stream),
        version=version,
        position=position,
        published=True,
        organ=f"{TENANT}101.town-government",
        matter=None,
        actor="clerk",
        occurred_at=AT,
        recorded_at=AT,
        correlation=uuid5(NAMESPACE_URL, correlation),
        causation=None,
        name=fact.fact_name,
        schema=1,
        json=fact.model_dump_json(),
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # fields of Stored


def command(key: str, route: str, service: str = "intake") -> Command:
    correlation = str(uuid5(NAMESPACE_URL, key))
    return Command(key, TENANT, "clerk", service, route, route, correlation, "{}")


def ok(key: str, version: int, position: str | None, n: int = 1) -> Ok:
    return Ok(2.0, key, n, 204, version, position, "")


REACTED = uuid5(stored(f"issue/{ISSUE}", 1, 3, REGISTERED, "k1").fact_id, "link_submissions/0")


@dataclass
class World:
    """What a client saw, and what the stores hold: an issue registered and classified, and a promise that was missed.

    What a topic and reporting hold follows from the logs, unless a test says otherwise.
    """

    events: list[Event] = field(
        default_factory=lambda: [
            command("k1", "/issues"),
            Invoked(1.0, "k1", 1),
            Unsure(1.5, "k1", 1, "TimeoutError"),
            Invoked(1.6, "k1", 2),
            ok("k1", 1, "intake-3", 2),
            command("k2", "/issues/{issue_id}/classify"),
            Invoked(2.1, "k2", 1),
            ok("k2", 2, "intake-5"),
            command("k3", "/issues/{issue_id}/close"),
            Invoked(2.2, "k3", 1),
            Failed(2.3, "k3", 1, 409, "issue-not-resolved"),
            Looked(3.0, "k1", "intake-3", 200, seen=True),
            command("k4", "/commitments", "deliberation"),
            Invoked(2.2, "k4", 1),
            ok("k4", 1, "deliberation-1"),
        ]
    )
    intake: list[Stored] = field(
        default_factory=lambda: [
            stored(f"issue/{ISSUE}", 1, 3, REGISTERED, "k1"),
            stored(f"submission/{SUBMISSION}", 1, 4, LINKED, "k1", causation=UUID(int=1)),
            stored(f"issue/{ISSUE}", 2, 5, CLASSIFIED, "k2"),
        ]
    )
    deliberation: list[Stored] = field(
        default_factory=lambda: [
            stored(f"commitment/{PROMISE}", 1, 1, OPENED, "k4"),
            stored(
                f"commitment/{PROMISE}",
                2,
                2,
                MISSED,
                "timer",
                actor="timer",
                occurred_at=DUE,
                recorded_at=DUE + timedelta(seconds=1),
            ),
        ]
    )
    commands: list[str] = field(default_factory=lambda: ["k1", "k2", "k4"])
    reacted: list[UUID] = field(default_factory=lambda: [REACTED])
    timers: list[Timer] = field(default_factory=list[Timer])
    topic: Callable[[list[Entry]], list[Entry]] = lambda entries: entries
    kept: Callable[[list[Entry]], list[Entry]] = lambda entries: entries
    streams: Callable[[list[Stream]], list[Stream]] = lambda streams: streams
    difference: str | None = None
    now: datetime = DUE + timedelta(hours=1)

    def found(self) -> set[str]:
        """The checks that find something."""
        history = gathered(self.events)
        ids = {key: id_of(story) for key, story in history.stories.items()}

        def service(facts: Sequence[Stored], commands: Sequence[str], timers: Sequence[Timer] = ()) -> Service:
            heads = {str(fact.stream): Stream(TENANT, str(fact.stream), fact.version) for fact in facts}
            rows = [*(Accepted(TENANT, command, 1) for command in commands)]
            entries = [entry_of(fact, n) for n, fact in enumerate(facts, start=1)]
            streams = self.streams(list(heads.values()))
            return Service(facts, streams, rows, frozenset(), timers, self.now, self.topic(entries))

        intake = service(self.intake, [*(str(i) for i in self.reacted), *(ids[k] for k in self.commands if k != "k4")])
        deliberation = service(self.deliberation, [ids[k] for k in self.commands if k == "k4"], self.timers)
        services = {"intake": intake, "deliberation": deliberation, "mediation": service([], [])}
        store = {
            name: self.kept([entry_of(fact, n) for n, fact in enumerate(each.facts, start=1)])
            for name, each in services.items()
        }
        return {violation.check for violation in judge(history, Dump(services, store, self.difference))}

    def event(self, n: int, **more: object) -> None:
        self.events[n] = replace(self.events[n], **more)  # type: ignore[arg-type]  # fields of that event


def test_a_world_that_is_right_has_nothing_to_be_found() -> None:
    assert World().found() == set()


class TestAcked:
    def test_without_a_fact_is_found(self) -> None:
        world = World()
        world.events += [command("k9", "/issues"), Invoked(3.0, "k9", 1), ok("k9", 1, "intake-9")]
        assert "acked_is_kept" in world.found()

    def test_with_another_version_is_found(self) -> None:
        world = World()
        world.event(7, version=3)
        assert world.found() == {"acked_is_kept"}

    def test_with_another_position_is_found(self) -> None:
        world = World()
        world.event(7, position="intake-4")
        assert world.found() == {"acked_is_kept"}

    def test_whose_command_was_not_kept_is_found(self) -> None:
        world = World()
        world.commands.remove("k2")
        assert world.found() == {"acked_is_kept"}


class TestRefused:
    def test_with_a_fact_is_found(self) -> None:
        world = World()
        world.intake.append(stored(f"issue/{ISSUE}", 3, 6, CLASSIFIED, "k3"))
        assert world.found() == {"refused_left_nothing"}

    def test_that_was_kept_is_found(self) -> None:
        world = World()
        world.commands.append("k3")
        assert world.found() == {"refused_left_nothing"}


class TestDecided:
    def test_never_is_found(self) -> None:
        world = World()
        world.events += [command("k9", "/issues"), Invoked(3.0, "k9", 1), Unsure(3.1, "k9", 1, "TimeoutError")]
        assert world.found() == {"all_were_decided"}

    def test_both_ways_is_found(self) -> None:
        world = World()
        world.events += [Invoked(3.0, "k2", 2), Failed(3.1, "k2", 2, 409, "issue-past-screening")]
        assert world.found() == {"all_were_decided"}


class TestOneEffect:
    def test_twice_is_found(self) -> None:
        world = World()
        world.intake.append(stored(f"issue/{ISSUE}", 3, 6, CLASSIFIED, "k2"))
        assert "one_effect_a_key" in world.found()

    def test_in_two_streams_is_found(self) -> None:
        world = World()
        world.intake.append(stored(f"issue/{SUBMISSION}", 1, 6, CLASSIFIED, "k2"))
        assert "one_effect_a_key" in world.found()

    def test_with_two_answers_is_found(self) -> None:
        world = World()
        world.events += [Invoked(3.0, "k2", 2), replace(ok("k2", 2, "intake-5", 2), body="another")]
        assert world.found() == {"one_effect_a_key"}

    def test_that_nobody_asked_for_is_found(self) -> None:
        world = World()
        world.intake.append(stored(f"issue/{ISSUE}", 3, 6, CLASSIFIED, "whoever"))
        assert world.found() == {"every_fact_was_asked_for"}


class TestVersions:
    def test_with_a_gap_are_found(self) -> None:
        world = World()
        world.intake[2] = replace(world.intake[2], version=3)
        world.event(7, version=3)
        assert world.found() == {"versions_have_no_gaps"}

    def test_missing_at_the_end_are_found(self) -> None:
        world = World(streams=lambda streams: [replace(stream, version=stream.version + 1) for stream in streams])
        assert world.found() == {"versions_have_no_gaps"}


Wrong = Callable[[list[Entry]], list[Entry]]
WRONG_TOPICS: dict[str, Wrong] = {
    "lacks one": lambda entries: entries[:-1],
    "has more": lambda entries: [*entries, *(replace(e, fact_id=f"{e.fact_id}*", pseq=e.pseq + 9) for e in entries)],
    "another order": lambda entries: entries[::-1] if len(entries) > 2 else entries,
    "another body": lambda entries: [replace(entry, digest="another") for entry in entries],
    "a hole": lambda entries: [replace(entry, pseq=entry.pseq + 1) for entry in entries],
    "two bodies": lambda entries: [*entries, *(replace(entry, digest="another") for entry in entries)],
    "two numbers": lambda entries: [*entries, *(replace(entry, pseq=entry.pseq + 9) for entry in entries)],
}
WRONG_STORES: dict[str, Wrong] = {
    "lacks one": lambda entries: entries[:-1],
    "has each twice": lambda entries: [*entries, *entries],
    "another body": lambda entries: [replace(entry, digest="another") for entry in entries],
}


class TestTopic:
    @pytest.mark.parametrize("wrong", WRONG_TOPICS.values(), ids=WRONG_TOPICS)
    def test_that_is_not_the_log_is_found(self, wrong: Wrong) -> None:
        assert World(topic=wrong).found() == {"topic_is_the_log"}

    def test_may_repeat_itself(self) -> None:
        assert World(topic=lambda entries: [*entries, *entries]).found() == set()


class TestReporting:
    @pytest.mark.parametrize("wrong", WRONG_STORES.values(), ids=WRONG_STORES)
    def test_that_kept_something_else_is_found(self, wrong: Wrong) -> None:
        assert World(kept=wrong).found() == {"fact_store_is_the_topic"}

    def test_whose_row_is_no_fold_is_found(self) -> None:
        assert World(difference="issues x of y is not what its facts say").found() == {"read_models_are_folds"}


class TestReactions:
    def test_that_were_not_sent_are_found(self) -> None:
        assert World(reacted=[]).found() == {"reactions_were_sent"}


class TestTimers:
    def test_that_never_fired_are_found(self) -> None:
        world = World(timers=[Timer(TENANT, f"commitment/{PROMISE}", DUE.isoformat(), "MissDeadline")])
        world.deliberation.pop()
        assert world.found() == {"timers_fired_once"}

    def test_that_were_forgotten_before_they_were_due_are_found(self) -> None:
        world = World(now=AT)
        world.deliberation.pop()
        assert world.found() == {"timers_fired_once"}

    def test_that_stand_until_they_are_due_are_fine(self) -> None:
        timer = Timer(TENANT, f"commitment/{PROMISE}", DUE.isoformat(), "MissDeadline")
        world = World(now=AT, timers=[timer])
        world.deliberation.pop()
        assert world.found() == set()

    def test_that_fired_early_are_found(self) -> None:
        world = World()
        world.deliberation[1] = replace(world.deliberation[1], recorded_at=DUE - timedelta(seconds=1))
        assert world.found() == {"timers_fired_once"}

    def test_that_fired_twice_are_found(self) -> None:
        world = World()
        again = stored(f"commitment/{PROMISE}", 3, 3, MISSED, "timer", actor="timer", occurred_at=DUE, recorded_at=DUE)
        world.deliberation.append(again)
        assert world.found() == {"timers_fired_once"}

    def test_that_nothing_wants_are_found(self) -> None:
        world = World(timers=[Timer(TENANT, f"commitment/{PROMISE}", DUE.isoformat(), "MissDeadline")])
        assert world.found() == {"timers_fired_once"}


class TestLooks:
    def test_that_missed_ones_own_row_are_found(self) -> None:
        world = World()
        world.event(11, seen=False)
        assert world.found() == {"own_writes_are_seen"}

    def test_that_were_told_to_come_again_are_fine(self) -> None:
        world = World()
        world.event(11, status=504, seen=False)
        assert world.found() == set()


def test_a_key_taken_for_other_words_is_found() -> None:
    world = World()
    world.events.append(Reused(9.0, "k2", 422, "idempotency-key-reused"))
    assert world.found() == set()
    world.events.append(Reused(9.0, "k2", 204, ""))
    assert world.found() == {"a_key_keeps_its_words"}


def test_whoever_was_stuck_is_found() -> None:
    world = World()
    world.events.append(Stuck(9.0, "a1", "journey 3"))
    assert world.found() == {"nobody_was_stuck"}


def test_of_many_findings_a_few_are_told_in_full() -> None:
    nothing = Service([], [], [], frozenset(), [], AT, [])
    services: dict[str, Service] = dict.fromkeys(WRITERS, nothing)
    history = gathered([Stuck(9.0, "a1", str(n)) for n in range(40)])
    found = judge(history, Dump(services, {name: [] for name in services}, None))
    assert [violation.says for violation in found] == [
        "a1: 0",
        "a1: 1",
        "a1: 2",
        "a1: 3",
        "a1: 4",
        "and 35 more of these",
    ]
