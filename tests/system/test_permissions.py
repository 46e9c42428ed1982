"""The table of permissions, sent over HTTP: every action by every role from every place, each cell answered as written.

The whole product goes to the real apps over logs in memory.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from fastapi.routing import APIRoute, iter_route_contexts

from tests.system.asks import OFFICE, STREAMS, asks, key_of, told
from tests.system.cells import Answer, Cell, Opener, cells, table
from tests.system.doors import Door, open_door

ME, ANOTHER = "me", "somebody-else"
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
                answer = await ask.send(door.client, door.token(ME, cell.role, at), cell.opener)
                sent.add(cell)
                promised = ask.promised(written[cell.action].get(cell.role), cell)
                if told(answer) != ask.answers(promised):
                    wrong.append(f"{cell}: {promised} was promised, {answer.status_code} {answer.text[:200]} came")
                elif promised is Answer.ABSENT:
                    absences.add(without_correlation(answer))
    assert not wrong, "\n".join([f"{len(wrong)} of {len(sent)} cells:", *wrong[:20]])
    assert sent == due
    assert len(absences) == 1, "what is not there and what nobody may know of look the same"
