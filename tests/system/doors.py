"""Doors: the four real apps with nothing behind them but logs and keys in memory, and people with real tokens."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid4, uuid5

import httpx2
from fastapi import FastAPI

import services.deliberation.app
import services.intake.app
import services.mediation.app
import services.reporting.app
from deploy.local.issuer import AUDIENCE, ISSUER, Grant, Issuer
from eventlog.facts import NewFact
from eventlog.handler import Handler
from eventlog.log import Append, Expect
from eventlog.memory_keys import MemoryKeys
from eventlog.memory_log import MemoryLog
from eventlog.sealed import Erased, Opened, Sealed
from eventlog.wrapping import Wrapping
from tests.contract.facts.histories import HISTORIES, deciders, facts_of
from tests.contract.facts.samples import made_up
from web.settings import ServiceSettings

BUILD: Mapping[str, Callable[..., FastAPI]] = {
    "intake": services.intake.app.build,
    "deliberation": services.deliberation.app.build,
    "mediation": services.mediation.app.build,
    "reporting": services.reporting.app.build,
}
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


class NothingToRead(MemoryKeys):
    """Keys by which what was planted cannot be opened: it is shown as erased."""

    async def open(self, tenant: str, sealed: Sealed[str]) -> Opened:
        del tenant, sealed
        return Erased()


class Door:
    """A service's own app, as its ``build`` makes it; only its log and its keys are others."""

    def __init__(self, service: str, folder: Path) -> None:
        self._issuer = Issuer(folder)
        secret = folder / "secret.key"
        if not secret.exists():
            Wrapping.create(secret)
        settings = ServiceSettings.model_validate(
            {
                "dsn": NOWHERE,
                "keys_dsn": NOWHERE,
                "master_key_file": secret,
                "sharing_key_file": secret,
                "kafka_bootstrap": "127.0.0.1:1",
                "oidc_issuer": ISSUER,
                "oidc_audience": AUDIENCE,
                "oidc_jwks": str(self._issuer.jwks),
            }
        )
        self.app = BUILD[service](settings)
        self.log, keys = MemoryLog(), NothingToRead()
        parts = self.app.state.parts
        if parts.handler is not None:
            self.app.state.parts = replace(parts, handler=Handler(self.log), now=self.log.now, digest=keys.digest)
            self.app.state.keys = keys
        self.client = httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url=f"http://{service}")
        self.token = cache(self._token)

    def _token(self, who: str, role: str, at: str) -> str:
        return self._issuer.issue(who, [Grant(role=role, at=at)])

    async def plant(self, category: str, key: str, organ: str, opened_by: str) -> None:
        """Open a stream, with the first fact that one of its kind begins with."""
        decider = _deciders()[category]
        [opening] = [kind for kind in facts_of(decider) if kind.fact_name == HISTORIES[category][0][0]]
        fact = opening.model_validate_json(json.dumps(made_up(opening)))
        await self.log.append(
            Append(
                tenant=organ[:6],
                stream=decider.stream(key),
                expected=Expect.NEW,
                published=decider.published,
                organ=organ,
                matter=None,
                actor=opened_by,
                occurred_at=await self.log.now(),
                command_id=uuid5(NAMESPACE_URL, f"{category}/{key}"),
                digest=b"",
                correlation=uuid4(),
                causation=None,
                answer={},
                facts=[NewFact.of(uuid4(), fact)],
            )
        )


_deciders = cache(deciders)


@asynccontextmanager
async def open_door(service: str, folder: Path) -> AsyncGenerator[Door]:
    """Open the door of a service."""
    door = Door(service, folder)
    yield door
    await door.client.aclose()
