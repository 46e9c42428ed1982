"""``shangyi rebuild`` makes a read model anew, ``shangyi kafka rebuild`` all topics, while everything goes on."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.cli.desks import desks
from deploy.cli.terminal import fail, home, out, run, running
from deploy.local.databases import as_role
from deploy.local.republishing import republish
from eventlog.versions import CannotRebuild

kafka = typer.Typer(help="Look after the topics.", no_args_is_help=True)


def rebuild(
    name: Annotated[str, typer.Argument(help="A read model of reporting, such as issues.")],
    back: Annotated[bool, typer.Option("--back", help="Let the version live again that was before.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Drop every version but the live one.")] = False,
) -> None:
    """Make a read model anew from the facts, beside the live one, and exchange them. After a break, run it again."""
    if back and forget:
        raise fail("To go back or to forget: one at a time.", "See `shangyi rebuild --help`.")
    from deploy.local.platform import OWNER  # loads all services
    from services.reporting import admin as reporting

    dsn = as_role(running().postgres_dsns["reporting"], OWNER, home().secret("database-owner"))
    try:
        with Bars() as bars:
            if forget:
                said = f"{run(reporting.forget(dsn, name))} versions of {name} are gone."
            elif back:
                said = f"Version {run(reporting.go_back(dsn, name, bars))} of {name} lives again."
            else:
                done = run(reporting.rebuild(dsn, name, bars))
                said = f"A new version of {name} lives: {done.rows} rows, {done.differing} unlike those before"
                said += f", the first of them {done.first}." if done.first else "."
    except CannotRebuild as error:
        raise fail(f"{error}.", "Nothing was changed for those who read.") from None
    out.print(said)


@kafka.command("rebuild")
def rebuild_topics(
    replication: Annotated[
        int, typer.Option(envvar="SHANGYI_KAFKA_REPLICATION", help="How many brokers keep each topic.", min=1)
    ] = 1,
) -> None:
    """Write all topics again from the logs and have everybody read them anew: nothing is lost, nothing doubled."""
    with Bars() as bars:
        run(republish(running(), desks(), replication, lambda done, of: bars("topics", done, of)))
    out.print("All topics are what their logs say, and everybody has read them.")


class Bars:
    """A bar with the time left for each phase that is told of."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<10}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), console=out
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, phase: str, done: int, of: int) -> None:
        if phase not in self._tasks:
            for earlier in self._tasks.values():
                self._progress.update(earlier, completed=self._progress.tasks[earlier].total)
            self._tasks[phase] = self._progress.add_task(phase, total=of)
        self._progress.update(self._tasks[phase], completed=done, total=of)

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
