"""What an operator sees of parked streams and refused commands, and how a mended one is taken in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from deploy.cli import main, parked
from deploy.local.endpoints import Endpoints
from eventlog import election, refusals, retries
from eventlog.connections import Connection, Pool
from eventlog.consumer import Consumer
from eventlog.errors import Rejected
from eventlog.facts import Stored
from eventlog.postgres_log import PostgresLog
from eventlog.sources import OwnLog
from services.intake import admin as intake
from tests.conftest import as_application
from tests.fakes.counting import an_append
from tests.integration.eventlog.running import running, until


@dataclass
class Fragile:
    """Fails on one position until it is mended."""

    fails_on: int = 2
    name: str = "fragile"
    essential: bool = False

    async def act(self, facts: Sequence[Stored]) -> None:
        if any(fact.position == self.fails_on for fact in facts):
            raise LookupError("somebody's own words")

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        del facts, connection


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, database: str) -> None:
    """One service is all there is, and its database is the test's."""
    endpoints = Endpoints(
        pid=1,
        ports={},
        postgres_dsns={"intake": as_application(database)},
        kafka_bootstrap="",
        services={},
        issuer="",
        audience="",
        jwks="",
    )
    monkeypatch.setattr(parked, "desks", lambda: {"intake": intake})
    monkeypatch.setattr(parked, "running", lambda: endpoints)
    monkeypatch.setattr(election, "RETRY", 0.01)
    monkeypatch.setattr(retries, "LOOK", 0.01)
    monkeypatch.setenv("COLUMNS", "200")


async def shangyi(*words: str) -> Result:
    """Run a command beside what runs here."""
    return await asyncio.to_thread(CliRunner().invoke, main.app, words)


async def test_parked_streams_are_listed_shown_and_taken_in_once_mended(pool: Pool) -> None:
    log, effect = PostgresLog(pool), Fragile()
    assert (await shangyi("parked", "list")).stdout == "Nothing is parked.\n"
    async with running(Consumer("fragile", OwnLog(log), pool, [effect]).run()):
        for key in ("1", "2", "2", "1"):
            await log.append(an_append(key))
        await until(lambda: pool.fetchval("select position = 4 from eventlog.cursors"))

        listed = (await shangyi("parked", "list")).stdout.splitlines()
        assert listed[1].split()[:5] == ["intake", "fragile", "of", "log", "test-counter/2"]
        assert listed[1].split()[-6:] == ["2", "test-counter-raised", "at", "2", "LookupError", "1"]
        facts, _ = await log.after(0, 10)
        shown = (await shangyi("parked", "show", "test-counter/2")).stdout
        assert [str(fact.fact_id) in shown for fact in facts] == [False, True, True, False]
        assert "somebody" not in shown

        failed = await shangyi("parked", "retry")
        assert failed.exit_code == 1
        assert failed.stdout.splitlines() == [
            "still parked test-counter/2 in intake, fragile of log: fails on test-counter-raised: LookupError",
            "0 of 1 taken in.",
        ]
        effect.fails_on = 0
        mended = await shangyi("parked", "retry", "test-counter/2")
        assert (mended.exit_code, mended.stdout) == (0, "1 of 1 taken in.\n")
    assert (await shangyi("parked", "list")).stdout == "Nothing is parked.\n"


async def test_a_service_that_does_not_run_leaves_it_asked_for(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parked, "PATIENCE", 0.3)
    log = PostgresLog(pool)
    await log.append(an_append(facts=2))
    async with running(Consumer("fragile", OwnLog(log), pool, [Fragile()]).run()):
        await until(lambda: pool.fetchval("select position = 2 from eventlog.cursors"))
    tried = await shangyi("parked", "retry")
    assert tried.exit_code == 1
    assert "was not tried yet: does the service run?" in tried.stdout
    assert "asked for again" in (await shangyi("parked", "list")).stdout


async def test_a_stream_that_is_not_parked_is_said_so() -> None:
    for words in (("show", "issue/1"), ("retry", "issue/1")):
        told = await shangyi("parked", *words)
        assert told.exit_code == 1
        assert "is parked" in told.stdout


async def test_refused_commands_are_listed_latest_first(pool: Pool) -> None:
    assert (await shangyi("refusals")).stdout == "No command was refused.\n"
    for n, sender in enumerate(("timer", "resolve_issue"), start=1):
        await refusals.record(
            pool, "620723", sender, UUID(int=n), f"issue/{n}", "CloseIssue", Rejected("issue-closed"), None
        )
    listed = [line.split() for line in (await shangyi("refusals")).stdout.splitlines()]
    assert [(line[3], line[-1]) for line in listed[1:]] == [
        ("resolve_issue", "issue-closed"),
        ("timer", "issue-closed"),
    ]
