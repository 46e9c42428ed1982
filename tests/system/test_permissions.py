"""The table of permissions, sent over HTTP: every action by every role from every place, each cell answered as written.

The whole product goes to the real apps over logs in memory, a sample of it to the running platform.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
import structlog
from fastapi.routing import APIRoute, iter_route_contexts

from deploy.local.issuer import Grant
from deploy.local.platform import Platform
from deploy.sample.town import Town
from tests.system.asks import OFFICE, STREAMS, Ask, asks, key_of, told
from tests.system.cells import COUNTY, TOWN, VILLAGE, Answer, Cell, Opener, Target, cells, table
from tests.system.doors import Door, open_door
from tests.system.places import Place, move_deadlines, settle
from tests.system.processes import all_ready

ME, ANOTHER = "me", "somebody-else"
EACH = 3  # cells of an action, and again so many of roles that have some right to it
SERVICES = tuple(table())


def routes(door: Door) -> Mapping[tuple[str, str], str]:
    """The action of every route that is an action: all but those of health and of the platform itself."""
    found: dict[tuple[str, str], str] = {}
    for context in iter_route_contexts(door.app.routes):
        route: Any = context.original_route
        if isinstance(route, APIRoute) and not route.path.startswith(("/health/", "/development/", "/metrics")):
            found |= {(method, route.path_format): route.name for method in route.methods or ()}
    return found


async def plant(door: Door) -> None:
    """Streams of every kind, of the caller and of somebody else."""
    for category in STREAMS.values():
        for opener, name in ((Opener.MYSELF, ME), (Opener.ANOTHER, ANOTHER)):
            await door.plant(category, key_of(category, opener), OFFICE, name)


def without_correlation(answer: httpx2.Response) -> str:
    """All of an answer that does not name the request."""
    body = {name: value for name, value in answer.json().items() if name != "correlation"}
    headers = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    return json.dumps([answer.status_code, body, headers], ensure_ascii=False)


def judged(
    cell: Cell, ask: Ask, written: Mapping[str, Mapping[str, str]], answer: httpx2.Response
) -> tuple[Answer, Sequence[str]]:
    """What the table promises of a cell, and where something else came, a line that says so."""
    promised = ask.promised(written[cell.action].get(cell.role), cell)
    if told(answer) == ask.answers(promised):
        return promised, ()
    return promised, [f"{cell}: {promised} was promised, {answer.status_code} {answer.text[:200]} came"]


@pytest.fixture
def quiet() -> Iterator[None]:
    """No line in the log for each of so many requests."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("service", SERVICES)
async def test_every_cell_is_answered_as_the_table_says(service: str, tmp_path: Path) -> None:
    written = table()[service]
    due: set[Cell] = set()
    sent: set[Cell] = set()
    wrong: list[str] = []
    absences: set[str] = set()
    async with open_door(service, tmp_path) as door:
        found = routes(door)
        assert sorted(found.values()) == sorted(written), "every action is a route, every route an action"
        await plant(door)
        for ask in asks(door.app.openapi(), found):
            due |= set(cells(ask.action, ask.target, ask.openers))
            for cell in cells(ask.action, ask.target, ask.openers):
                at = ask.target.places()[cell.relation]
                answer = await ask.send(door.client, door.token(ME, cell.role, at), cell.opener, key_of)
                sent.add(cell)
                promised, fault = judged(cell, ask, written, answer)
                wrong += fault
                if promised is Answer.ABSENT and not fault:
                    absences.add(without_correlation(answer))
    assert not wrong, "\n".join([f"{len(wrong)} of {len(sent)} cells:", *wrong[:20]])
    assert sent == due
    assert len(absences) == 1, "what is not there and what nobody may know of look the same"


REAL_ORGANS: Mapping[str, str] = {
    "session": f"{VILLAGE}.deliberation-committee",
    "committee": f"{VILLAGE}.deliberation-committee",
    "workstation": f"{TOWN}.member-workstation",
    "calendar": f"{COUNTY}.county-government",
}
"""Where a real stream of a kind belongs, if not to the office that received what it is about."""


@pytest.mark.usefixtures("quiet")
async def test_a_sample_of_the_cells_is_answered_so_by_the_running_platform(platform: Platform, tmp_path: Path) -> None:
    await all_ready(platform)
    async with Town(platform.endpoints, platform.issuer, TOWN, VILLAGE) as town:
        place = Place(town, "己巳")
        await settle(place, 1)
        await move_deadlines(place)
    names = {kind: name for name, kind in STREAMS.items()}
    wrong: list[str] = []

    def key(category: str, opener: Opener) -> str:
        return place.ids[names[category]][0] if opener is Opener.ANOTHER else key_of(category, opener)

    for service, url in platform.endpoints.services.items():
        async with open_door(service, tmp_path) as door, httpx2.AsyncClient(base_url=url, trust_env=False) as client:
            document = (await client.get("/openapi.json")).json()
            for cell, ask in sample(asks(document, routes(door)), table()[service]):
                at = ask.target.places()[cell.relation]
                token = platform.issuer.issue(ME, [Grant(role=cell.role, at=at)])
                answer = await ask.send(client, token, cell.opener, key)
                wrong += judged(cell, ask, table()[service], answer)[1]
    assert not wrong, "\n".join([f"{len(wrong)} cells:", *wrong[:20]])


def sample(every: Iterable[Ask], written: Mapping[str, Mapping[str, str]]) -> Sequence[tuple[Cell, Ask]]:
    """Some cells of every action, the same each time; half of them cells where the role has some right."""
    chosen: list[tuple[Cell, Ask]] = []
    draw = Random(1)  # noqa: S311 - no secret
    for ask in every:
        organs = [REAL_ORGANS[kind] for kind in ask.streams.values() if kind in REAL_ORGANS]
        here = replace(ask, target=Target(organs[0])) if organs else ask
        asked = [cell for cell in cells(here.action, here.target, here.openers) if cell.opener is not Opener.MYSELF]
        named = [cell for cell in asked if cell.role in written[cell.action]]
        chosen += [(cell, here) for cell in (*draw.sample(asked, EACH), *draw.sample(named, EACH))]
    return chosen
