"""Live: years lived by people with tokens, over HTTP and Kafka, on a running platform whose clock is moved.

Several counties live the same year side by side, so that the clock goes through it once. Within a day each county asks
what it has to ask, in its order; between days the platform comes to rest.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime, time
from itertools import groupby

from deploy.local.clock import move
from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Issuer
from deploy.local.person import Person, Refused
from deploy.local.rest import at_rest
from tests.rehearsal.calling.call import Call, Who
from tests.rehearsal.calls import NotAsPlanned, calls, filled, learnt
from tests.rehearsal.figures import Asked, Figures, read
from tests.rehearsal.year import Year
from vocabulary.calendar import SHANGHAI


class Inhabitants:
    """The people of one county."""

    def __init__(self, year: Year, endpoints: Endpoints, issuer: Issuer, held: AsyncExitStack) -> None:
        self.year = year
        self._endpoints, self._issuer, self._held = endpoints, issuer, held
        self._people: dict[Who, Person] = {}
        self._known: dict[str, str] = {}
        self.days: Mapping[date, Sequence[Call]] = {
            day: list(asked) for day, asked in groupby(calls(year), lambda call: call.day)
        }

    async def live(self, day: date) -> None:
        """Ask everything of a day. Raises NotAsPlanned."""
        for call in self.days.get(day, ()):
            who = await self._person(call.who)
            path = call.path.format_map(self._known)
            try:
                if call.body is None:
                    answer = (await who.get(call.service, path)).json()
                else:
                    answer = await who.post(call.service, path, filled(dict(call.body), self._known))
            except Refused as refusal:
                raise NotAsPlanned(f"seed {self.year.seed}, {day} {call.service} {call.path}: {refusal}") from refusal
            self._known.update(learnt(call, answer or {}))

    async def figures(self, asked: Asked) -> Figures:
        """What reporting tells."""
        reader = await self._person(Who("county-reporter", self.year.county))
        params = {"division": asked.division, "from": asked.first.isoformat(), "to": asked.last.isoformat()}
        return read((await reader.get("reporting", "/reports/work", params)).json())

    async def _person(self, who: Who) -> Person:
        if who not in self._people:
            person = Person(self._endpoints, self._issuer, who.name, {who.role: who.place}, who.organ)
            self._people[who] = await self._held.enter_async_context(person)
        return self._people[who]


async def live(counties: Sequence[Inhabitants], services: Mapping[str, str]) -> None:
    """Live through the counties' years together, to the end of the January after. Raises NotAsPlanned."""
    for day in sorted({day for county in counties for day in county.days}):
        await move(services, datetime.combine(day, time.min, SHANGHAI))
        await asyncio.gather(*(county.live(day) for county in counties))
    await move(services, datetime.combine(date(counties[0].year.year + 1, 2, 1), time.min, SHANGHAI))
    await at_rest(services)
