"""Publishing and correcting the county's working calendar, by which deadlines are counted."""

from typing import Annotated

from fastapi import Path

from eventlog.facts import Value
from services.intake.domain.calendar import CorrectCalendar, PublishCalendar, Published, State, calendar
from vocabulary.calendar import YearTable
from vocabulary.organs import OrganKind, organ_id
from vocabulary.words import Line, Year
from web.commands import Commands, Created
from web.routing import APIRouter

YearNamed = Annotated[str, Path(pattern=r"^(?:19|20|21)[0-9]{2}$", examples=["2026"])]
"""The calendar's key: its year."""

router = APIRouter(prefix="/calendars", tags=["calendar"])


@router.post("", status_code=201, summary="Publish a year's calendar")
async def publish_calendar(body: PublishCalendar, commands: Commands) -> Created:
    """Put the county's own table of a year in place of the one that came with the program.

    Open deadlines that it moves are counted again in every service.
    """
    owner = organ_id(commands.tenant, OrganKind.COUNTY_GOVERNMENT)
    return await commands.create(calendar, body, organ=owner, key=body.year)


@router.post("/{year}/correct", status_code=204, summary="Correct a year's calendar")
async def correct_calendar(year: YearNamed, body: CorrectCalendar, commands: Commands) -> None:
    """Put another table in place of the one published: the whole of it.

    Open deadlines that it moves are counted again in every service. Reporting lists them under this request's
    X-Correlation-Id (`GET /moved-deadlines`).
    """
    await commands.send(calendar, year, body)


class CalendarShown(Value):
    year: Year
    table: YearTable
    source: Line


@router.get("/{year}", summary="Show a year's calendar")
async def show_calendar(year: YearNamed, commands: Commands) -> CalendarShown:
    """Show the county's table of a year; where it published none, the one that came with the program holds."""
    state: State = (await commands.head(calendar, year)).state
    if not isinstance(state, Published):
        raise TypeError("a calendar's history begins with its publication")
    return CalendarShown(**dict(state))
