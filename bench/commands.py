"""Commands over HTTP, beside the bare route: the same kind of process, the same client, the same database server."""

import json
import time
from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle

from bench import bare_app
from bench.caller import Caller, Post, Prepared
from bench.effort import Effort
from bench.figures import Figure, compared
from bench.rounds import in_turn, rate
from bench.servers import database_servers
from deploy.local.issuer import Grant, Issuer
from deploy.local.platform import Say
from deploy.local.settings import Settings
from services.intake import admin as intake_admin

TOWN = "430981109"
ORGAN = f"{TOWN}.town-government"
WORDS = "村口到小学的路灯坏了三盏，晚上孩子放学看不见路，前天还有老人在那里摔了一跤，请尽快派人来修。"
CONNECTIONS = 32
CLERKS = 8
INTAKE, BARE = "bench_intake", "bench_bare"  # their databases
ISSUES = 500  # opened before each round; its commands go to them in turn, so streams stay as short as they are in life
GOAL_NEW, GOAL_EXISTING = 0.9, 0.7


class Clerks:
    """What some clerks of a town send, each under a token of their own."""

    def __init__(self, issuer: Issuer, town: str = TOWN) -> None:
        grants = [Grant(role="village-clerk", at=town)]
        self._tokens = [issuer.issue(f"bench-clerk-{n}", grants) for n in range(CLERKS)]
        self._next = cycle(range(CLERKS))
        organ = f"{town}.town-government"
        self._submissions = self._each("/submissions", {"organ": organ, "channel": "hotline", "words": WORDS})
        self._issues = self._each("/issues", {"organ": organ, "headline": WORDS[:20], "category": "rural-construction"})
        self._notes = self._each("/notes", {"organ": organ, "channel": "hotline", "words": WORDS})

    def submission(self) -> bytes:
        return self._submissions[next(self._next)].once()

    def issue(self) -> bytes:
        return self._issues[next(self._next)].once()

    def note(self) -> bytes:
        return self._notes[next(self._next)].once()

    def classification(self, issue: str) -> Prepared:
        token = self._tokens[next(self._next)]
        return Post(f"/issues/{issue}/classify", token, {"category": "rural-construction", "key": True}).prepared()

    def _each(self, path: str, body: dict[str, object]) -> list[Prepared]:
        return [Post(path, token, body).prepared() for token in self._tokens]


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Compare commands that open a stream, and commands on a stream that is there, with the bare route."""
    async with database_servers(settings, say) as servers, AsyncExitStack() as open_:
        await servers.make_service(INTAKE, intake_admin.migrate)
        await servers.make(BARE)
        await servers.execute(BARE, bare_app.TABLE)
        alone = servers.environment(INTAKE) | {"SHANGYI_ROLE": "api"}  # no work behind it; it speaks to no Kafka
        intake = await open_.enter_async_context(servers.serving("bench-1", "services.intake.app:create", alone))
        bare = await open_.enter_async_context(
            servers.serving("bench-2", "bench.bare_app:create", {bare_app.DSN: servers.dsn(BARE)})
        )
        return await _beside(intake, bare, Clerks(servers.issuer), effort)


async def _beside(intake_url: str, bare_url: str, clerks: Clerks, effort: Effort) -> Sequence[Figure]:
    rounds, seconds = effort.choose((7, 1.0), (2, 0.5))
    async with Caller(intake_url, CONNECTIONS) as intake, Caller(bare_url, CONNECTIONS) as bare:
        busy = time.process_time()
        measured = await in_turn(
            {
                "bare": partial(rate, lambda: bare.call(clerks.note()), CONNECTIONS, seconds),
                "new": partial(rate, lambda: intake.call(clerks.submission()), CONNECTIONS, seconds),
                "existing": partial(_existing, intake, clerks, seconds),
            },
            rounds,
        )
        busy = time.process_time() - busy
    calls = sum(sum(rates) for rates in measured.values()) * seconds * (rounds + 1) / rounds
    return [
        compared("HTTP command, new stream / bare route", measured["new"], measured["bare"], "requests/s", GOAL_NEW),
        compared(
            "HTTP command, existing stream / bare route",
            measured["existing"],
            measured["bare"],
            "requests/s",
            GOAL_EXISTING,
        ),
        Figure("HTTP client, its own share of a request", busy / calls * 1e6, "µs"),
    ]


async def _existing(intake: Caller, clerks: Clerks, seconds: float) -> float:
    """Requests a second; opening the streams does not count."""
    waiting: deque[Prepared] = deque()

    async def open_one() -> None:
        waiting.append(clerks.classification(json.loads((await intake.call(clerks.issue())).body)["id"]))

    async def send_one() -> None:
        issue = waiting.popleft()
        await intake.call(issue.once())
        waiting.append(issue)

    while len(waiting) < ISSUES:
        await rate(open_one, CONNECTIONS, 0.1)
    return await rate(send_one, CONNECTIONS, seconds)
