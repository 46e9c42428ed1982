"""Two counties of two towns each, side by side: nothing of one ever shows in an answer to another.

Every GET route of every service is asked, as its OpenAPI document names them: a new one is asked by itself, and a new
parameter has to be told here. What is somebody else's must look, to the byte, like what is not there at all; and what a
town is told of itself must stay the same, figures and all, while others work.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from uuid import uuid4

import httpx2
import pytest

from deploy.local.platform import Platform
from deploy.sample.town import Town
from services.reporting.indicators import BY_SLUG
from services.reporting.indicators.definition import Rate, Term
from tests.system.paths import named_by
from tests.system.places import COUNTY_WIDE, MATTERS, Place, marks_in, move_deadlines, settle, token
from tests.system.processes import all_ready
from vocabulary.calendar import SHANGHAI
from vocabulary.roles import Role

YEAR = datetime.now(SHANGHAI).year
PERIOD = {"from": f"{YEAR}-01-01", "to": f"{YEAR}-12-31"}
POSITIONS = re.compile(r"intake-\d+,deliberation-\d+,mediation-\d+|\"positions\":{[^}]*}")
"""How far the log has come as a whole: the same for everybody, and all that one may learn of others."""

OF_NOBODY = {
    *("from", "to", "at", "after", "limit", "cursor", "lang", "about", "by", "term"),
    *("category", "status", "route", "key", "form", "scale", "source", "dispute", "channel"),
}
"""Parameters that name nothing of anybody's: kinds, days, positions."""


SOME_SLUGS = ("opinions-collected", "adoption-rate", "nothing-of-the-kind")


@dataclass(frozen=True)
class Route:
    """A question of a service: its path, and the parameters that may name something."""

    service: str
    path: str
    query: frozenset[str]
    required: frozenset[str]

    @property
    def named(self) -> Sequence[str]:
        return re.findall(r"{(\w+)}", self.path)


@dataclass(frozen=True)
class Asker:
    """Somebody with every role that fits at ``at``, and the places that are none of theirs."""

    at: str
    token: str
    home: Place
    strangers: Sequence[Place]


async def routes(platform: Platform, client: httpx2.AsyncClient) -> Sequence[Route]:
    """Every GET route of every service, but for those that are about nobody."""
    found: list[Route] = []
    for service, url in platform.endpoints.services.items():
        document = (await client.get(f"{url}/openapi.json")).json()
        for path, operations in document["paths"].items():
            if "get" in operations and not path.startswith("/health/"):
                query = [one for one in operations["get"]["parameters"] if one["in"] == "query"]
                required = frozenset(one["name"] for one in query if one.get("required"))
                found.append(Route(service, path, frozenset(one["name"] for one in query), required))
    return found


class Neighbours:
    """The four places, and everybody who asks."""

    def __init__(self, platform: Platform, routes: Sequence[Route], client: httpx2.AsyncClient) -> None:
        self.platform = platform
        self.routes = routes
        self.client = client
        self.places: list[Place] = []

    async def ask(self, asker: Asker, route: Route, path: Mapping[str, str], query: Mapping[str, str]) -> str:
        """Everything of an answer but what names the request itself, or says how far the log is."""
        url = self.platform.endpoints.services[route.service] + route.path.format(**path)
        required = {name: value for name, value in PERIOD.items() if name in route.required}
        headers = {"Authorization": f"Bearer {asker.token}"}
        answer = await self.client.get(url, params={**required, **query}, headers=headers)
        assert answer.status_code < 500, answer.text
        kept = {name: value for name, value in answer.headers.items() if name not in {"x-correlation-id", "date"}}
        body = re.sub(r'"correlation":"[^"]*"', "", answer.text)
        if POSITIONS.search(body):
            body = POSITIONS.sub("", body)
            kept.pop("content-length")
        return f"{answer.status_code} {json.dumps(kept)} {body}"

    async def own(self, asker: Asker) -> dict[str, str]:
        """What is answered of the asker's own: each thing, the figures, the lists, the facts behind each figure."""
        told: dict[str, str] = {}
        for route in self.routes:
            for path in self.paths(route, asker.home):
                for query in queries(route, asker.at, path):
                    told[f"{route.service} {route.path} {path} {query}"] = await self.ask(asker, route, path, query)
        return told

    def paths(self, route: Route, place: Place) -> Iterator[Mapping[str, str]]:
        """Everything of a place that a path may name."""
        values = [SLUGS if name == "slug" else place.ids[named_by(route.path, name)] for name in route.named]
        for chosen in product(*values):
            yield dict(zip(route.named, chosen, strict=True))


def queries(route: Route, division: str, path: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """How a route is asked of a division: as it stands; of a rate, after each of its terms."""
    at = {"division": division} if "division" in route.query else {}
    if isinstance(BY_SLUG.get(path.get("slug", "")), Rate):
        return [{**at, "term": term} for term in Term]
    return [at]


FOUR = {"620751101": "甲子", "620751102": "乙丑", "620752101": "丙寅", "620752102": "丁卯"}
"""Two towns of one county, two of another, and a word that is in every text of each."""

SLUGS = sorted(BY_SLUG)


def absent(route: Route, name: str, theirs: str) -> str:
    """The like of something, that is nowhere."""
    match name:
        case "year":
            return "2199"
        case "division":
            return f"{theirs[:-3]}998"
        case "matter":
            return f"{theirs[:16]}00000000"
        case "words":
            return "无人说过"
        case _:
            return str(uuid4())


def named_in(route: Route, place: Place) -> Iterator[tuple[str, str]]:
    """Every parameter of a route's query with everything of a place that it may name."""
    for name in sorted(route.query - OF_NOBODY):
        match name:
            case "division":
                yield from ((name, code) for code in (place.town.code, place.town.village))
            case "matter":
                yield from ((name, mark) for mark in sorted(place.marks) if MATTERS.fullmatch(mark))
            case "words":
                yield name, place.word
            case "correction":
                yield from ((name, correction) for correction in place.ids.get("correction", ()))
            case _:
                raise LookupError(f"say what ?{name}= of {route.path} may name")


def asker(platform: Platform, place: Place, everybody: Sequence[Place], *, county: bool) -> Asker:
    at = place.county if county else place.town.code
    roles = [role for role in Role if county or role not in COUNTY_WIDE]
    strangers = [other for other in everybody if other.county != place.county or (not county and other is not place)]
    return Asker(at, token(platform, f"asker-{at}", at, roles), place, strangers)


@pytest.fixture(scope="module")
async def neighbours(platform: Platform) -> AsyncGenerator[Neighbours]:
    """Four places with matters of every kind; what the first was told of itself before there were others, stays."""
    await all_ready(platform)
    async with AsyncExitStack() as open_:
        client = await open_.enter_async_context(httpx2.AsyncClient(trust_env=False, timeout=60))
        neighbours = Neighbours(platform, await routes(platform, client), client)
        for code, word in FOUR.items():
            town = await open_.enter_async_context(Town(platform.endpoints, platform.issuer, code, f"{code}701"))
            neighbours.places.append(Place(town, word, ids={"subject": [], "year": []}))
        yield neighbours


async def test_nothing_of_one_shows_in_an_answer_to_another(neighbours: Neighbours) -> None:
    first, second, third, fourth = neighbours.places
    platform, everybody = neighbours.platform, neighbours.places
    await settle(first, 1)
    await move_deadlines(first)
    await known(neighbours, first)
    alone = await neighbours.own(asker(platform, first, everybody, county=False))
    await settle(second, 2)
    second.own("year", *first.ids["year"])
    await known(neighbours, second)
    county = await neighbours.own(asker(platform, first, everybody, county=True))
    await settle(third, 4)
    await move_deadlines(third)
    await known(neighbours, third)
    await settle(fourth, 8)
    fourth.own("year", *third.ids["year"])
    await known(neighbours, fourth)

    assert await neighbours.own(asker(platform, first, everybody, county=False)) == alone
    assert await neighbours.own(asker(platform, first, everybody, county=True)) == county
    for place, wide in product(everybody, (False, True)):
        await nothing_shows(neighbours, asker(platform, place, everybody, county=wide))


async def known(neighbours: Neighbours, place: Place) -> None:
    """Learn by what the place is known: all ids and codes in what its own county is told of it. All of it is there."""
    there = asker(neighbours.platform, place, [], county=True)
    told = await neighbours.own(Asker(place.town.code, there.token, place, ()))
    for question, answer in told.items():
        assert answer.startswith("200 "), (question, answer)
        place.marks |= marks_in(answer)
    everything = " ".join(told.values())
    place.own("subject", *sorted(set(re.findall(r'"(?:subject|headline_id|person)":"([0-9a-f-]{36})"', everything))))
    place.own("correction", *sorted(set(re.findall(r'"correction":"([0-9a-f-]{36})"', everything))))
    place.marks |= {place.word, place.town.code, f"{place.county}年历"}


async def nothing_shows(neighbours: Neighbours, asker: Asker) -> None:
    """No answer holds a mark of a stranger, and what is a stranger's is answered as what is nowhere."""
    marks = {mark for stranger in asker.strangers for mark in stranger.marks} - asker.home.marks
    for question, answer in (await neighbours.own(asker)).items():
        assert not {mark for mark in marks if mark in answer}, (asker.at, question)
    for route, stranger in product(neighbours.routes, asker.strangers):
        for path in neighbours.paths(route, stranger):
            common = all(value in asker.home.ids.get(named_by(route.path, name), SLUGS) for name, value in path.items())
            if not common:  # a year, or a figure
                await same(neighbours, asker, route, path, {}, {n: absent(route, n, v) for n, v in path.items()}, {})
        for name, value in named_in(route, stranger):
            for path in [{"slug": slug} for slug in SOME_SLUGS] if route.named else [{}]:
                nowhere = {name: absent(route, name, value)}
                await same(neighbours, asker, route, path, {name: value}, path, nowhere)


async def same(
    neighbours: Neighbours,
    asker: Asker,
    route: Route,
    path: Mapping[str, str],
    query: Mapping[str, str],
    other_path: Mapping[str, str],
    other_query: Mapping[str, str],
) -> None:
    """Ask for something of a stranger's and for something that is nowhere: the answers differ in nothing."""
    theirs = await neighbours.ask(asker, route, path, query)
    nowhere = await neighbours.ask(asker, route, other_path, other_query)
    asked, instead = (*path.values(), *query.values()), (*other_path.values(), *other_query.values())
    for value, other in zip(asked, instead, strict=True):
        theirs, nowhere = theirs.replace(value, "ASKED"), nowhere.replace(other, "ASKED")
    assert theirs == nowhere, (asker.at, route.path, path, query)
