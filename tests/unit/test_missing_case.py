"""A forgotten case does not pass: both type checkers see a match that leaves a command or a state out."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "services" / "intake" / "domain" / "submission.py"
FORGOTTEN = {
    "a command": "        case WithdrawSubmission():\n            return withdraw(command, submission)\n",
    "a state": '        case Linked():\n            raise Rejected("submission-linked")\n        case Withdrawn():',
    "a fact": (
        "        case SubmissionWithdrawn(submission_id=key):\n"
        "            return Withdrawn(submission_id=key, owner=owner_of(submission, key))\n"
    ),
}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What mypy and pyright say of copies of a real rule book, each with one case left out, and of it as it is."""
    folder = tmp_path_factory.mktemp("rules")
    shutil.copy(ROOT / "pyproject.toml", folder)
    whole = RULES.read_text(encoding="utf-8")
    (folder / "whole.py").write_text(whole, encoding="utf-8")
    for n, (what, case) in enumerate(FORGOTTEN.items()):
        assert case in whole, f"the rule book no longer has the case for {what}"
        left = "        case Withdrawn():" if what == "a state" else ""
        (folder / f"without_{n}.py").write_text(whole.replace(case, left, 1), encoding="utf-8")
    files = sorted(str(file) for file in folder.glob("*.py"))
    mypy = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *files]
    pyright = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, *files]
    said: dict[str, str] = {}
    for name, command in {"mypy": mypy, "pyright": pyright}.items():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        said[name] = done.stdout
    return said


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("n", range(len(FORGOTTEN)))
def test_a_forgotten_case_is_seen(checked: dict[str, str], checker: str, n: int) -> None:
    errors = [line for line in checked[checker].splitlines() if f"without_{n}.py" in line and "error" in line]
    assert errors, checked[checker]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_rule_book_itself_passes(checked: dict[str, str], checker: str) -> None:
    assert not [line for line in checked[checker].splitlines() if "whole.py" in line and "error" in line]
