"""The whole platform: how soon it is there, what it holds, how fast an import goes, how soon a command is seen."""

import asyncio
import csv
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bench.caller import Caller, NotAnswered, get
from bench.commands import TOWN, WORDS, Clerks
from bench.effort import Effort
from bench.figures import Figure, percentile
from bench.memory import resident
from bench.rounds import rate
from deploy.cli import imports
from deploy.local.issuer import Grant
from deploy.local.person import Person
from deploy.local.platform import Platform, Say, running
from deploy.local.rest import at_rest
from deploy.local.settings import Settings
from vocabulary.calendar import SHANGHAI

ROWS_A_DAY = 100
FIRST = datetime(2026, 1, 1, 8, tzinfo=SHANGHAI)
RATES = (50, 200)  # commands a second
CONNECTIONS = 64
LIVE_CONNECTIONS = 32
GOAL_START, GOAL_MEMORY, GOAL_SEEN = 20.0, 1_600.0, 250.0


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Start the platform twice, the second time warm, and put it to work."""
    rows, seconds = effort.choose((2_000, 8.0), (300, 2.0))
    began = time.perf_counter()
    async with running(settings, say):
        first = time.perf_counter() - began
    began = time.perf_counter()
    async with running(settings, say) as platform:
        warm = time.perf_counter() - began
        await at_rest(platform.endpoints.services)
        figures = [
            Figure("start, first, until all four are ready", first, "s"),
            Figure("start, warm, until all four are ready", warm, "s", goal=GOAL_START),
            *_memory("after the start"),
        ]
        say("importing")
        figures += [*await _import(platform, rows), *_memory("after the import")]
        say("waiting for commands to be seen in reporting")
        figures += await _seen(platform, seconds)
        say("receiving as many as it takes")
        return [*figures, *await _live(platform, seconds / 2)]


def _memory(when: str) -> Sequence[Figure]:
    held = resident()
    each = [Figure(f"memory {when}, {server}", mb, "MB") for server, mb in sorted(held.items())]
    return [*each, Figure(f"memory {when}, together", sum(held.values()), "MB", goal=GOAL_MEMORY)]


async def _import(platform: Platform, rows: int) -> Sequence[Figure]:
    """Import a file as an operator does, and wait until everything that follows from it has been done."""
    file = platform.home.path / "generated.csv"
    await asyncio.to_thread(_write_rows, file, rows)
    async with Person(platform.endpoints, platform.issuer, "bench-officer", {"town-officer": TOWN}) as officer:
        began = time.perf_counter()
        done = await imports.submissions(officer, file, f"{TOWN}.town-government", "bench", lambda _: None)
        answered = time.perf_counter() - began
        await at_rest(platform.endpoints.services)
        settled = time.perf_counter() - began
    if done.accepted != rows:
        raise NotAnswered(
            f"{done.accepted} of {rows} rows were accepted; refused: {sorted(set(done.refusals.values()))}"
        )
    return [
        Figure("import, rows answered", rows / answered, "rows/s"),
        Figure("import, rows seen in reporting", rows / settled, "rows/s"),
    ]


def _write_rows(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("编号", "留言用户", "留言主题", "留言时间", "留言详情"))
        for number in range(rows):
            said = FIRST + timedelta(days=number // ROWS_A_DAY, minutes=number % ROWS_A_DAY)
            writer.writerow((f"B{number}", f"U{number % 500}", f"第{number}条", f"{said:%Y/%m/%d %H:%M:%S}", WORDS))


async def _seen(platform: Platform, seconds: float) -> Sequence[Figure]:
    """From the moment a command is due to be sent until reporting shows its row, at steady rates."""
    token = platform.issuer.issue("bench-reader", [Grant(role="town-officer", at=TOWN)])
    clerks, services = Clerks(platform.issuer), platform.endpoints.services
    figures: list[Figure] = []
    async with (
        Caller(services["intake"], CONNECTIONS) as intake,
        Caller(services["reporting"], CONNECTIONS) as reporting,
    ):

        async def once(due: float) -> float:
            """Milliseconds. Counting from ``due``, a stall is seen in every command that had to wait for it."""
            await asyncio.sleep(due - time.perf_counter())
            received = await intake.call(clerks.submission())
            created = json.loads(received.body)
            path = f"/submissions?division={TOWN}&limit=1&matter={quote(created['matter'])}&after={received.position}"
            shown = await reporting.call(get(path, token))
            if created["id"].encode() not in shown.body:
                raise NotAnswered(f"reporting is said to have reached {received.position}, but does not show it")
            return (time.perf_counter() - due) * 1000

        async def steadily(a_second: int, seconds: float) -> list[float]:
            began = time.perf_counter() + 0.05
            return await asyncio.gather(*(once(began + n / a_second) for n in range(int(a_second * seconds))))

        await steadily(RATES[0], 1.0)
        for a_second in RATES:
            took = await steadily(a_second, seconds)
            name = f"command seen in reporting at {a_second} a second"
            figures.append(Figure(f"{name}, p50", percentile(took, 0.5), "ms"))
            figures.append(Figure(f"{name}, p99", percentile(took, 0.99), "ms", goal=GOAL_SEEN))
    return figures


async def _live(platform: Platform, seconds: float) -> Sequence[Figure]:
    """What an intake answers at most, relay, reactions and reporting working behind it on the same machine."""
    clerks = Clerks(platform.issuer)
    async with AsyncExitStack() as open_:
        intake = await open_.enter_async_context(Caller(platform.endpoints.services["intake"], LIVE_CONNECTIONS))
        began = time.perf_counter()
        answered = await rate(partial(_post, intake, clerks), LIVE_CONNECTIONS, seconds)
        commands = answered * (time.perf_counter() - began)
        await at_rest(platform.endpoints.services)
        settled = commands / (time.perf_counter() - began)
    return [
        Figure("HTTP command, new stream, whole platform at work", answered, "requests/s"),
        Figure("the same, until seen in reporting", settled, "requests/s"),
    ]


async def _post(intake: Caller, clerks: Clerks) -> None:
    await intake.call(clerks.submission())
