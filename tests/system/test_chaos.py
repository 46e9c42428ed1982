"""A slice of chaos in every run of the tests: few faults, few commands, every checker. `make chaos` is the whole."""

import asyncio
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 840  # seconds on a busy machine; a quiet one needs less than three minutes


async def chaos(*words: str) -> tuple[int | None, str]:
    """Run `python -m tests.chaos`; return its exit code and all it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.chaos",
        *words,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        says, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    return process.returncode, says.decode()


@pytest.mark.timeout(PATIENCE + 60)
async def test_what_was_answered_stays_true_while_the_platform_is_taken_apart(tmp_path: Path) -> None:
    words = ("--seed", "11", "--faults", "6", "--commands", "2000", "--actors", "16", "--out", str(tmp_path))
    code, says = await chaos(*words)
    print(says)  # noqa: T201
    assert code == 0, says
