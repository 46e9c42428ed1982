"""Two writers and a reader in every order: the real ones never go wrong, and with each bug planted some order does."""

from collections.abc import Sequence

import pytest

from eventlog.facts import Stored
from eventlog.postgres_log import COLUMNS, read_after, stored
from tests.fakes.counting import an_append
from tests.integration.eventlog import planted
from tests.integration.eventlog.orders import AS_IT_SHOULD_BE, READER, WHATEVER_IT_DOES, WRITER, Play, Step, plays
from tests.integration.eventlog.postgresql import Connection, connected
from tests.integration.eventlog.stage import Actor, Gate, ReadAfter, Stage, a_stage, put_up_gates

FACTS = 2


class Company:
    """Plays on one stage, with new streams in each play."""

    def __init__(self, stage: Stage, owner: Connection) -> None:
        self._stage = stage
        self._owner = owner
        self._blocked: set[tuple[bool, tuple[Step, ...]]] = set()
        self._plays = 0
        self.played = 0

    async def faults(self, play: Play) -> Sequence[str]:
        """Play, and say what went wrong."""
        if any((play.same, play.order[:n]) in self._blocked for n in range(1, len(play.order) + 1)):
            return ()
        self._plays += 1
        reader = self._stage.reader
        await reader.look()
        reader.seen.clear()
        await self._stage.close_gates(play.in_vain)
        for n, step in enumerate(play.order):
            if not await self._take(step, play):
                # It waits for the other: no such order. They go on as they like, and that must go well, too.
                self._blocked.add((play.same, play.order[: n + 1]))
                break
        else:
            self.played += 1
        await self._stage.open_gates()
        await reader.look()
        return await self._judge(play)

    async def _take(self, step: Step, play: Play) -> bool:
        if step.gate is not Gate.START:
            return await self._stage.step(step.actor, step.gate)
        if step.actor is Actor.READER:
            return await self._stage.begin(step.actor, self._stage.reader.look())
        stream = self._stream(step.actor, play)
        writing = self._stage.writers[step.actor - 1].append(an_append(stream, facts=FACTS))
        return await self._stage.begin(step.actor, writing)

    def _stream(self, actor: Actor, play: Play) -> str:
        return f"{self._plays}" if play.same else f"{self._plays}-{actor.name}"

    async def _judge(self, play: Play) -> Sequence[str]:
        streams = [f"test-counter/{self._stream(actor, play)}" for actor in (Actor.ONE, Actor.TWO)]
        rows = await self._owner.fetch(
            f"select {COLUMNS} from eventlog.facts where stream = any($1) order by position",  # noqa: S608  # constant
            streams,
        )
        kept, seen = [stored(row) for row in rows], self._stage.reader.seen
        found: list[str] = []
        if len(kept) != FACTS * (2 if play.in_vain is None else 1):
            found.append("what was answered is not what is kept")
        if missed := len(kept) - len({fact.position for fact in seen}):
            found.append(f"missed {missed}")
        if len(seen) != len({fact.position for fact in seen}):
            found.append("seen twice")
        if [fact.position for fact in seen] != sorted(fact.position for fact in seen):
            found.append("out of order")
        for stream in set(streams):
            for facts in (kept, seen):
                versions = [fact.version for fact in facts if str(fact.stream) == stream]
                if versions != list(range(1, len(versions) + 1)):
                    found.append("a stream out of order")
        if self._late_overtaken(play, kept):
            found.append("began later, stands earlier")
        return found

    def _late_overtaken(self, play: Play, kept: Sequence[Stored]) -> bool:
        """Whether an append that began after another's answer was given got the smaller positions."""
        if play.same or play.in_vain is not None:
            return False
        began, ended = Gate.START, Gate.END
        for one, two in ((Actor.ONE, Actor.TWO), (Actor.TWO, Actor.ONE)):
            if play.order.index(Step(one, ended)) < play.order.index(Step(two, began)):
                first = [f.position for f in kept if f.stream.key == self._stream(one, play)]
                second = [f.position for f in kept if f.stream.key == self._stream(two, play)]
                return max(first) > min(second)
        return False


async def nothing(_: Connection) -> None:
    return


@pytest.mark.parametrize(
    ("plant", "read"),
    [
        (planted.fence_behind_the_positions, read_after),
        (planted.fence_let_go_before_the_commit, read_after),
        (planted.fence_one_too_high, read_after),
        (planted.positions_drawn_in_advance, read_after),
        (planted.no_look_at_the_locks, read_after),
        (planted.locks_before_the_sequence, read_after),
        (nothing, planted.rows_in_the_same_statement),
        (nothing, planted.rows_in_an_older_snapshot),
    ],
    ids=lambda bug: bug.__name__,
)
async def test_a_planted_bug_loses_facts_in_some_order(database: str, plant: planted.Plant, read: ReadAfter) -> None:
    async with connected(database) as owner:
        await put_up_gates(owner)
        await plant(owner)
        async with a_stage(database, read) as stage:
            company = Company(stage, owner)
            for play in plays(WHATEVER_IT_DOES):
                if any(fault.startswith("missed") for fault in await company.faults(play)):
                    return
    pytest.fail(f"not caught in {company.played} orders")


async def test_no_order_of_steps_loses_doubles_or_turns_anything_around(database: str) -> None:
    async with connected(database) as owner:
        await put_up_gates(owner)
        async with a_stage(database) as stage:
            company = Company(stage, owner)
            wrong = {play: found for play in plays(AS_IT_SHOULD_BE) if (found := await company.faults(play))}
    assert wrong == {}
    assert company.played > 500


@pytest.mark.parametrize(
    ("plant", "faults"),
    [(nothing, []), (planted.fence_unlike_zero_at_first, ["missed 1", "a stream out of order"])],
    ids=["real", "planted"],
)
async def test_the_first_positions_of_a_log_may_come_late(
    database: str, plant: planted.Plant, faults: Sequence[str]
) -> None:
    """As long as a sequence was never called, its last value may be told as one too high."""
    late = [Step(Actor.ONE, gate) for gate in WRITER]
    meanwhile = [Step(Actor.TWO, gate) for gate in WRITER] + [Step(Actor.READER, gate) for gate in READER]
    async with connected(database) as owner:
        await put_up_gates(owner)
        await plant(owner)
        async with a_stage(database) as stage:
            company = Company(stage, owner)
            play = Play((*late[:-1], *meanwhile, late[-1]), same=False, in_vain=None)
            assert await company.faults(play) == faults
    assert company.played == 1
