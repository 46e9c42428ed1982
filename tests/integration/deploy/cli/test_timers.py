"""`shangyi timers`, as an operator types it, over a service's database."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.endpoints import Endpoints
from deploy.local.home import Home
from deploy.local.settings import CHECKOUT
from eventlog.connections import Pool
from eventlog.handler import Handler
from eventlog.postgres_log import PostgresLog
from tests.conftest import as_application
from tests.fakes.counting import LIFETIME, OpenCounter, asking, counter
from vocabulary.calendar import SHANGHAI

ONE = "test-counter/1"
DUE = datetime(2099, 3, 2, 9, 30, tzinfo=SHANGHAI)


class Shell:
    """Where an operator types."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def shangyi(self, *words: str, fails: bool = False, **environment: str) -> str:
        """Run a command; return what it prints, with every run of blanks as one."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from deploy.cli.main import app; app()",
            *words,
            env={**os.environ, "SHANGYI_HOME": str(self._home), "COLUMNS": "300", **environment},
            cwd=CHECKOUT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert (process.returncode != 0) is fails, said.decode()
        return " ".join(said.decode().split())


@pytest.fixture
async def shell(tmp_path: Path, database: str) -> AsyncGenerator[Shell]:
    """A home whose three services share one database, with a counter that closes on ``DUE``."""
    home = Home(tmp_path / "home")
    dsns = {service: as_application(database) for service in ("intake", "deliberation", "mediation")}
    endpoints = Endpoints(
        pid=os.getpid(),
        ports={},
        postgres_dsns=dsns,
        kafka_bootstrap="",
        services={},
        issuer="",
        audience="",
        jwks="",
    )
    with home.locked():
        home.publish(endpoints)
        yield Shell(home.path)


@pytest.fixture
async def log(pool: Pool) -> PostgresLog:
    log = PostgresLog(pool)
    await Handler(log).send(counter, "1", OpenCounter(), asking(opens=True, occurred_at=DUE - LIFETIME))
    return log


@pytest.mark.usefixtures("log")
async def test_what_waits_is_listed_put_aside_restored_and_told_of(shell: Shell) -> None:
    waiting = "intake 620723 test-counter/1 0 CloseCounter 2099-03-02 09:30:00"
    assert waiting in await shell.shangyi("timers", "list", "--service", "intake", "--stream", ONE)
    assert "Nothing waits." in await shell.shangyi("timers", "list", "--stream", "test-counter/2")
    done = await shell.shangyi("timers", "cancel", "intake", ONE, "0", "--reason", "opened twice")
    assert done == "CloseCounter of test-counter/1, due 2099-03-02 09:30:00: put aside."
    assert "CloseCounter put aside" in await shell.shangyi("timers", "list", "--service", "intake")
    assert "cancelled 620723 test-counter/1 0 CloseCounter 2099-03-02 09:30:00 opened twice" in await shell.shangyi(
        "timers", "changes", "intake"
    )
    await shell.shangyi("timers", "restore", "intake", ONE, "0", "--reason", "it was not")
    assert waiting in await shell.shangyi("timers", "list", "--service", "intake")


async def test_one_is_moved_in_development_only(shell: Shell, log: PostgresLog) -> None:
    words = ("timers", "move", "intake", ONE, "0", "--to", "2099-03-01T08:00")
    refused = await shell.shangyi(*words, fails=True)
    assert "development only" in refused
    assert await log.next_due() == DUE
    moved = await shell.shangyi(*words, SHANGYI_DEVELOPMENT="1")
    assert "moved to 2099-03-01 08:00:00." in moved
    assert await log.next_due() == DUE - timedelta(days=1, hours=1, minutes=30)


@pytest.mark.usefixtures("log")
async def test_a_mistake_is_told_with_what_to_do(shell: Shell) -> None:
    absent = await shell.shangyi("timers", "cancel", "intake", ONE, "7", "--reason", "a mistake", fails=True)
    assert absent == "No such timer to do that to: there is none. → See `shangyi timers list --service intake`."
    assert "intake, deliberation, mediation have." in await shell.shangyi(
        "timers", "list", "--service", "reporting", fails=True
    )
