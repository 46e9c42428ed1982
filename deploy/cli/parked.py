"""``shangyi parked`` and ``shangyi refusals``: what waits for somebody, and what nobody was there to be told."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from deploy.cli.desks import desks
from deploy.cli.terminal import fail, out, run, running
from deploy.local.endpoints import Endpoints
from eventlog.parked import ParkedStream, Place, Reference
from eventlog.refusals import RefusedCommand

PATIENCE = 60.0  # seconds until a running service should have tried
LOOK = 0.2

app = typer.Typer(help="What could not be taken in, and waits for a repair.", no_args_is_help=True)


@app.command("list")
def list_parked() -> None:
    """List the parked streams of all services, longest parked first."""
    found = run(everywhere(running()))
    if not found:
        out.print("Nothing is parked.")
        return
    table = Table("service", "waits", "stream", "county", "since", "facts", "fails on", "kind", "tries", box=None)
    for service, each in found:
        table.add_row(
            service,
            _waits(each.effect, each.source),
            each.stream,
            each.tenant,
            f"{each.since:%Y-%m-%d %H:%M}",
            str(each.facts),
            f"{each.name} at {each.position}",
            each.error,
            f"{each.attempts}{', asked for again' if each.asked else ''}",
        )
    out.print(table)


@app.command("show")
def show(stream: Annotated[str, typer.Argument(help="A stream as `list` names it.")]) -> None:
    """Show where the parked facts of a stream lie; what they say stays where it is."""
    endpoints = running()

    async def found() -> list[tuple[str, Place, Reference]]:
        return [
            (service, place, reference)
            for service, desk in desks().items()
            for place, reference in await desk.parked_facts(endpoints.postgres_dsns[service], stream)
        ]

    table = Table("service", "waits", "position", "fact", "id", "kind", "tries", box=None)
    for service, place, reference in run(found()):
        table.add_row(
            service,
            _waits(place.effect, place.source),
            str(reference.position),
            reference.name,
            str(reference.fact_id),
            reference.error or "waits behind it",
            str(reference.attempts),
        )
    if not table.row_count:
        raise fail(f"Nothing of {stream} is parked.", "See `shangyi parked list`.")
    out.print(table)


@app.command("retry")
def retry(
    stream: Annotated[str | None, typer.Argument(help="A stream as `list` names it; without it, all of them.")] = None,
) -> None:
    """Have what is parked tried again, once its cause is mended. Nothing is skipped, and nothing taken in twice."""
    endpoints = running()
    asked, left = run(tried(endpoints, stream))
    if not asked:
        raise fail("Nothing is parked.", "See `shangyi parked list`.")
    for service, each in left:
        why = "was not tried yet: does the service run?" if each.asked else f"fails on {each.name}: {each.error}"
        out.print(f"[red]still parked[/] {each.stream} in {service}, {_waits(each.effect, each.source)}: {why}")
    out.print(f"{asked - len(left)} of {asked} taken in.")
    if left:
        raise typer.Exit(1)


def refusals(
    limit: Annotated[int, typer.Option(help="How many of the latest, of each service.", min=1)] = 20,
) -> None:
    """List the latest commands of reactions and timers that a rule refused: no fault, but worth a look."""
    endpoints = running()

    async def found() -> list[tuple[str, RefusedCommand]]:
        return [
            (service, refusal)
            for service, desk in desks().items()
            for refusal in await desk.refusals(endpoints.postgres_dsns[service], limit)
        ]

    table = Table("service", "at", "sent by", "command", "to", "county", "refused as", box=None)
    for service, each in run(found()):
        at = f"{each.at:%Y-%m-%d %H:%M}"
        table.add_row(service, at, each.sender, each.command, each.stream, each.tenant, each.code)
    out.print(table if table.row_count else "No command was refused.")


async def everywhere(endpoints: Endpoints) -> Sequence[tuple[str, ParkedStream]]:
    """Return each parked stream with its service, longest parked first."""
    found = [
        (service, stream)
        for service, desk in desks().items()
        for stream in await desk.parked_streams(endpoints.postgres_dsns[service])
    ]
    return sorted(found, key=lambda each: each[1].since)


async def tried(endpoints: Endpoints, stream: str | None) -> tuple[int, Sequence[tuple[str, ParkedStream]]]:
    """Ask for a stream, or for all; return how many were asked for, and which of them are parked still."""
    asked = sum([await desk.ask_again(endpoints.postgres_dsns[name], stream) for name, desk in desks().items()])
    looks = int(PATIENCE / LOOK)
    while True:
        left = [each for each in await everywhere(endpoints) if stream in {None, each[1].stream}]
        looks -= 1
        if looks < 0 or not any(each.asked for _, each in left):
            return asked, left
        await asyncio.sleep(LOOK)


def _waits(effect: str, source: str) -> str:
    return f"{effect} of {source}"
