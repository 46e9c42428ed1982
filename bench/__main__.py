"""``python -m bench [--json FILE] [--only appends|commands|whole]``: measure, print a table, and keep it as JSON."""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop
from rich.console import Console

from bench import appends, commands, whole
from bench.figures import Figure, as_json, as_table
from bench.servers import database_servers
from deploy.local.settings import Settings

WIDTH = 120  # of a file, or a pipe
PARTS = ("appends", "commands", "whole")
REMARK = "Ratios are medians of rounds taken in turn. A goal is the least ratio, or the greatest value without one."


def main() -> None:
    """Measure on embedded servers in a home of our own, gone afterwards."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--only", choices=PARTS, action="append", help="leave the other parts out")
    given = parser.parse_args()
    terminal = Console()
    out = terminal if terminal.is_terminal else Console(width=WIDTH)
    home = Path(tempfile.mkdtemp(prefix="shangyi-bench-"))
    home.chmod(0o755)  # PostgreSQL does not run as root, and must pass
    try:
        figures = uvloop.run(measure(home, given.only or PARTS, out))
    finally:
        shutil.rmtree(home)
    out.print(as_table(figures))
    out.print(f"[dim]{REMARK}[/]")
    if given.json is not None:
        given.json.write_text(json.dumps(as_json(figures), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


async def measure(directory: Path, parts: Sequence[str], out: Console) -> Sequence[Figure]:
    """Run the parts one after the other; nothing else of ours runs meanwhile."""
    settings = Settings(home=directory / "home")
    figures: list[Figure] = []

    def say(sentence: str) -> None:
        out.print(f"[dim]{sentence}[/]")

    if "appends" in parts or "commands" in parts:
        async with database_servers(settings, say) as servers:
            for name, part in (("appends", appends.measure), ("commands", commands.measure)):
                if name in parts:
                    say(f"measuring {name}")
                    figures += await part(servers)
    if "whole" in parts:
        say("measuring the whole platform")
        figures += await whole.measure(settings, say)
    return figures


if __name__ == "__main__":
    main()
