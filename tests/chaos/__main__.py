"""``python -m tests.chaos --seed 7 --faults 40 --commands 60000``: one run, from its plan to its verdict.

``--planted all`` (or a bug's name) shows instead that the checkers find what is planted; ``--judge DIRECTORY`` judges
a saved run again.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import uvloop

from tests.chaos import plan as plans
from tests.chaos.plan import Plan
from tests.chaos.platform import Server, as_it_is
from tests.chaos.report import Tried, table, told
from tests.chaos.run import Verdict, carried_out, judged
from tests.chaos.trials import TRIALS, Trial

PLACE = Path(__file__).parents[2] / "var" / "chaos"


def main() -> int:
    """0: everything holds. 1: something does not. 2: the run is void, for a planned fault took no effect."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--commands", type=int, default=60_000)
    parser.add_argument("--actors", type=int, default=16)
    parser.add_argument("--out", type=Path, default=PLACE, help="below it plan, history, dump and verdict are kept")
    parser.add_argument("--planted", metavar="BUG", choices=["all", *(trial.bug for trial in TRIALS)])
    parser.add_argument("--seeds", type=int, default=3, help="of each planted bug, from --seed on")
    parser.add_argument("--judge", type=Path, metavar="DIRECTORY")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    if given.judge:
        found = judged(given.judge)
        say("\n".join(f"VIOLATED {v.check}: {v.says}" for v in found) or "everything holds")
        return 1 if found else 0
    if given.planted:
        trials = [trial for trial in TRIALS if given.planted in {"all", trial.bug}]
        return try_all(trials, range(given.seed, given.seed + given.seeds), given.out)
    dealt = plans.deal(given.seed, given.faults)
    plan = plans.draw(given.seed, given.commands, dealt, actors=given.actors)
    verdict = run(plan, given.out / str(given.seed), as_it_is)
    print(told(verdict))  # noqa: T201
    return 2 if verdict.void else 1 if verdict.violations else 0


def interrupt(_: int, __: FrameType | None) -> None:
    """Told to stop, clear up first, as after Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def run(plan: Plan, directory: Path, server: Server) -> Verdict:
    """Carry out a plan in a home of its own, gone afterwards; its logs stay with the rest."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    home = Path(tempfile.mkdtemp(prefix="shangyi-chaos-"))
    home.chmod(0o755)  # PostgreSQL does not run as root, and must pass
    try:
        return uvloop.run(carried_out(plan, directory, home / "home", say, server))
    finally:
        shutil.copytree(home / "home" / "logs", directory / "logs", dirs_exist_ok=True)
        shutil.rmtree(home)


def try_all(trials: Sequence[Trial], seeds: Sequence[int], out: Path) -> int:
    """Run each trial with its bug and without it, and say which were caught. 1: not all were, or a clean one failed."""
    found: list[Tried] = []
    for trial in trials:
        for seed in seeds:
            for planted in (True, False):
                directory = out / trial.bug / f"{seed}-{'planted' if planted else 'clean'}"
                say(f"== {directory}")
                verdict = run(trial.plan(seed), directory, trial.server(planted=planted))
                if planted and not trial.acted(directory / "logs"):
                    verdict.void.append("the bug never acted")
                found.append(
                    Tried(trial.bug, seed, planted, sorted({v.check for v in verdict.violations}), verdict.void)
                )
                say(told(verdict))
                (out / "tried.json").write_text(json.dumps([asdict(each) for each in found], indent=1))
    print(table(trials, found))  # noqa: T201
    return 1 if any(each.void or each.planted is not bool(each.checks) for each in found) else 0


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
