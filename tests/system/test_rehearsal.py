"""Three small years lived side by side over HTTP and Kafka: every figure is what was counted before."""

from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path

import pytest

from deploy.local.platform import Platform, running
from deploy.local.settings import Settings
from tests.rehearsal.rehearsal import LIVE_MATTERS, lived_live
from tests.rehearsal.writer import write
from vocabulary.calendar import SHANGHAI


@pytest.fixture
async def own_platform(open_directory: Path) -> AsyncGenerator[Platform]:
    """A platform of its own: nobody else's clock is moved."""
    async with running(Settings(home=open_directory / "rehearsal"), print) as platform:
        yield platform


async def test_every_figure_of_three_years_is_what_was_counted(own_platform: Platform) -> None:
    following = datetime.now(SHANGHAI).year + 1
    years = [write(seed, following, LIVE_MATTERS, sparse=True) for seed in (1, 2, 3)]
    assert await lived_live(years, own_platform) == []
