"""Rivals: all that bench writes to can be followed, and shows what it was given."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeAlias

import pytest

from bench import message_db
from bench.order import Order, watched
from bench.our_log import our_log
from bench.pyeventsourcing import pyeventsourcing
from bench.raw_insert import RawInsert, raw_insert
from bench.rival import Rival, write_rate
from bench.servers import Servers, database_servers
from deploy.local.settings import Settings

Opening: TypeAlias = Callable[[Servers], AbstractAsyncContextManager[Rival]]

RIVALS = [
    pytest.param(raw_insert, id="raw"),
    pytest.param(our_log, id="ours"),
    pytest.param(message_db.message_db, id="message-db", marks=pytest.mark.needs_shared),
    pytest.param(pyeventsourcing, id="eventsourcing"),
]


@pytest.fixture(scope="module")
def open_directory() -> Iterator[Path]:
    """A directory that PostgreSQL, which does not run as root, may pass."""
    path = Path(tempfile.mkdtemp(prefix="shangyi-bench-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
async def servers(open_directory: Path) -> AsyncGenerator[Servers]:
    async with database_servers(Settings(home=open_directory / "home"), lambda _: None) as servers:
        yield servers


@pytest.fixture(scope="module", params=RIVALS)
async def rival(request: pytest.FixtureRequest, servers: Servers) -> AsyncGenerator[Rival]:
    opening: Opening = request.param
    if opening is message_db.message_db and not message_db.PLACE.is_dir():
        pytest.skip("message-db's SQL, ../shared/peers/message-db, is absent")
    async with opening(servers) as rival:
        yield rival


class TestRivals:
    async def test_acknowledge_what_a_reader_is_shown_next(self, rival: Rival) -> None:
        end = await rival.end()
        written = await rival.write(2, 0.05)
        assert len(written) == 2
        assert all(written)
        shown, reached = await rival.read(end)
        assert sorted(shown) == sorted(fact for facts in written for fact in facts)
        assert (reached, await rival.read(reached)) == (await rival.end(), ([], reached))

    async def test_show_all_to_a_reader_who_follows(self, rival: Rival) -> None:
        found = await watched(rival, 4, 0.2)
        assert found == Order(found.lost if isinstance(rival, RawInsert) else 0, 0)  # what that one misses is luck

    async def test_are_written_to_at_some_rate(self, rival: Rival) -> None:
        assert await write_rate(rival, 2, 0.05) > 0
