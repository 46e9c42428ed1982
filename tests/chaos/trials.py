"""Trials: for each planted bug a small plan in which the checkers have to find it, and a clean build has to pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import plan as plans
from tests.chaos.plan import SERVICES, WRITERS, Dealt, Kind, Plan
from tests.chaos.planting import ACTED
from tests.chaos.platform import Server

COMMANDS = 700
PATIENCE = 120.0


@dataclass(frozen=True)
class Trial:
    """``where``: the services that have the bug. ``weights``: of journeys, where the usual mix would miss the point."""

    bug: str
    says: str
    where: Sequence[str]
    dealt: Dealt
    weights: Mapping[str, int] | None = None

    def plan(self, seed: int) -> Plan:
        return plans.draw(seed, COMMANDS, self.dealt, actors=12, weights=self.weights, patience=PATIENCE)

    def server(self, *, planted: bool) -> Server:
        """How services are served in this trial. Poison is a fault of the plan: a clean service meets it as well."""
        bug = self.bug if planted else "poison" if any(kind is Kind.POISON for kind, _ in self.dealt) else None

        def serve(service: str) -> tuple[str, ...]:
            return ("tests.chaos.planted", bug) if bug and service in self.where else ("web.serve",)

        return serve

    def acted(self, logs: Path) -> bool:
        """Whether the bug did anything in this run."""
        return any(ACTED in (logs / f"{name}.log").read_text("utf-8") for name in self.where)


KILL, CUT, ONE_WAY = Kind.KILL, Kind.CUT_REPLY, Kind.ONE_WAY
TRIALS: Sequence[Trial] = (
    Trial(
        "commit-after-ack",
        "a command is answered before its transaction is committed",
        WRITERS,
        [(KILL, "intake"), (KILL, "postgres"), (KILL, "mediation"), (KILL, "intake")],
    ),
    Trial(
        "lazy-commit",
        "a commit is answered before it is on disk (synchronous_commit=off)",
        WRITERS,
        [(KILL, "postgres"), (KILL, "postgres"), (KILL, "postgres"), (KILL, "postgres")],
    ),
    Trial(
        "auto-commit",
        "a consumer's position is committed when facts are read",
        SERVICES,
        [(KILL, "reporting"), (KILL, "deliberation"), (KILL, "intake"), (KILL, "reporting")],
    ),
    Trial(
        "offset-before-rows",
        "a consumer's position is committed in a transaction before that of its rows",
        ("reporting",),
        [(KILL, "reporting"), (KILL, "reporting"), (KILL, "reporting")],
    ),
    Trial(
        "naive-cursor",
        "readers pass by positions that are not committed yet",
        SERVICES,
        [(Kind.STOP_BACKEND, "postgres"), (Kind.STOP_BACKEND, "postgres"), (Kind.STOP_BACKEND, "postgres")],
    ),
    Trial(
        "no-dedupe",
        "every try of a command is a command of its own",
        WRITERS,
        [(CUT, "intake-http"), (ONE_WAY, "deliberation-http"), (CUT, "mediation-http")],
    ),
    Trial(
        "dedupe-row-lost",
        "what a command was told is lost for one in three",
        WRITERS,
        [(CUT, "intake-http"), (ONE_WAY, "deliberation-http"), (CUT, "mediation-http")],
    ),
    Trial("second-relay", "two relays lead, unfenced, and each numbers by itself", WRITERS, []),
    Trial(
        "poison-that-skips",
        "a fact that cannot be folded is left out",
        ("reporting",),
        [(Kind.POISON, "reporting")],
    ),
    Trial(
        "timer-in-memory",
        "what falls due is kept by the process that heard of it",
        WRITERS,
        [(KILL, "mediation"), (KILL, "mediation")],
        {"said": 10, "settled": 30, "handled": 5},
    ),
)
