"""Terminal: how every command finds its platform, runs its work and says what went wrong."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer
from rich.console import Console

from deploy.cli import imports
from deploy.local.endpoints import Endpoints
from deploy.local.errors import LocalError
from deploy.local.home import Home
from deploy.local.person import Refused
from deploy.local.rest import NotAtRest
from deploy.local.settings import Settings

out = Console(highlight=False, soft_wrap=True)


def home() -> Home:
    return Home(Settings().home)


def running() -> Endpoints:
    """Where the running platform of this home is reached; ends the command where none runs."""
    endpoints = home().endpoints()
    if endpoints is None:
        raise fail(f"No platform runs on {Settings().home}.", "Start it with `make run` or `shangyi up`.")
    return endpoints


def fail(says: str, remedy: str) -> typer.Exit:
    out.print(f"[red]{says}[/]\n→ {remedy}")
    return typer.Exit(1)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a command's work; turn what can be helped into a sentence and a remedy."""
    try:
        return asyncio.run(work)
    except LocalError as error:
        raise fail(error.says, error.remedy) from None
    except imports.FileRefused as error:
        raise fail(str(error), "Save it as CSV in UTF-8, with the columns the command's help names.") from None
    except Refused as error:
        raise fail(str(error), "Nothing was changed by the refused call.") from None
    except NotAtRest as error:
        remedy = f"See `shangyi status` and {home().logs}."
        raise fail(f"The platform does not come to rest: {error}", remedy) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
