"""Plan: what a run will do, made of its seed and written down before it begins.

Every actor draws from a sub-seed of its own, so that one more command of one actor leaves the others' as they were.
What repeats is the plan and the workload, not the instant at which threads of different processes meet.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from random import Random

from eventlog.facts import Value

SERVICES = ("intake", "deliberation", "mediation", "reporting")
WRITERS = SERVICES[:3]
SERVERS = ("postgres", "kafka", "http")
COUNTIES = ("620724", "620722")
BEGIN, END = 0.06, 0.85  # the part of the workload over which faults are spread, so that each meets a client
SHORT, LONG = 0.8, 6.0  # seconds that a fault lasts


class Kind(StrEnum):
    """What is done to a target."""

    KILL = "kill"  # SIGKILL, and the supervisor starts it again
    KILL_BACKEND = "kill-backend"  # SIGKILL of one PostgreSQL backend: the server throws all others out
    STOP_BACKEND = (
        "stop-backend"  # SIGSTOP of one in the midst of an append: its facts have positions, nobody sees them
    )
    STOP = "stop"  # SIGSTOP, later SIGCONT: it believes that no time has passed
    REFUSE = "refuse"  # connections are cut and new ones refused
    RESET = "reset"  # connections are cut by RST
    BLACK_HOLE = "black-hole"  # nothing goes through, either way
    ONE_WAY = "one-way"  # requests arrive, answers do not
    LATENCY = "latency"
    CUT_AFTER = "cut-after"  # in the middle of an answer
    CUT_REPLY = "cut-reply"  # between request and reply
    POISON = "poison"  # some facts cannot be folded for a while; needs a planted service


class Fault(Value):
    """``after``: how many commands are answered before it begins. ``target``: a process, or ``service-server``."""

    n: int
    after: int
    kind: Kind
    target: str
    seconds: float
    bytes: int = 0


class Journey(Value):
    """What one actor does next: a kind of journey, and every choice in it."""

    kind: str
    choices: dict[str, int]


class ActorPlan(Value):
    """Who does what, in order, at which village."""

    name: str
    village: str
    journeys: tuple[Journey, ...]


class Plan(Value):
    """``days``: after how many answered commands all clocks are moved to the next day, so that things fall due.

    ``patience``: seconds for what has to follow, and for the platform to come to rest at the end.
    """

    seed: int
    commands: int
    actors: tuple[ActorPlan, ...]
    faults: tuple[Fault, ...]
    days: tuple[int, ...]
    patience: float

    def write(self, file: Path) -> None:
        file.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> "Plan":
        return cls.model_validate_json(file.read_bytes())


PROCESSES = {"service": SERVICES, "postgres": ("postgres",), "kafka": ("kafka",)}
LINKS = {f"{server}-link": tuple(f"{service}-{server}" for service in SERVICES) for server in SERVERS}
TARGETS = PROCESSES | LINKS

DECK: tuple[tuple[Kind, str], ...] = (
    (Kind.KILL, "service"),
    (Kind.CUT_REPLY, "http-link"),
    (Kind.KILL, "postgres"),
    (Kind.STOP, "service"),
    (Kind.BLACK_HOLE, "postgres-link"),
    (Kind.KILL, "kafka"),
    (Kind.ONE_WAY, "postgres-link"),
    (Kind.REFUSE, "kafka-link"),
    (Kind.STOP_BACKEND, "postgres"),
    (Kind.KILL_BACKEND, "postgres"),
    (Kind.ONE_WAY, "http-link"),
    (Kind.CUT_AFTER, "postgres-link"),
    (Kind.STOP, "kafka"),
    (Kind.KILL, "service"),
    (Kind.LATENCY, "postgres-link"),
    (Kind.STOP, "postgres"),
    (Kind.BLACK_HOLE, "kafka-link"),
    (Kind.REFUSE, "http-link"),
    (Kind.CUT_REPLY, "postgres-link"),
    (Kind.CUT_AFTER, "kafka-link"),
    (Kind.RESET, "postgres-link"),
    (Kind.KILL, "service"),
    (Kind.REFUSE, "postgres-link"),
    (Kind.LATENCY, "http-link"),
    (Kind.RESET, "kafka-link"),
    (Kind.BLACK_HOLE, "http-link"),
    (Kind.CUT_AFTER, "http-link"),
    (Kind.ONE_WAY, "kafka-link"),
    (Kind.RESET, "http-link"),
    (Kind.CUT_REPLY, "kafka-link"),
    (Kind.LATENCY, "kafka-link"),
)
"""Dealt from the top, so that a short run has the worst of each sort and a long one has all."""


Dealt = Sequence[tuple[Kind, str]]
"""Faults by kind and by sort of target, or by target."""


def deal(seed: int, faults: int) -> Dealt:
    """Take that many faults from the deck, round and round, and shuffle them."""
    dealt = [DECK[n % len(DECK)] for n in range(faults)]
    Random(f"{seed}/order").shuffle(dealt)
    return dealt


def draw(
    seed: int,
    commands: int,
    dealt: Dealt,
    *,
    actors: int = 16,
    weights: Mapping[str, int] | None = None,
    patience: float = 150,
) -> Plan:
    """Make the plan of a seed. ``weights``: how often each kind of journey is drawn, if not as usual."""
    weights = weights or {kind: weight for kind, (_, weight) in KINDS.items()}
    return Plan(
        seed=seed,
        commands=commands,
        actors=tuple(_actor(seed, n, commands // actors, weights) for n in range(actors)),
        faults=tuple(_faults(seed, commands, dealt)),
        days=(int(commands * 0.35), int(commands * 0.7)),
        patience=patience,
    )


def _faults(seed: int, commands: int, dealt: Dealt) -> list[Fault]:
    """Give every fault its moment, its target and its length; targets of a sort take turns."""
    random = Random(f"{seed}/faults")
    turns = {sort: random.sample(targets, len(targets)) for sort, targets in TARGETS.items()}
    found: list[Fault] = []
    for n, (kind, sort) in enumerate(dealt):
        turn = turns.get(sort, [sort])
        turn.append(target := turn.pop(0))
        moment = BEGIN + (END - BEGIN) * (n + random.uniform(0.1, 0.9)) / len(dealt)
        seconds = round(random.uniform(SHORT, LONG), 2)
        cut = random.randrange(1, 2_000) if kind is Kind.CUT_AFTER else 0
        fault = Fault(n=n, after=int(commands * moment), kind=kind, target=target, seconds=seconds, bytes=cut)
        found.append(fault)
    return found


KINDS: dict[str, tuple[int, int]] = {
    "said": (1, 30),
    "recorded": (1, 14),
    "repeated": (3, 10),
    "refused": (3, 6),
    "stormed": (9, 6),
    "rivalled": (4, 6),
    "settled": (11, 8),
    "handled": (10, 12),
    "mediated": (20, 4),
    "deliberated": (24, 4),
}
"""Kind of journey → how many commands it has when all goes well, and how often it is drawn."""


def _actor(seed: int, n: int, commands: int, weights: Mapping[str, int]) -> ActorPlan:
    random = Random(f"{seed}/actor/{n}")
    county = COUNTIES[n % len(COUNTIES)]
    journeys: list[Journey] = []
    planned = 0
    while planned < commands:
        [kind] = random.choices(list(weights), list(weights.values()))
        planned += KINDS[kind][0]
        choices = {choice: random.randrange(1_000) for choice in ("look", "twice", "way")}
        journeys.append(Journey(kind=kind, choices=choices))
    return ActorPlan(name=f"a{n}", village=f"{county}{101 + n // 2:03}201", journeys=tuple(journeys))
