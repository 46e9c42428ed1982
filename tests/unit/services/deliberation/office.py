"""An office for tests: the routes of deliberation over a log and keys in memory, with its reactions and timers."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2

from eventlog.decider import Actor
from eventlog.errors import EventLogError, Rejected
from eventlog.facts import Fact, NewFact, Recorded, Stored, StreamId
from eventlog.handler import Opening, Request
from eventlog.reactions import REFUSALS, Reactions
from eventlog.timers import Timers
from facts.intake.issue import IssueDetails, IssueRouted, IssueWithdrawn
from services.deliberation import contexts, reactions
from services.deliberation.app import DECIDERS, ROUTERS
from tests.unit.services.desk import Desk
from vocabulary.kinds import Category, DisputeType, Route

COUNTY, TOWN, VILLAGE, NEIGHBOUR = "620724", "620724100", "620724100701", "620724100702"
ORGAN = f"{VILLAGE}.village-committee"
UNIT = f"{TOWN}.town-government"
MATTER = "620724-20260302-7K3M9QXA"
MESSAGES = Path(contexts.__file__).with_name("messages.toml")
ISSUE = UUID(int=1)

PEOPLE: Mapping[str, tuple[str, str, str | None]] = {
    "convener": ("exec-convener", VILLAGE, f"{VILLAGE}.deliberation-committee"),
    "secretary": ("village-secretary", VILLAGE, f"{VILLAGE}.village-party-branch"),
    "clerk": ("village-clerk", VILLAGE, ORGAN),
    "officer": ("town-officer", TOWN, f"{TOWN}.town-party-committee"),
    "worker": ("handling-unit", UNIT, UNIT),
    "w" * 255: ("handling-unit", UNIT, UNIT),  # as long as an account may be
    "supervisor": ("supervisor", VILLAGE, f"{VILLAGE}.supervisory-committee"),
    "resident": ("resident", VILLAGE, None),
    "neighbour": ("exec-convener", NEIGHBOUR, f"{NEIGHBOUR}.deliberation-committee"),
}


class Office:
    """Somebody asks by name; what intake says arrives by ``hear``; ``rest`` lets reactions and timers do their work."""

    def __init__(self, keys_dir: Path) -> None:
        self._desk = Desk("deliberation", MESSAGES, ROUTERS, keys_dir)
        self.app, self.client = self._desk.app, self._desk.client
        self.log, self.keys, self.handler = self._desk.log, self._desk.keys, self._desk.handler
        contexts.register(self._desk.contexts, self.handler)
        self.timers = Timers(self.log, self.handler, DECIDERS)
        self.refusals: list[EventLogError] = []
        self._taken_in = 0

    def headers(self, who: str) -> Mapping[str, str]:
        role, at, organ = PEOPLE[who]
        return self._desk.headers(who, role, at, organ)

    async def post(self, who: str, path: str, body: Mapping[str, object] | None = None) -> httpx2.Response:
        return await self.client.post(path, json=dict(body or {}), headers=self.headers(who))

    async def do(self, who: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send what is accepted, and let everything that follows from it happen."""
        answer = await self.post(who, path, body)
        assert answer.is_success, answer.text
        await self.rest()
        return answer.json() if answer.content else None

    async def refused(self, who: str, path: str, body: Mapping[str, object] | None = None) -> tuple[int, str]:
        answer = await self.post(who, path, body)
        assert not answer.is_success
        return answer.status_code, answer.json()["code"]

    async def show(self, path: str, who: str = "convener") -> Any:
        answer = await self.client.get(path, headers=self.headers(who))
        assert answer.is_success, answer.text
        return answer.json()

    async def day(self, ahead: int = 0) -> datetime:
        return await self.log.now() + timedelta(days=ahead)

    async def pass_days(self, days: int) -> None:
        """Let time go by, and every timer fire on its day."""
        await self.log.move_clock(await self.day(days))
        while await self.timers.fire(100):
            await self.rest()

    async def facts(self) -> list[Stored]:
        return list((await self.log.after(0, 10_000))[0])

    async def names(self) -> list[str]:
        """Every fact's name, in order."""
        return [fact.name for fact in await self.facts()]

    def codes(self) -> list[str]:
        """The rules that refused a reaction, in order."""
        return [refusal.code for refusal in self.refusals if isinstance(refusal, Rejected)]

    async def rest(self) -> None:
        """React to our own facts until nothing is new."""
        while facts := (await self.log.after(self._taken_in, 500))[0]:
            for fact in facts:
                self._taken_in = fact.position
                await self._react(reactions.to_ourselves, fact)

    async def hear(self, fact: Fact) -> None:
        """Take in what intake has published of an issue of the village."""
        now = await self.log.now()
        new = NewFact.of(uuid4(), fact)
        recorded = Recorded(
            fact_id=new.fact_id,
            tenant=COUNTY,
            stream=StreamId("issue", str(ISSUE)),
            version=1,
            position=1,
            published=True,
            organ=ORGAN,
            matter=MATTER,
            actor="clerk",
            occurred_at=now,
            recorded_at=now,
            correlation=uuid4(),
            causation=None,
            data=fact,
        )
        envelope = {name: value for name, value in vars(recorded).items() if name != "data"}
        await self._react(reactions.to_intake, Stored(**envelope, name=new.name, schema=new.schema, json=new.json))
        await self.rest()

    async def routed(
        self, route: Route = Route.DELIBERATION, routing_id: UUID | None = None, dispute: DisputeType | None = None
    ) -> UUID:
        """Hear that an issue was routed; return the id of what answers it here."""
        key = routing_id or uuid4()
        headline = await self.keys.seal_public(COUNTY, "三社道路硬化")
        details = IssueDetails(category=Category.RURAL_CONSTRUCTION, headline=headline, dispute=dispute)
        await self.hear(IssueRouted(issue_id=ISSUE, routing_id=key, route=route, details=details))
        return key

    async def withdrawn(self, route: Route, routing_id: UUID) -> None:
        await self.hear(IssueWithdrawn(issue_id=ISSUE, reason="自行解决", route=route, routing_id=routing_id))

    async def _react(self, table: Reactions, fact: Stored) -> None:
        for name, command_id, send in table.sends(fact):
            request = Request(
                tenant=fact.tenant,
                actor=Actor(id=f"reaction/{name}"),
                command_id=command_id,
                digest=b"",
                correlation=fact.correlation,
                causation=fact.fact_id,
                opens=Opening(fact.organ, fact.matter),
                occurred_at=fact.occurred_at,
            )
            try:
                await self.handler.send(send.decider, send.key, send.command, request)
            except REFUSALS as refusal:
                self.refusals.append(refusal)
