"""One town for each test; time stands still for its tokens."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.unit.web.town import Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path, time.time())


@pytest.fixture
async def clerk(town: Town) -> AsyncIterator[httpx2.AsyncClient]:
    async with town.client() as client:
        yield client
