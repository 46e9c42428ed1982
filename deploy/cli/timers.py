"""``shangyi timers``: what falls due in each service, and what an operator may do to one timer by hand."""

import getpass
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.terminal import fail, out, run, running
from deploy.local.settings import Settings
from eventlog.timer_table import NoSuchTimer, StandingTimer, TimerTable
from services.deliberation import admin as deliberation
from services.intake import admin as intake
from services.mediation import admin as mediation
from vocabulary.calendar import SHANGHAI

TABLES = {"intake": intake.timers, "deliberation": deliberation.timers, "mediation": mediation.timers}

app = typer.Typer(help="See what falls due, and put a timer aside by hand.", no_args_is_help=True)

Service = Annotated[str, typer.Argument(help="intake, deliberation or mediation.")]
Stream = Annotated[str, typer.Argument(help="Whose timer, as `shangyi timers list` names it: commitment/….")]
Number = Annotated[int, typer.Argument(help="Which of the stream's timers, as the list numbers them.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is written down, so name no person.")]
County = Annotated[str | None, typer.Option("--county", help="Of this county only.")]


@app.command("list")
def list_(
    service: Annotated[str | None, typer.Option("--service", help="Of one service only.")] = None,
    stream: Annotated[str | None, typer.Option("--stream", help="Of one stream only.")] = None,
    county: County = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many of each service.")] = 50,
) -> None:
    """List what waits, earliest first. A timer put aside falls due no more until its stream changes."""
    table = Table("service", "county", "stream", "n", "command", "due, Shanghai", "", box=None)

    async def fill() -> None:
        for name in [service] if service else TABLES:
            async with _timers_of(name) as timers:
                for timer in await timers.standing(limit, stream, county):
                    state = "put aside" if timer.due_at is None else "due" if timer.due else ""
                    row = (name, timer.tenant, timer.stream, str(timer.n), timer.command, _said(timer.due_at), state)
                    table.add_row(*row)

    run(fill())
    out.print(table if table.row_count else "Nothing waits.")


@app.command()
def cancel(service: Service, stream: Stream, n: Number, reason: Reason, county: County = None) -> None:
    """Put a timer aside, with its reason.

    Its command is not sent. The stream itself is not changed: it still wants what falls due, so the next command that
    it accepts sets the timer anew. What a service has taken up this very second is not called back.
    """
    _do(service, lambda timers: timers.cancel(stream, n, reason, getpass.getuser(), county), "put aside")


@app.command()
def restore(service: Service, stream: Stream, n: Number, reason: Reason, county: County = None) -> None:
    """Let a timer that was put aside fall due when it would have."""
    _do(service, lambda timers: timers.restore(stream, n, reason, getpass.getuser(), county), "restored")


@app.command()
def move(
    service: Service,
    stream: Stream,
    n: Number,
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Shanghai time.")],
    reason: Reason = "development",
    county: County = None,
) -> None:
    """Let one timer fall due at another time (development only).

    Its rule still decides: a deadline that is not over is refused all the same, and the timer put off.
    """
    if not Settings().development:
        raise fail("Timers are moved in development only.", "Set SHANGYI_DEVELOPMENT=1 where no county works.")
    at = to.replace(tzinfo=SHANGHAI)
    _do(service, lambda timers: timers.move(stream, n, at, reason, getpass.getuser(), county), f"moved to {_said(at)}")


@app.command()
def changes(
    service: Service, limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")] = 50
) -> None:
    """List what was done to timers by hand, latest first, with each reason."""
    table = Table("when", "who", "what", "county", "stream", "n", "command", "due, Shanghai", "reason", box=None)

    async def fill() -> None:
        async with _timers_of(service) as timers:
            for one in await timers.interventions(limit):
                named = (one.tenant, one.stream, str(one.n), one.command)
                table.add_row(_said(one.at), one.by_whom, one.done, *named, _said(one.due_at), one.reason)

    run(fill())
    out.print(table if table.row_count else "Nothing was done by hand.")


def _do(service: str, what: Callable[[TimerTable], Awaitable[StandingTimer]], done: str) -> None:
    async def do() -> StandingTimer:
        async with _timers_of(service) as timers:
            return await what(timers)

    try:
        timer = run(do())
    except NoSuchTimer as error:
        raise fail(
            f"No such timer to do that to: {error}.", f"See `shangyi timers list --service {service}`."
        ) from None
    out.print(f"{timer.command} of {timer.stream}, due {_said(timer.due_at)}: {done}.", markup=False)


def _timers_of(service: str) -> AbstractAsyncContextManager[TimerTable]:
    """Give the timers of a service of this home."""
    if service not in TABLES:
        raise fail(f"{service!r} has no timers.", f"{', '.join(TABLES)} have.")
    return TABLES[service](running().postgres_dsns[service])


def _said(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
