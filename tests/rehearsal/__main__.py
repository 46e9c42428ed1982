"""``python -m tests.rehearsal --first 1 --seeds 200``: lives years, up to the first that is told wrong.

``--live``: through HTTP and Kafka, on a platform of its own, instead of in memory.
"""

import argparse
import sys
from collections.abc import Sequence

import uvloop

from tests.rehearsal.rehearsal import in_memory, on_a_platform


def main(given: Sequence[str] | None = None) -> int:
    """0: every figure of every year is what was counted. 1: one is not, and it is printed which."""
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal", description=__doc__)
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    parser.add_argument("--seeds", type=int, metavar="N", help="200; with --live 3")
    parser.add_argument("--live", action="store_true")
    asked = parser.parse_args(given)
    seeds = range(asked.first, asked.first + (asked.seeds or (3 if asked.live else 200)))
    wrong = uvloop.run(on_a_platform(seeds, say) if asked.live else in_memory(seeds, say))
    print("\n".join(wrong) or f"{len(seeds)} years, and every figure is what was counted")  # noqa: T201
    return 1 if wrong else 0


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
