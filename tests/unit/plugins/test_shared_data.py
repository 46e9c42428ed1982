"""A run that requires the real input is red without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.needs_shared
def test_that_skips_itself():
    pytest.skip("no such file")

def test_that_needs_it(shared_data):
    pass
"""


@pytest.mark.parametrize(("required", "verdict"), [("0", "2 skipped"), ("1", "1 failed, 1 error")])
def test_a_skipped_test_fails_where_the_real_input_is_required(tmp_path: Path, required: str, verdict: str) -> None:
    # a copy of the plugin that stands elsewhere, and so finds nothing beside the repository
    plugin = Path(__file__).parents[2] / "plugins" / "shared_data.py"
    (tmp_path / "apart.py").write_text(plugin.read_text("utf-8").replace("parents[3]", "parent"), "utf-8")
    (tmp_path / "test_real.py").write_text(TESTS, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    needs_shared: real input\n", "utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "apart",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
            str(tmp_path),
        ],
        cwd=tmp_path,
        env={**os.environ, "SHANGYI_REQUIRE_SHARED": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert verdict in done.stdout, done.stdout + done.stderr
