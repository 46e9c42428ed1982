"""Driver: the client. Actors send real commands and send them again, in the same words, until they are decided."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

from deploy.local.issuer import Grant, Issuer
from tests.chaos.history import Command, Failed, Invoked, Looked, Ok, Reused, Stuck, Unsure, Writer
from tests.chaos.http import Answer, Connection, Unknown

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between two attempts
LOOK = 0.1  # seconds between two looks at what has to follow
IMPATIENT = 10.0  # seconds for what has to follow once something did not: the run has failed, and need not drag on
BUSY = frozenset({408, 429})


class Refused(Exception):
    """A command was decided: no."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(f"{failed.status} {failed.code}")
        self.code = failed.code


class NothingCame(Exception):
    """What had to follow did not within the time given."""


class Driver:
    """All actors' way to the services. ``answered`` counts commands decided, each once."""

    def __init__(self, urls: Mapping[str, str], issuer: Issuer, writer: Writer, patience: float) -> None:
        """``patience``: seconds for what has to follow."""
        self._urls = urls
        self.patience = patience
        self._free: dict[str, list[Connection]] = {service: [] for service in urls}
        self.issuer = issuer
        self.writer = writer
        self.answered = 0

    async def ask(self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send one request over a free connection. Raises Unknown."""
        async with self._connection(service) as connection:
            return await connection.ask(method, path, headers, body)

    @asynccontextmanager
    async def _connection(self, service: str) -> AsyncGenerator[Connection]:
        free = self._free[service]
        connection = free.pop() if free else Connection(self._urls[service])
        try:
            yield connection
        finally:
            free.append(connection)

    def close(self) -> None:
        for free in self._free.values():
            for connection in free:
                connection.close()


class Person:
    """Somebody with a token."""

    def __init__(self, issuer: Issuer, name: str, roles: Mapping[str, str], organ: str | None = None) -> None:
        self.name = name
        self.tenant = next(iter(roles.values()))[:6]
        grants = [Grant(role=role, at=at) for role, at in roles.items()]
        self.headers = {"Authorization": f"Bearer {issuer.issue(name, grants, organ=organ)}"}


class Actor:
    """One thread of commands, in the order of its plan, by people of one village and its town."""

    def __init__(self, driver: Driver, name: str, village: str, seed: int) -> None:
        self._driver = driver
        self._seed = seed
        self._sent = 0
        self.name = name
        self.village = village
        self.town = village[:9]
        self.organ = f"{village}.village-committee"
        issuer = driver.issuer

        def somebody(role: str, organ: str | None = None, **roles: str) -> Person:
            held = {name.replace("_", "-"): at for name, at in roles.items()}
            return Person(issuer, f"{name}-{role}", held, organ)

        self.registrar = somebody("registrar", sys_admin=village[:6])
        self.clerk = somebody("clerk", village_clerk=self.town)
        self.villager = somebody("villager", self.organ, village_clerk=village)
        self.secretary = somebody("secretary", town_secretary=self.town, village_secretary=self.town)
        self.convener = somebody("convener", exec_convener=self.town)
        self.supervisor = somebody("supervisor", f"{self.town}.supervisory-committee", supervisor=self.town)
        self.director = somebody("director", mediation_director=self.town)
        self.mediator = somebody("mediator", mediator=self.town)
        self.reader = somebody("reader", county_reporter=village[:6], town_officer=self.town)

    async def send(
        self, who: Person, service: str, route: str, body: Mapping[str, Any] | None = None, *, way: int = 1, **ids: str
    ) -> Ok:
        """Send a command until it is decided. Raises Refused.

        ``way`` divisible by 7: twice at once; by 11: once more, after it was decided.
        """
        command = self.command(who, service, route, body, **ids)
        attempts = _Attempts(self._driver, command, who)
        if way % 7 == 0:
            ended = (await asyncio.gather(attempts.decided(), attempts.decided()))[0]
        else:
            ended = await attempts.decided()
        self._driver.answered += 1
        if way % 11 == 0:
            await attempts.decided()
        if isinstance(ended, Failed):
            raise Refused(ended)
        return ended

    def command(
        self, who: Person, service: str, route: str, body: Mapping[str, Any] | None = None, **ids: str
    ) -> Command:
        """Give a command its key, and write it down."""
        self._sent += 1
        key = f"{self._seed}-{self.name}-{self._sent}"
        command = Command(
            key=key,
            tenant=who.tenant,
            principal=who.name,
            service=service,
            route=route,
            path=route.format(**ids),
            correlation=str(uuid5(NAMESPACE_URL, f"urn:shangyi:chaos:{key}")),
            body=json.dumps(dict(body or {}), ensure_ascii=False, sort_keys=True),
        )
        self._driver.writer.write(command)
        return command

    async def reuse(self, who: Person, told: Ok, service: str, path: str, body: Mapping[str, Any]) -> None:
        """Send other words under the key of an accepted command, until they are decided."""
        content = json.dumps(dict(body), ensure_ascii=False).encode()
        answer = await self._definite(service, "POST", path, {**who.headers, **command_headers(told.key)}, content)
        code = "" if answer.status < 300 else str(answer.json["code"])
        self._driver.writer.write(Reused(self._driver.writer.clock(), told.key, answer.status, code))

    async def show(self, who: Person, service: str, path: str) -> Answer:
        """Ask until there is a definite answer."""
        return await self._definite(service, "GET", path, who.headers)

    async def _definite(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        pause = FIRST_PAUSE
        while True:
            with suppress(Unknown):
                answer = await self._driver.ask(service, method, path, headers, body)
                if answer.status < 500 and answer.status not in BUSY:
                    return answer
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def until(self, who: Person, service: str, path: str, holds: Callable[[Any], bool]) -> Any:
        """Return what is shown once it is there and ``holds``. Raises NothingCame."""
        until = time.monotonic() + self._driver.patience
        while True:
            answer = await self.show(who, service, path)
            if answer.status == 200 and holds(answer.json):
                return answer.json
            if time.monotonic() > until:
                self._driver.patience = IMPATIENT
                raise NothingCame(f"{service}{path}: {answer.status}")
            await asyncio.sleep(LOOK)

    async def look(self, told: Ok, what: str, key: str, **query: str) -> None:
        """Ask reporting for a list up to a command's own position, and write down whether its row is in it."""
        if told.position is None:
            return
        asked = urlencode({"division": self.village, "after": told.position, "limit": "200", **query})
        try:
            answer = await self._driver.ask("reporting", "GET", f"/{what}?{asked}", self.reader.headers)
        except Unknown:
            return
        seen = answer.status == 200 and any(key in item.values() for item in answer.json["items"])
        self._driver.writer.write(Looked(self._driver.writer.clock(), told.key, told.position, answer.status, seen))

    def stuck(self, why: str) -> None:
        self._driver.writer.write(Stuck(self._driver.writer.clock(), self.name, why))


def command_headers(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": key}


class _Attempts:
    """Tries of one command; two series of them may run at once."""

    def __init__(self, driver: Driver, command: Command, who: Person) -> None:
        self._driver = driver
        self._command = command
        self._headers = {**who.headers, **command_headers(command.key), "X-Correlation-Id": command.correlation}
        self._count = 0

    async def decided(self) -> Ok | Failed:
        pause = FIRST_PAUSE
        while True:
            outcome = await self._once()
            self._driver.writer.write(outcome)
            if not isinstance(outcome, Unsure):
                return outcome
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _once(self) -> Ok | Failed | Unsure:
        self._count += 1
        n, key, clock, command = self._count, self._command.key, self._driver.writer.clock, self._command
        self._driver.writer.write(Invoked(clock(), key, n))
        try:
            answer = await self._driver.ask(command.service, "POST", command.path, self._headers, command.body.encode())
        except Unknown as unknown:
            return Unsure(clock(), key, n, str(unknown))
        if answer.status < 300:
            etag = answer.headers.get("etag")
            version = None if etag is None else int(etag.strip('"'))
            return Ok(clock(), key, n, answer.status, version, answer.headers.get("shangyi-position"), answer.body)
        problem: dict[str, Any] = answer.json or {}
        code = str(problem.get("code", ""))
        if answer.status >= 500 or answer.status in BUSY:
            return Unsure(clock(), key, n, f"{answer.status} {code}")
        return Failed(clock(), key, n, answer.status, code)
