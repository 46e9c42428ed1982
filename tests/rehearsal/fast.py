"""Fast: lives a year in memory, with the real routes, rules, contexts, reactions and timers of three services."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, cast

from eventlog.connections import Pool
from eventlog.errors import EventLogError
from eventlog.facts import Stored
from eventlog.reactions import React, Reactions
from services.deliberation import contexts as deliberation_contexts
from services.deliberation import reactions as deliberation_reactions
from services.deliberation.app import DECIDERS, ROUTERS
from services.intake import contexts as intake_contexts
from services.intake import reactions as intake_reactions
from services.intake.api import calendars, divisions, issues, submissions
from services.mediation import contexts as mediation_contexts
from services.mediation import reactions as mediation_reactions
from services.mediation.api import cases
from services.mediation.domain.case import case
from tests.rehearsal.calling.call import Call
from tests.rehearsal.calls import NotAsPlanned, calls, filled, learnt
from tests.rehearsal.desk import Desk
from tests.rehearsal.planned_log import Clock
from tests.rehearsal.year import Year
from vocabulary.calendar import SHANGHAI

INTAKE, DELIBERATION, MEDIATION = "intake", "deliberation", "mediation"


class Consumer:
    """One service's reactions to one log, as far as they have come."""

    def __init__(self, reactions: Reactions, source: Desk, desk: Desk, pool: "NoPool") -> None:
        # What a reaction asks of a database is answered by NoPool, and nothing else of a pool is used.
        self._react = React(reactions, desk.handler, cast(Pool, pool))
        self._log = source.log
        self._reached = 0

    async def take_in(self) -> bool:
        """React to what is new; whether anything was."""
        new = self._log.facts()[self._reached :]
        self._reached += len(new)
        if new:
            await self._react.act(new)
        return bool(new)


@dataclass
class NoPool:
    """Remembers refused commands, none of which comes again: a fact is handed on once.

    Names every promise where open deadlines are asked for: the rule knows which move.
    """

    desk: Desk
    refused: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    async def execute(self, _: str, *values: object) -> None:
        self.refused.append(values)

    async def fetch(self, asked: str, *_: object) -> Sequence[Mapping[str, Any]]:
        if "eventlog.refusals" in asked:
            return []
        opened = [fact for fact in self.desk.log.facts() if fact.name == "commitment-opened"]
        return [{"commitment_id": fact.stream.key} for fact in opened]


class Stage:
    """Three services, and the clock they share."""

    def __init__(self) -> None:
        self._clock = Clock()
        intake = Desk(INTAKE, [divisions.router, calendars.router, submissions.router, issues.router], [], self._clock)
        deliberation = Desk(DELIBERATION, ROUTERS, DECIDERS, self._clock)
        mediation = Desk(MEDIATION, [cases.router], [case], self._clock)
        intake_contexts.register(intake.contexts, intake.handler)
        deliberation_contexts.register(deliberation.contexts, deliberation.handler)
        mediation_contexts.register(mediation.contexts)
        self.desks = {INTAKE: intake, DELIBERATION: deliberation, MEDIATION: mediation}
        self._pool = NoPool(deliberation)
        self._consumers = [
            Consumer(intake_reactions.to_ourselves, intake, intake, self._pool),
            Consumer(intake_reactions.to_deliberation, deliberation, intake, self._pool),
            Consumer(intake_reactions.to_mediation, mediation, intake, self._pool),
            Consumer(deliberation_reactions.to_ourselves, deliberation, deliberation, self._pool),
            Consumer(deliberation_reactions.to_intake, intake, deliberation, self._pool),
            Consumer(mediation_reactions.to_intake, intake, mediation, self._pool),
        ]

    async def live(self, year: Year) -> None:
        """Ask everything of a year on its day. Raises NotAsPlanned."""
        known: dict[str, str] = {}
        for call in calls(year):
            await self._until(call.day)
            await self._ask(year.county, call, known)
            await self._rest()
        await self._until(date(year.year + 1, 2, 1))
        broken = [what for desk in self.desks.values() for what in desk.broken]
        if broken:
            raise NotAsPlanned(f"timers that came to nothing: {broken}")

    async def _ask(self, county: str, call: Call, known: dict[str, str]) -> None:
        path, body = call.path.format_map(known), filled(call.body, known)
        try:
            answer = await self.desks[call.service].call(county, call.who, path, body)
        except EventLogError as error:
            raise NotAsPlanned(f"{call.day} {call.service} {call.path} {body}: {error!r}") from error
        known.update(learnt(call, answer))

    async def _until(self, day: date) -> None:
        """Go to the beginning of a day; what falls due until then happens on its way."""
        begins = datetime.combine(day, time.min, SHANGHAI)
        while due := min(self._due(begins), default=None, key=lambda one: one[0]):
            at, desk = due
            self._clock.go_to(at)
            await desk.timers.fire(1)
            await self._rest()
        self._clock.go_to(begins)

    def _due(self, by: datetime) -> Iterator[tuple[datetime, Desk]]:
        for desk in self.desks.values():
            at = desk.log.falls_due(by)
            if at is not None:
                yield at, desk

    async def _rest(self) -> None:
        while any([await consumer.take_in() for consumer in self._consumers]):
            pass

    def published(self) -> Mapping[str, Sequence[Stored]]:
        """What would be on each topic."""
        return {service: [fact for fact in desk.log.facts() if fact.published] for service, desk in self.desks.items()}
