"""The commands of ``shangyi``."""

import os
import signal
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.cli import call, imports, keys, parked, rebuild, timers
from deploy.cli.report import PATHS, work_report
from deploy.cli.terminal import fail as _fail
from deploy.cli.terminal import home as _home
from deploy.cli.terminal import out
from deploy.cli.terminal import run as _run
from deploy.cli.terminal import running as _running
from deploy.local.clock import move
from deploy.local.doctor import examine
from deploy.local.endpoints import Endpoints
from deploy.local.home import Home
from deploy.local.issuer import Grant, Issuer
from deploy.local.logs import Logs
from deploy.local.person import Person
from deploy.local.settings import Settings
from deploy.sample.xiangdao import TOWN
from vocabulary.calendar import SHANGHAI
from vocabulary.divisions import DivisionCode, county_of
from vocabulary.organs import OrganId
from vocabulary.roles import Role

_PLACE: TypeAdapter[str] = TypeAdapter(DivisionCode | OrganId)
app = typer.Typer(help="商议: run and look after the platform.", no_args_is_help=True, pretty_exceptions_enable=False)
importing = typer.Typer(help="Bring in files of others.", no_args_is_help=True)
app.add_typer(importing, name="import")
app.add_typer(keys.keys, name="keys")
app.command("erase")(keys.erase)
app.add_typer(timers.app, name="timers")
app.add_typer(parked.app, name="parked")
app.command()(call.call)
app.command()(parked.refusals)
app.command("rebuild")(rebuild.rebuild)
app.add_typer(rebuild.kafka, name="kafka")


@app.command()
def up(
    once: Annotated[bool, typer.Option("--once", help="Stop again after the report.")] = False,
    bare: Annotated[bool, typer.Option("--bare", help="Do not play the demonstration.")] = False,
    sampled: Annotated[
        bool, typer.Option("--sample", help="Live the sample year in place of the demonstration.")
    ] = False,
) -> None:
    """Start everything, play the demonstration on the first start, print the town's report, and stay."""
    from deploy.cli.up import Show, run  # loads all services; the other commands start without

    show = Show.NOTHING if bare else Show.SAMPLE if sampled else Show.DEMONSTRATION
    _run(run(Settings(), show, once=once, out=out))


@app.command()
def sample() -> None:
    """Live a whole year of one town in the running, empty platform (development only), and print its report."""
    from deploy.cli.sample import sample_year

    endpoints, issuer = _running(), Issuer(_home().keys)
    number = _run(sample_year(endpoints, issuer, _home().path, out))
    first, last = date(number, 1, 1), date(number, 12, 31)
    out.print("\n" + _run(work_report(endpoints, issuer, TOWN, first, last, lang="zh-CN")), markup=False)


@app.command()
def status(
    once: Annotated[bool, typer.Option("--once", help="Print it once, also in a terminal.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print once, all there is, as JSON.")] = False,
) -> None:
    """Show whether all is well, live until ^C. The exit code is 1 when somebody should have a look."""
    from deploy.cli.status import Mood, show

    if _run(show(_home(), _running().services, out, once=once, as_json=as_json)) is Mood.TROUBLE:
        raise typer.Exit(1)


@app.command()
def verify() -> None:
    """Compare logs, topics, fact store and read models, while they run, and name the first difference."""
    from deploy.cli import verify as verifying  # loads all services

    difference = _run(verifying.verify(_running(), out))
    if difference is not None:
        raise _fail(difference, "Copy everything as it is before anybody repairs anything.")
    out.print("[green]The same throughout[/]: three logs, their topics, reporting's facts and its read models.")


@app.command()
def stop() -> None:
    """Stop the platform of this home, and everything it started."""
    home = Home(Settings().home)
    pid = home.holder()
    if not pid:
        out.print("Nothing runs here.")
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 15
    while home.holder() is not None:
        if time.monotonic() > until:
            log = Logs(home.logs).file("supervisor")
            raise _fail(f"The platform (process {pid}) did not stop within 15 s.", f"Look into {log}.")
        time.sleep(0.05)
    out.print("Stopped.")


@app.command()
def doctor() -> None:
    """Say what is wrong with this machine or this home, and what to do about it."""
    findings = examine(Settings())
    for finding in findings:
        out.print(f"{'[green]ok[/]   ' if finding.ok else '[red]wrong[/]'} {finding.name}: {finding.says}")
        if not finding.ok:
            out.print(f"      → {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def token(
    role: Annotated[Role, typer.Option("--as", help="The role to hold.")],
    at: Annotated[str, typer.Option("--at", help="Division code or organ id it is held at.")],
    name: Annotated[str, typer.Option("--name", help="Who it is.")] = "somebody",
) -> None:
    """Print a development token, good for a day."""
    _place(at)
    home = _home()
    home.create()
    out.print(Issuer(home.keys).issue(name, [Grant(role=role.value, at=at)], organ=at if "." in at else None))


@app.command()
def report(
    division: Annotated[str, typer.Option("--division", help="Whose report: a county, town or village code.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    form: Annotated[str, typer.Option("--format", help="text, html or json.")] = "text",
    lang: Annotated[str, typer.Option("--lang", help="zh-CN or en.")] = "zh-CN",
    about: Annotated[bool, typer.Option("--about", help="Let 33 sessions read “30余次”.")] = False,
) -> None:
    """Print the work report of a division and period."""
    if form not in PATHS:
        raise _fail(f"No format {form!r}.", f"Ask for {' or '.join(PATHS)}.")
    _place(division)
    endpoints, issuer = _running(), Issuer(_home().keys)
    days = first.date(), last.date()
    sys.stdout.write(_run(work_report(endpoints, issuer, division, *days, form=form, lang=lang, about=about)))


@app.command()
def clock(
    to: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Shanghai time.")],
) -> None:
    """Move the clock of all services forward (development only): what falls due until then happens on its day."""
    _run(move(_running().services, to.replace(tzinfo=SHANGHAI)))
    out.print(f"It is {to:%Y-%m-%d %H:%M} now, and everything that fell due has happened.")


@importing.command("divisions")
def import_divisions(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    valid_from: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Since when they stand.")] = datetime(  # noqa: DTZ001  # a day, not a moment
        2024, 1, 1
    ),
) -> None:
    """Register the towns and villages of a county's list."""

    async def work(endpoints: Endpoints, bar: "_Bar") -> imports.Imported:
        heading, rows = imports.rows_of(file)
        first = dict(zip(heading, next(rows, ()), strict=False))
        if "county_code" not in first:
            raise imports.FileRefused(f"{file.name} has no column county_code, or no rows.")
        county = county_of(_place(first["county_code"]))
        async with Person(endpoints, Issuer(_home().keys), "operator", {"sys-admin": county}) as operator:
            return await imports.divisions(operator, file, valid_from.date(), bar)

    _import(file, work)


@importing.command("submissions")
def import_submissions(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    organ: Annotated[str, typer.Option(help="The organ that received them, such as 620724103.town-government.")],
    system: Annotated[str, typer.Option(help="The system the references come from.")],
) -> None:
    """Receive the submissions of a CSV file; run again after a break, nothing is doubled."""

    async def work(endpoints: Endpoints, bar: "_Bar") -> imports.Imported:
        async with Person(endpoints, Issuer(_home().keys), "operator", {"town-officer": organ}) as operator:
            return await imports.submissions(operator, file, organ, system, bar)

    _import(file, work)


class _Bar:
    """A progress bar that is told how many rows are done."""

    def __init__(self, rows: int) -> None:
        self._progress = Progress(
            TextColumn("{task.completed}/{task.total} rows"), BarColumn(), TimeRemainingColumn(), console=out
        )
        self._task = self._progress.add_task("rows", total=rows)

    def __call__(self, done: int) -> None:
        self._progress.update(self._task, completed=done)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _import(file: Path, work: Any) -> None:
    endpoints = _running()

    async def with_bar() -> imports.Imported:
        _, rows = imports.rows_of(file)
        with _Bar(sum(1 for _ in rows)) as bar:
            result: imports.Imported = await work(endpoints, bar)
            return result

    done = _run(with_bar())
    out.print(f"{done.accepted} accepted, {done.repeated} here before, {len(done.refusals)} refused.")
    for number, code in sorted(done.refusals.items()):
        out.print(f"  row {number}: {code}")
    if done.refusals:
        raise typer.Exit(1)


def _place(text: str) -> str:
    """Let a division code or an organ id through."""
    try:
        return _PLACE.validate_python(text)
    except ValidationError:
        raise _fail(
            f"{text!r} is neither a division code nor an organ id.", "620724103 and 620724103.town-government are."
        ) from None
