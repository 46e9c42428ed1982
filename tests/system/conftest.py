"""What the system tests share: one whole platform on real servers, and a town of its own for each test that asks."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from deploy.local.platform import Platform, running
from deploy.local.settings import Settings
from deploy.sample.town import Town
from tests.system.processes import all_ready
from tests.system.towns import COUNTY, NewTown, register_county, register_town

_codes = count(801)


@pytest.fixture(scope="session")
def open_directory() -> Iterator[Path]:
    """A directory that every user may pass, as a checkout in a usual place is: as root PostgreSQL is another user."""
    path = Path(tempfile.mkdtemp(prefix="shangyi-system-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
async def platform(open_directory: Path) -> AsyncGenerator[Platform]:
    """The whole platform, without the demonstration, supervised by this very process."""
    async with running(Settings(home=open_directory / "home"), print) as platform:
        await register_county(platform)
        yield platform


@pytest.fixture
async def town(platform: Platform) -> AsyncGenerator[NewTown]:
    """Make a town, each with a code of its own, so that no test finds another's matters in its figures."""
    await all_ready(platform)
    async with AsyncExitStack() as open_:

        async def new() -> Town:
            code = f"{COUNTY}{next(_codes)}"
            town = await open_.enter_async_context(Town(platform.endpoints, platform.issuer, code, f"{code}701"))
            await register_town(town)
            return town

        yield new
