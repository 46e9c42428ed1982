"""Desk: a service's routes without HTTP: what a route makes of a body, decided by the real rules over a log in memory.

Who may ask what is not looked at: that is the live stage's to find out.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi.routing import APIRoute

from eventlog.decider import Actor, AnyDecider
from eventlog.errors import Absent
from eventlog.facts import Value
from eventlog.handler import Contexts, Handler, Head, Opening, Request
from eventlog.log import Timer
from eventlog.sealed import Sealed
from eventlog.timers import Timers
from tests.rehearsal.calling.call import Who
from tests.rehearsal.planned_log import Clock, PlannedLog
from vocabulary.calendar import SHANGHAI
from vocabulary.matter import mint
from web.commands import MINT, Created
from web.routing import APIRouter

NOTHING_SAID = Sealed[str](key_id=UUID(int=1), kind="text", ciphertext="")
"""Stands for every text: no rule and no figure opens one."""


class Vault:
    """Seals nothing, at no cost."""

    async def seal(self, owner: UUID, kind: str, text: str) -> Sealed[str]:
        del owner, kind, text
        return NOTHING_SAID

    async def public(self, text: str) -> Sealed[str]:
        del text
        return NOTHING_SAID

    async def show(self, sealed: Sealed[str]) -> str:
        del sealed
        return ""


@dataclass(frozen=True)
class Caller:
    actor: Actor

    @property
    def id(self) -> str:
        return self.actor.id


class Commands:
    """In the place of a request's: the same names and ids, and the same way to the handler."""

    def __init__(self, tenant: str, who: Who, command_id: UUID, handler: Handler, clock: Clock) -> None:
        self.tenant = tenant
        self.caller = Caller(Actor(id=who.name, roles=frozenset({who.role}), organ=who.organ))
        self._command_id = command_id
        self._handler = handler
        self._clock = clock

    def authorize(self, place: str, opened_by: str = "") -> None:
        del place, opened_by

    def unless_answered(self, part: str = "", said: Value | None = None) -> nullcontext[None]:
        """No call of a year is made twice."""
        del part, said
        return nullcontext()

    def new_id(self, name: str = "key") -> UUID:
        return uuid5(self._command_id, f"{self.tenant}/{name}")

    async def head(self, decider: AnyDecider, key: object) -> Head:
        head = await self._handler.head(decider, self.tenant, key)
        if head.version == 0:
            raise Absent
        return head

    async def send(
        self, decider: AnyDecider, key: object, command: Value, *, occurred_at: datetime | None = None
    ) -> None:
        await self._carry_out(decider, key, command, None, occurred_at)

    async def create(
        self,
        decider: AnyDecider,
        command: Value,
        *,
        organ: str,
        matter: object = None,
        key: object | None = None,
        occurred_at: datetime | None = None,
    ) -> Created:
        key = self.new_id() if key is None else key
        today = self._clock.now.astimezone(SHANGHAI).date()
        code = mint(self.tenant, today, self._command_id) if matter is MINT else matter
        created = Created.model_validate({"id": str(key), "matter": code})
        await self._carry_out(decider, key, command, Opening(organ, created.matter), occurred_at)
        return created

    async def _carry_out(
        self,
        decider: AnyDecider,
        key: object,
        command: Value,
        opens: Opening | None,
        occurred_at: datetime | None,
    ) -> None:
        request = Request(
            tenant=self.tenant,
            actor=self.caller.actor,
            command_id=self._command_id,
            digest=b"",
            correlation=self._command_id,
            opens=opens,
            occurred_at=occurred_at,
        )
        await self._handler.send(decider, key, command, request)


@dataclass(frozen=True)
class Route:
    """A route's function, and what it wants: a body of that class, and a key of that kind in its path."""

    endpoint: Callable[..., Awaitable[Any]]
    body: type[Value] | None
    key: str | None
    uuid: bool
    vault: bool

    @classmethod
    def of(cls, route: APIRoute) -> "Route":
        wanted = inspect.signature(route.endpoint).parameters
        keys = [name for name in wanted if f"{{{name}}}" in route.path]
        return cls(
            endpoint=route.endpoint,
            body=wanted["body"].annotation if "body" in wanted else None,
            key=keys[0] if keys else None,
            uuid=bool(keys) and wanted[keys[0]].annotation is UUID,
            vault="vault" in wanted,
        )


Place = tuple[str, ...]


class Desk:
    """One service over its log: ``call`` asks it as HTTP would."""

    def __init__(
        self, service: str, routers: Sequence[APIRouter], deciders: Sequence[AnyDecider], clock: Clock
    ) -> None:
        self.log = PlannedLog(clock)
        self.contexts = Contexts()
        self.handler = Handler(self.log, self.contexts)
        self.broken: list[str] = []
        self.timers = Timers(self.log, self.handler, deciders, self._put_off)
        self._clock = clock
        self._routes = {
            (method, *["{}" if part.startswith("{") else part for part in route.path.split("/")[1:]]): Route.of(route)
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute)
            for method in route.methods or ()
        }
        self._commands = uuid5(NAMESPACE_URL, f"urn:shangyi:rehearsal:{service}")
        self._number = 0

    async def call(self, tenant: str, who: Who, path: str, body: object | None) -> Mapping[str, object]:
        """Ask a route with a body, or to show something without one. Raises as the handler."""
        self._number += 1
        route, key = self._route("GET" if body is None else "POST", path.split("/")[1:])
        commands = Commands(tenant, who, uuid5(self._commands, str(self._number)), self.handler, self._clock)
        given: dict[str, object] = {"commands": commands}
        if route.body is not None:
            given["body"] = route.body.model_validate(body)
        if route.key is not None:
            given[route.key] = UUID(key) if route.uuid else key
        if route.vault:
            given["vault"] = Vault()
        answer = await route.endpoint(**given)
        return {} if answer is None else dict(answer)

    async def _put_off(self, timer: Timer, command_id: UUID, name: str, why: Exception) -> None:
        del command_id
        self.broken.append(f"{timer.stream} {name}: {why!r}")

    def _route(self, method: str, parts: Sequence[str]) -> tuple[Route, str]:
        exact = self._routes.get((method, *parts))
        if exact is not None:
            return exact, ""
        return self._routes[(method, parts[0], "{}", *parts[2:])], parts[1]
