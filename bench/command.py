"""Command: what every command of bench does: run its parts one after the other, print a table, keep it as JSON."""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import uvloop
from rich.console import Console

from bench.effort import Effort
from bench.figures import Figure, as_json, as_table
from deploy.local.platform import Say
from deploy.local.settings import Settings

WIDTH = 140  # of a file, or a pipe
REMARK = """Ratios are medians of rounds taken in turn. A goal is the least ratio, or the greatest value without one.
(lost/inverted): of the facts acknowledged while a reader followed, how many it was never shown, and how many it was
shown behind what came later."""

Part: TypeAlias = Callable[[Settings, Effort, Say], Awaitable[Sequence[Figure]]]


def run(name: str, does: str | None, parts: Mapping[str, Part], extra: Mapping[str, Part]) -> None:
    """Measure on embedded servers in a home of our own, gone afterwards. ``extra`` parts are only run where named."""
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=does)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--only", choices=[*parts, *extra], nargs="+", action="extend", help="leave other parts out")
    parser.add_argument("--quick", action="store_true", help="just see that it works: about a minute a part")
    given = parser.parse_args()
    terminal = Console()
    out = terminal if terminal.is_terminal else Console(width=WIDTH)
    asked = {part: measure for part, measure in {**parts, **extra}.items() if part in (given.only or parts)}
    home = Path(tempfile.mkdtemp(prefix="shangyi-bench-"))
    home.chmod(0o755)  # PostgreSQL does not run as root, and must pass
    figures: list[Figure] = []
    try:
        uvloop.run(_measure(home, asked, Effort(given.quick), out, figures))
    finally:  # what was measured before something went wrong is told all the same
        shutil.rmtree(home)
        out.print(as_table(figures))
        out.print(f"[dim]{REMARK}[/]")
        if given.json is not None:
            given.json.write_text(json.dumps(as_json(figures), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


async def _measure(
    directory: Path, parts: Mapping[str, Part], effort: Effort, out: Console, figures: list[Figure]
) -> None:
    """Run the parts one after the other; nothing else of ours runs meanwhile. ``figures`` gains what they find."""
    settings = Settings(home=directory / "home")

    def say(sentence: str) -> None:
        out.print(f"[dim]{sentence}[/]")

    for name, measure in parts.items():
        say(f"measuring {name}")
        began = time.perf_counter()
        figures += await measure(settings, effort, say)
        say(f"{name} took {time.perf_counter() - began:.0f} s")
