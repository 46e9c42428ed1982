"""The real input that stands beside this repository, for the tests that ask for it.

Where it is absent these tests are skipped and say so; with SHANGYI_REQUIRE_SHARED=1 they fail instead, so that nobody
takes a run without real input for a proof.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

PLACE = Path(__file__).parents[3] / "shared" / "data"
REQUIRED = "SHANGYI_REQUIRE_SHARED"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The directory of the real input."""
    if PLACE.is_dir():
        return PLACE
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"the real input is required, and ../shared/data is absent ({REQUIRED}=1)")
    pytest.skip("the real input, ../shared/data, is absent")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn every skip of a test marked ``needs_shared`` into a failure where the real input is required."""
    report = yield
    required = os.environ.get(REQUIRED) == "1" and item.get_closest_marker("needs_shared") is not None
    if required and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though the real input is required ({REQUIRED}=1): {report.longrepr}"
    return report
