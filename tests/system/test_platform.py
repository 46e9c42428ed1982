"""The platform as an operator meets it: through `shangyi`, in a state directory of its own, beside another one."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest

from bench.memory import megabytes
from deploy.local.endpoints import Endpoints
from deploy.local.home import Home
from deploy.local.issuer import Issuer
from deploy.local.person import Person
from deploy.local.platform import Platform
from deploy.local.rest import at_rest
from eventlog.errors import Unavailable
from eventlog.kafka import AioKafka
from services.reporting import admin as reporting
from tests.system.copies import agree, fetch
from tests.system.processes import CHILDREN, kill, pid_of, until

PROGRAM = Path(sys.executable).with_name("shangyi")
TOWN = "620724103"  # the town that `up` reports of
MEMORY = 1600  # MB resident of all processes, what they share counted once: the promise
MARGIN = 0.9
STOP = 10.0  # seconds: the promise
THIS_YEAR = datetime.now(UTC).year
FIRST, LAST = f"{THIS_YEAR}-01-01", f"{THIS_YEAR}-12-31"
CHANGE_CHANNEL = "update submissions set channel = $2 where submission_id = $1"
LAMP = {"organ": f"{TOWN}.town-government", "channel": "hotline", "words": "村口路灯坏了。"}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int | None
    says: str


class Operator:
    """Somebody at a terminal, with SHANGYI_HOME set."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.up: asyncio.subprocess.Process | None = None

    async def runs(self, *words: str, patience: float = 60) -> Ended:
        """Run a command to its end."""
        process = await self._start(*words)
        try:
            says, _ = await asyncio.wait_for(process.communicate(), patience)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ended(process.returncode, says.decode())

    async def starts(self) -> Endpoints:
        """`shangyi up --bare`, up to where it stays."""
        self.up = await self._start("up", "--bare")

        async def there() -> bool:
            assert self.up is not None
            assert self.up.returncode is None, "it ended"
            return self.home.endpoints() is not None

        await until(there, 120)
        return self.endpoints

    @property
    def endpoints(self) -> Endpoints:
        endpoints = self.home.endpoints()
        assert endpoints is not None
        return endpoints

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            PROGRAM,
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "SHANGYI_HOME": str(self.home.path), "COLUMNS": "200"},
        )


@pytest.fixture(scope="module")
async def operator(open_directory: Path, platform: Platform) -> AsyncGenerator[Operator]:
    """Somebody whose platform runs beside the one that was there before."""
    assert platform.home.holder() == os.getpid()
    operator = Operator(Home(open_directory / "second"))
    try:
        await operator.starts()
        yield operator
    finally:
        if operator.up is not None and operator.up.returncode is None:
            operator.up.send_signal(signal.SIGTERM)
            await operator.up.wait()


class TestPlatform:
    async def test_two_run_side_by_side(self, platform: Platform, operator: Operator) -> None:
        first, second = platform.endpoints, operator.endpoints
        assert not {*first.ports.values()} & {*second.ports.values()}
        await asyncio.gather(at_rest(first.services), at_rest(second.services))
        again = await operator.runs("up", "--once", "--bare")
        assert again.code == 1
        assert "already running" in again.says

    async def test_it_fits_into_the_memory_promised(self, operator: Operator) -> None:
        assert operator.up is not None
        await at_rest(operator.endpoints.services)
        whole = psutil.Process(operator.up.pid)
        used = {p.pid: (p.name(), megabytes(p)) for p in (whole, *whole.children(recursive=True))}
        total = sum(size for _, size in used.values())
        print(f"resident: {total:.0f} MB in {len(used)} processes")  # noqa: T201
        names = {pid_of(operator.home, child): child for child in CHILDREN}
        for pid, (name, size) in used.items():
            print(f"  {names.get(pid, name)}: {size:.0f} MB")  # noqa: T201
        assert total <= MARGIN * MEMORY

    async def test_status_says_that_all_is_well_and_nothing_left(self, operator: Operator) -> None:
        await at_rest(operator.endpoints.services)
        status = await operator.runs("status")
        assert status.code == 0, status.says
        lines = {line.split()[0]: line.split()[1:] for line in status.says.splitlines() if line.strip()}
        assert "● 商议 all is well, nothing is left to do" in status.says
        for service in operator.endpoints.services:
            assert set(lines[service][1:]) == {"even", "–"}

    async def test_verify_finds_all_the_same_and_names_what_is_not(self, operator: Operator) -> None:
        await send_one(operator)
        await at_rest(operator.endpoints.services)
        well = await operator.runs("verify")
        assert (well.code, "The same throughout" in well.says) == (0, True), well.says
        reporting = operator.endpoints.postgres_dsns["reporting"]
        (row,) = await fetch(reporting, "select min(submission_id) as id from submissions where channel = 'hotline'")
        await fetch(reporting, CHANGE_CHANNEL, row["id"], "grid")
        changed = await operator.runs("verify")
        await fetch(reporting, CHANGE_CHANNEL, row["id"], "hotline")
        difference = f"reporting: submissions {row['id']} of {TOWN[:6]} is not what its facts say"
        assert (changed.code, difference in changed.says) == (1, True), changed.says

    async def test_a_token_opens_and_what_was_sent_is_in_the_report(self, operator: Operator) -> None:
        before = await collected(operator)
        token = await operator.runs("token", "--as", "town-officer", "--at", TOWN)
        assert token.code == 0
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            answer = await client.post(
                operator.endpoints.services["intake"] + "/submissions",
                headers={"Authorization": f"Bearer {token.says.strip()}", "Idempotency-Key": "a-key"},
                json=LAMP,
            )
        assert answer.status_code == 201, answer.text
        await at_rest(operator.endpoints.services)
        told = await operator.runs("report", "--division", TOWN, "--from", FIRST, "--to", LAST, "--format", "json")
        assert told.code == 0, told.says
        figures = {figure["slug"]: figure["value"] for figure in json.loads(told.says)["figures"]}
        assert figures["opinions-collected"] == before + 1
        text = await operator.runs("report", "--division", TOWN, "--from", FIRST, "--to", LAST, "--lang", "en")
        assert text.code == 0
        assert f"Work report of {TOWN}" in text.says

    async def test_a_killed_service_comes_back_and_all_comes_to_rest(self, operator: Operator) -> None:
        before = await collected(operator)
        killed = {child: kill(operator.home, child) for child in ("reporting", "intake")}
        for child, pid in killed.items():
            await until(partial(serves_again, operator, child, pid), 60)
        assert await collected(operator) == before
        await send_one(operator)
        assert await collected(operator) == before + 1

    async def test_nothing_is_parked_and_refusals_are_told(self, operator: Operator) -> None:
        await at_rest(operator.endpoints.services)
        assert (await operator.runs("parked", "list")).says == "Nothing is parked.\n"
        assert (await operator.runs("refusals")).code == 0

    async def test_a_read_model_is_made_anew_there_and_back(self, operator: Operator) -> None:
        await send_one(operator)
        await at_rest(operator.endpoints.services)
        once = await operator.runs("rebuild", "submissions")
        assert once.code == 0, once.says
        assert "0 unlike those before" in once.says
        await send_one(operator)
        await at_rest(operator.endpoints.services)
        back = await operator.runs("rebuild", "submissions", "--back")
        assert "Version 1 of submissions lives again." in back.says
        await send_one(operator)
        await at_rest(operator.endpoints.services)
        async with asyncpg.create_pool(operator.endpoints.postgres_dsns["reporting"], min_size=1, max_size=1) as pool:
            assert await reporting.verify(pool) is None
        assert "1 versions of submissions are gone." in (await operator.runs("rebuild", "submissions", "--forget")).says
        unknown = await operator.runs("rebuild", "omens")
        assert unknown.code == 1
        assert "there is no read model omens" in unknown.says

    async def test_topics_are_made_anew_after_every_directory_of_kafka_is_gone(self, operator: Operator) -> None:
        for _ in range(3):
            await send_one(operator)
        before = await collected(operator)
        lost = kill(operator.home, "kafka")
        shutil.rmtree(operator.home.kafka)
        await until(partial(broker_again, operator, lost), 60)
        await send_one(operator)  # nobody knows yet that topics begin in the middle
        again = await operator.runs("kafka", "rebuild", patience=120)
        assert again.code == 0, again.says
        await at_rest(operator.endpoints.services)
        for service in ("intake", "deliberation", "mediation"):
            await agree(operator.endpoints, service)
        assert await collected(operator) == before + 1
        await send_one(operator)
        assert await collected(operator) == before + 2
        assert all([await is_ready(operator, service) for service in operator.endpoints.services])

    async def test_stops_in_time_leaves_nothing_and_starts_again_with_all_it_had(self, operator: Operator) -> None:
        await send_one(operator)
        before = await collected(operator)
        assert operator.up is not None
        whole = psutil.Process(operator.up.pid)
        ours = [whole, *whole.children(recursive=True)]
        with timed() as stopping:
            assert (await operator.runs("stop")).code == 0
        await operator.up.communicate()
        assert operator.up.returncode == 0
        assert [process for process in ours if process.is_running()] == []
        assert not [*operator.home.run.glob("*.child")]
        assert operator.home.endpoints() is None
        assert (await operator.runs("status")).code == 1
        with timed() as nothing_to_stop:  # what the command itself takes to start
            assert "Nothing runs here." in (await operator.runs("stop")).says
        print(f"stopped after {stopping[0] - nothing_to_stop[0]:.1f} s")  # noqa: T201
        assert stopping[0] - nothing_to_stop[0] <= STOP

        with timed() as once_more:
            once = await operator.runs("up", "--once", "--bare", patience=120)
        print(f"started again, reported and stopped after {once_more[0]:.1f} s")  # noqa: T201
        assert once.code == 0, once.says
        assert f"{before} opinions" in once.says
        assert operator.home.holder() is None


@contextmanager
def timed() -> Generator[list[float]]:
    """Put the seconds that the block took into the list."""
    seconds: list[float] = []
    began = time.monotonic()
    yield seconds
    seconds.append(time.monotonic() - began)


async def collected(operator: Operator) -> int:
    """The figure "opinions collected", once all is at rest."""
    await at_rest(operator.endpoints.services)
    async with officer(operator) as reader:
        params = {"division": TOWN, "from": FIRST, "to": LAST}
        told = (await reader.get("reporting", "/reports/work", params)).json()
    figures = {figure["slug"]: figure for figure in told["figures"]}
    return int(figures["opinions-collected"]["value"])


async def send_one(operator: Operator) -> None:
    """Receive a submission."""
    async with officer(operator) as clerk:
        await clerk.post("intake", "/submissions", LAMP)


async def broker_again(operator: Operator, killed: int) -> bool:
    """Whether a broker answers, in another process than the killed one."""
    if pid_of(operator.home, "kafka") in {None, killed}:
        return False
    try:
        await AioKafka(operator.endpoints.kafka_bootstrap).ensure_topic("shangyi.trial", {})
    except Unavailable:
        return False
    return True


async def is_ready(operator: Operator, service: str) -> bool:
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        return (await client.get(f"{operator.endpoints.services[service]}/health/ready")).is_success


def officer(operator: Operator) -> Person:
    return Person(operator.endpoints, Issuer(operator.home.keys), "officer", {"town-officer": TOWN})


async def serves_again(operator: Operator, child: str, killed: int) -> bool:
    """Whether a service is ready, in another process than the killed one."""
    if pid_of(operator.home, child) in {None, killed}:
        return False
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
        try:
            return (await client.get(f"{operator.endpoints.services[child]}/health/ready")).is_success
        except httpx2.TransportError:
            return False
