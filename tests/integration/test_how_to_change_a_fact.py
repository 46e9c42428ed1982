"""`docs/how-to-change-a-fact.md` is true: its diffs, applied to a copy of the code, pass the gate, and none is idle."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.integration.pages import ROOT, Page

PAGE = Page("how-to-change-a-fact.md")
FACT = "facts/deliberation/workstation.py"
RULES = "services/deliberation/domain/workstation.py"
ROUTE = "services/deliberation/api/workstations.py"
LOCK = "facts/lock/deliberation.json"
FOLDERS = ("eventlog", "facts", "services", "tests/contract/facts", "vocabulary", "web")

FREEZE = ("-m", "tests.contract.facts.freeze")
GATE = (
    "-c",
    "from tests.contract.facts import gate, kinds, lock\n"
    "for finding in gate.findings(lock.read(), kinds.kinds()):\n"
    "    print(finding)",
)
OLD_STREAMS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract/facts/test_histories.py")


class Ended(NamedTuple):
    status: int
    says: str


class Copy:
    """A copy of the code, released, in which the page was followed but for some files."""

    def __init__(self, house: Path, *without: str) -> None:
        self.house = PAGE.follow(house, FOLDERS, without=without)
        (house / "facts/lock/release.json").write_text('{"released": "1.0"}\n', encoding="utf-8")

    def run(self, *command: str) -> Ended:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.house,
            env={**os.environ, "PYTHONPATH": str(self.house)},  # before the code as it is
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def leave_out(self, file: str, *lines: str) -> None:
        changed = self.house / file
        text = changed.read_text("utf-8")
        for line in lines:
            assert line in text
            text = text.replace(line, "")
        changed.write_text(text, encoding="utf-8")


class TestThePage:
    def test_changes_the_fact_its_rules_its_route_and_the_lock(self) -> None:
        assert set(PAGE.diffs()) == {FACT, RULES, ROUTE, LOCK}

    def test_passes_the_gate_and_old_streams_still_fold(self, tmp_path: Path) -> None:
        copy = Copy(tmp_path)
        assert copy.run(*GATE) == Ended(0, "")
        status, says = copy.run(*OLD_STREAMS)
        assert status == 0, says

    def test_shows_what_the_freeze_writes(self, tmp_path: Path) -> None:
        shown, frozen = Copy(tmp_path / "shown"), Copy(tmp_path / "frozen", LOCK)
        assert frozen.run(*FREEZE) == Ended(0, "workstation-established v2 is new\n")
        assert (frozen.house / LOCK).read_text("utf-8") == (shown.house / LOCK).read_text("utf-8")


class TestWithout:
    """What the page says is said when one thing is left out, and what the freeze does then."""

    def test_the_number_what_stands_is_defended(self, tmp_path: Path) -> None:
        copy = Copy(tmp_path, LOCK)
        copy.leave_out(FACT, ", schema=2")
        self.is_refused(copy, "workstation-established v1: head is gone. ")

    def test_the_upcast_old_facts_would_be_lost(self, tmp_path: Path) -> None:
        copy = Copy(tmp_path, LOCK)
        copy.leave_out(FACT, '            data["heads"] = [data.pop("head")]\n', "        if schema < 2:\n")
        self.is_refused(copy, "workstation-established v1 no longer reads, ")

    def test_the_lock_the_gate_stays_shut(self, tmp_path: Path) -> None:
        self.is_told(Copy(tmp_path, LOCK), "workstation-established v2 is new. ")

    def is_refused(self, copy: Copy, begins: str) -> None:
        self.is_told(copy, begins)
        status, says = copy.run(*FREEZE)
        assert (status, says.splitlines()[-1]) == (1, "The lock was not changed.")
        assert (copy.house / LOCK).read_text("utf-8") == (ROOT / LOCK).read_text("utf-8")

    def is_told(self, copy: Copy, begins: str) -> None:
        """The sentence that begins so, word for word as the page has it."""
        [sentence] = [line for line in copy.run(*GATE).says.splitlines() if line.startswith(begins)]
        assert sentence in PAGE.text
