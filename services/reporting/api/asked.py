"""Asked: what every route of reporting needs to know: where to read, which place is meant, and as of when."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Query
from starlette.requests import Request

from eventlog.connections import Pool
from eventlog.shared_keys import SharedKeys
from services.reporting.fact_store.question import Positions, Question
from services.reporting.fact_store.store import positions
from vocabulary.divisions import DivisionCode
from vocabulary.organs import division_of
from vocabulary.words import Day
from web.after import CaughtUp
from web.asking import Asking, AskingRequest
from web.refusal import Refusal


@dataclass(frozen=True)
class Sources:
    """Where answers come from: the rows, and the keys of published texts."""

    pool: Pool
    keys: SharedKeys


async def sources(request: Request) -> Sources:
    """The sources of the app that answers ``request``."""
    found = request.app.state.sources
    if not isinstance(found, Sources):
        raise TypeError("build the app with services.reporting.app")
    return found


Reading = Annotated[Sources, Depends(sources)]


@dataclass(frozen=True)
class Place:
    """A division, and all in it, that the caller may look at."""

    tenant: str
    division: DivisionCode


async def place(
    asking: Asking,
    division: Annotated[
        DivisionCode | None, Query(description="A division and all in it; else the caller's own")
    ] = None,
) -> Place:
    """Raises Forbidden, or Absent where the caller may not even know of it."""
    meant = own_division(asking) if division is None else division
    asking.authorize(meant)
    return Place(asking.tenant, meant)


def own_division(asking: AskingRequest) -> DivisionCode:
    """Where the caller stands: the organ spoken for, else the place of the first role."""
    caller = asking.caller
    return division_of(caller.grants[0].at if caller.organ is None else caller.organ)


AtPlace = Annotated[Place, Depends(place)]


async def question(
    place: AtPlace,
    reading: Reading,
    _: CaughtUp,
    first: Annotated[Day, Query(alias="from", description="First day, Asia/Shanghai")],
    last: Annotated[Day, Query(alias="to", description="Last day, included")],
    at: Annotated[
        str | None,
        Query(
            max_length=100,
            description="The positions of an earlier answer: gives that answer again",
            examples=["intake-57,deliberation-30,mediation-12"],
        ),
    ] = None,
) -> Question:
    """Raises Refusal: 422 period-invalid, 400 at-invalid or at-not-reached."""
    check_period(first, last)
    return Question(
        tenant=place.tenant, division=place.division, first=first, last=last, at=await as_of(reading.pool, at)
    )


Asked = Annotated[Question, Depends(question)]


def check_period(first: date, last: date) -> None:
    if first > last:
        raise Refusal(422, "period-invalid")


async def as_of(pool: Pool, at: str | None) -> Positions:
    """The positions asked for, or those reached by now."""
    now = await positions(pool)
    if at is None:
        return now
    try:
        wanted = Positions.parse(at)
    except ValueError:
        raise Refusal(400, "at-invalid") from None
    if not now.reach(wanted):
        raise Refusal(400, "at-not-reached")
    return wanted
