"""`docs/first-day.md` is true: its commands, run one after another on a platform with the demonstration, answer so."""

import os
import re
from asyncio import create_subprocess_exec, subprocess
from pathlib import Path
from typing import NamedTuple

from deploy.local.platform import running
from deploy.local.settings import Settings
from deploy.sample import demonstration

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "first-day.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$(?:\n\n^```\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """``answer`` None: the page shows none."""

    commands: str
    answer: str | None


def steps() -> list[Step]:
    return [Step(commands, answer or None) for commands, answer in BLOCK.findall(PAGE.read_text("utf-8"))]


def pattern(answer: str) -> str:
    """What an answer looks like: ``…`` stands for anything, on a line of its own for any number of lines."""
    return "".join(
        r"(?s:.*?)" if line == "…\n" else re.escape(line).replace("…", ".*")
        for line in answer.splitlines(keepends=True)
    )


async def test_the_page(open_directory: Path) -> None:
    page = [step for step in steps() if not step.commands.startswith("make ")]
    assert len(page) > 10
    home = open_directory / "first-day"
    async with running(Settings(home=home), print) as platform:
        await demonstration.play(platform.endpoints, platform.issuer)
        script = "".join(f"{step.commands}\necho '=== end'\n" for step in page)
        shell = await create_subprocess_exec(
            "bash",
            cwd=ROOT,
            env={**os.environ, "SHANGYI_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await shell.communicate(script.encode())
    answers = said.decode().split("=== end\n")[:-1]
    assert len(answers) == len(page)
    for step, answer in zip(page, answers, strict=True):
        expected = r"\s*" if step.answer is None else pattern(step.answer) + r"(?s:.*)"
        assert re.fullmatch(expected, answer), f"{step.commands}\nanswers:\n{answer}"
