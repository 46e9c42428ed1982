"""Working: a worker that runs for a while, and a wait that ends when it halts."""

import asyncio

import asyncpg
import pytest

from bench import working as module
from bench.working import NotDone, until, working
from eventlog.connections import Connection, pool_of
from eventlog.election import Worker


class Idle(Worker):
    """Does nothing; never connects."""

    def __init__(self) -> None:
        super().__init__(pool_of("postgresql://nobody@127.0.0.1:1/none", 1), "idle")
        self.runs = False

    async def run(self) -> None:
        self.runs = True
        try:
            await asyncio.Event().wait()
        finally:
            self.runs = False

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        raise NotImplementedError


class TestWorking:
    async def test_runs_a_worker_while_the_block_does(self) -> None:
        worker = Idle()
        async with working(worker):
            await asyncio.sleep(0)
            assert worker.runs
        assert not worker.runs


class TestUntil:
    async def test_asks_until_it_is_done(self) -> None:
        answers = iter([False, False, True])

        async def done() -> bool:
            return next(answers)

        await until(done)
        assert list(answers) == []

    async def test_does_not_wait_for_a_halted_worker(self) -> None:
        worker = Idle()
        worker.halted = "CorruptHistory: a hole"
        with pytest.raises(NotDone, match="idle is halted: CorruptHistory: a hole"):
            await until(_never, worker)

    async def test_does_not_wait_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "PATIENCE", 0.01)
        with pytest.raises(NotDone, match="not done"):
            await until(_never)


async def _never() -> bool:
    return False
