"""Run: from a plan to its verdict, and everything that proves it in one directory."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg

from deploy.local.rest import NotAtRest, at_rest
from tests.chaos import history as histories
from tests.chaos import recovery
from tests.chaos.checkers import Violation, judge
from tests.chaos.driver import Actor, Driver, NothingCame, Refused
from tests.chaos.dump import Dump, taken
from tests.chaos.faults import Effect, Faults
from tests.chaos.journeys import JOURNEYS, Days, register
from tests.chaos.plan import COUNTIES, WRITERS, ActorPlan, Plan
from tests.chaos.platform import Rig, Server, as_it_is, running

LOOK = 0.02

Say = Callable[[str], None]


@dataclass
class Verdict:
    """What a run says. ``void``: why it proves nothing. ``rest``: seconds from the last answer to rest."""

    seed: int
    commands: int = 0
    attempts: int = 0
    unsure: dict[str, int] = field(default_factory=dict[str, int])
    looks: int = 0
    seconds: float = 0.0
    rest: float = 0.0
    effects: list[Effect] = field(default_factory=list[Effect])
    recovery: dict[str, tuple[int, float, float]] = field(default_factory=dict[str, tuple[int, float, float]])
    carried: dict[str, int] = field(default_factory=dict[str, int])
    void: list[str] = field(default_factory=list[str])
    violations: list[Violation] = field(default_factory=list[Violation])

    def write(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


async def carried_out(plan: Plan, directory: Path, home: Path, say: Say, server: Server = as_it_is) -> Verdict:
    """Write the plan to ``directory``, carry it out on a platform in ``home``, write down what came of it, judge."""
    plan.write(directory / "plan.json")
    verdict = Verdict(plan.seed)
    async with running(home, say, server) as rig:
        began = time.monotonic()
        writer = histories.Writer(directory / "history.jsonl", lambda: round(time.monotonic() - began, 4))
        try:
            patience = await _Run(plan, rig, writer, verdict, say).play()
        finally:
            writer.close()
        with suppress_not_at_rest(verdict):
            await at_rest(rig.direct, patience)
        verdict.rest = round(time.monotonic() - began - verdict.seconds, 2)
        dump = await taken(rig)
    dump.write(directory / "dump.json.gz")
    _void(verdict, rig, plan)
    history = histories.gathered(histories.read(directory / "history.jsonl"))
    _count(verdict, history)
    verdict.violations += judge(history, dump)
    verdict.violations += [
        Violation("left_in_limbo", says) for says in recovery.left_in_limbo(history, verdict.effects)
    ]
    verdict.write(directory / "verdict.json")
    return verdict


def judged(directory: Path) -> list[Violation]:
    """Judge a saved run again."""
    history = histories.gathered(histories.read(directory / "history.jsonl"))
    return judge(history, Dump.read(directory / "dump.json.gz"))


class suppress_not_at_rest(suppress):  # noqa: N801  # reads as the suppress it is
    """Goes on where the platform does not come to rest: that is a finding, and the checkers say more."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(NotAtRest)
        self._verdict = verdict

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        if isinstance(error, NotAtRest):
            self._verdict.violations.append(Violation("comes_to_rest", str(error)))
            return True
        return False


class _Run:
    def __init__(self, plan: Plan, rig: Rig, writer: histories.Writer, verdict: Verdict, say: Say) -> None:
        self._plan = plan
        self._rig = rig
        self._writer = writer
        self._verdict = verdict
        self._say = say
        self._driver = Driver(rig.urls, rig.issuer, writer, plan.patience)
        self._days = Days()
        self._over = asyncio.Event()

    async def play(self) -> float:
        """Carry the plan out; return how long it is worth waiting for rest."""
        actors = [(Actor(self._driver, each.name, each.village, self._plan.seed), each) for each in self._plan.actors]
        await self._settle([actor for actor, _ in actors])
        self._driver.answered = 0
        tasks = [asyncio.create_task(part) for part in (self._work(actors), self._ill(), self._move_clocks())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # whatever was stopped or cut off is set right
            self._driver.close()
        self._verdict.seconds = round(self._writer.clock(), 2)
        return self._driver.patience

    async def _work(self, actors: Sequence[tuple[Actor, ActorPlan]]) -> None:
        await asyncio.gather(*(self._act(actor, plan) for actor, plan in actors))
        self._over.set()

    async def _settle(self, actors: Sequence[Actor]) -> None:
        """Register counties, towns and villages before anything is wrong."""
        for county in COUNTIES:
            registrar = Actor(self._driver, f"registrar-{county}", f"{county}100200", self._plan.seed)
            body = {"division": county, "name": county, "kind": "county", "valid_from": "2024-01-01"}
            await registrar.send(registrar.registrar, "intake", "/divisions", body)
        await asyncio.gather(*(register(actor) for actor in actors))

    async def _act(self, actor: Actor, plan: ActorPlan) -> None:
        for n, journey in enumerate(plan.journeys):
            try:
                await JOURNEYS[journey.kind](actor, journey.choices, self._days)
            except (Refused, NothingCame) as error:
                actor.stuck(f"journey {n}, {journey.kind}: {error}")

    async def _ill(self) -> None:
        faults = Faults(self._rig, self._writer.clock, self._plan.seed)
        running: list[asyncio.Task[Effect]] = []
        for fault in self._plan.faults:
            await self._answered(fault.after)
            self._say(f"{self._writer.clock():7.1f} s, {self._driver.answered} commands: {fault.kind} {fault.target}")
            running.append(asyncio.create_task(faults.happen(fault)))
        self._verdict.effects = list(await asyncio.gather(*running))

    async def _move_clocks(self) -> None:
        for after in self._plan.days:
            await self._answered(after)
            self._days.ahead += 1
            for name in WRITERS:
                while not await _moved(self._rig.dsns[name], self._days.ahead):  # noqa: ASYNC110  # it is away
                    await asyncio.sleep(0.5)
            self._say(f"{self._writer.clock():7.1f} s: all clocks moved to the next day")

    async def _answered(self, n: int) -> None:
        """Wait for the ``n``-th decision, or for the last there will be."""
        while self._driver.answered < n and not self._over.is_set():  # noqa: ASYNC110  # counted by many
            await asyncio.sleep(LOOK)


async def _moved(dsn: str, days: int) -> bool:
    """Set a log's clock ahead; False while its database does not answer.

    By the same interval for all, past the services: asked to move to an instant, each would do so a little later than
    the one before, and a thing would be done in one of them before it was promised in another.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            await connection.execute("update eventlog.clock set ahead = $1::interval", timedelta(days=days))
        finally:
            connection.terminate()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def _void(verdict: Verdict, rig: Rig, plan: Plan) -> None:
    verdict.carried = {name: proxy.tally.carried for name, proxy in rig.proxies.items()}
    verdict.void = [f"nothing went through {name}" for name, carried in verdict.carried.items() if not carried]
    verdict.void += [
        f"fault {e.n}, {e.kind} of {e.target}, took no effect: {e.says}" for e in verdict.effects if not e.met
    ]
    if len(verdict.effects) < len(plan.faults):
        verdict.void.append(f"{len(plan.faults) - len(verdict.effects)} planned faults did not happen")


def _count(verdict: Verdict, history: histories.History) -> None:
    stories = history.stories.values()
    verdict.commands = sum(1 for story in stories if story.answered is not None)
    verdict.attempts = sum(len(story.invoked) for story in stories)
    verdict.unsure = dict(Counter(attempt.why for story in stories for attempt in story.unsure).most_common())
    verdict.looks = len(history.looks)
    verdict.recovery = recovery.times(history, verdict.effects)
