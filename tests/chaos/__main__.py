"""``python -m tests.chaos --seed 7 --faults 40 --commands 60000``: one run, from its plan to its verdict."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.chaos import plan as plans
from tests.chaos.report import told
from tests.chaos.run import carried_out

PLACE = Path(__file__).parents[2] / "var" / "chaos"


def main() -> int:
    """0: everything holds. 1: something does not. 2: the run is void, for a planned fault took no effect."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--commands", type=int, default=60_000)
    parser.add_argument("--actors", type=int, default=16)
    parser.add_argument("--out", type=Path, help="where plan, history, dump and verdict are kept")
    given = parser.parse_args()
    directory = given.out or PLACE / str(given.seed)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    plan = plans.draw(given.seed, given.commands, given.faults, given.actors)
    home = Path(tempfile.mkdtemp(prefix="shangyi-chaos-"))
    home.chmod(0o755)  # PostgreSQL does not run as root, and must pass
    try:
        verdict = uvloop.run(carried_out(plan, directory, home / "home", say))
        print(told(verdict))  # noqa: T201
    finally:
        shutil.copytree(home / "home" / "logs", directory / "logs", dirs_exist_ok=True)
        shutil.rmtree(home)
    return 2 if verdict.void else 1 if verdict.violations else 0


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
