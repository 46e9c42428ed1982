"""What the tests of the local platform share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home for everything but PostgreSQL as root: pytest's directories are closed to other users."""
    return Home(tmp_path / "home")


@pytest.fixture(scope="module")
def open_directory() -> Iterator[Path]:
    """A directory that every user may pass, as a checkout in a usual place is."""
    path = Path(tempfile.mkdtemp(prefix="shangyi-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
