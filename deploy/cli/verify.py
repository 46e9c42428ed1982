"""``shangyi verify``: whether logs, topics, fact store and read models say the same."""

from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from deploy.local.endpoints import Endpoints
from deploy.local.errors import NoAnswer
from eventlog.connections import LOST
from eventlog.copies import Told
from eventlog.errors import CorruptHistory, Unavailable
from services.deliberation import admin as deliberation
from services.intake import admin as intake
from services.mediation import admin as mediation
from services.reporting import admin as reporting

Verify = Callable[[str, str, Told], Awaitable[str | None]]

PARTS: dict[str, Verify] = {
    "intake": intake.verify,
    "deliberation": deliberation.verify,
    "mediation": mediation.verify,
    "reporting": reporting.verify_all,
}


async def verify(endpoints: Endpoints, out: Console) -> str | None:
    """Verify service by service, while they run, showing how far it is; return the first difference."""
    with _Bars(out) as bars:
        for name, part in PARTS.items():
            difference = await _verified(part, endpoints.postgres_dsns[name], endpoints.kafka_bootstrap, bars.of(name))
            if difference is not None:
                return f"{name}: {difference}"
    return None


async def _verified(part: Verify, dsn: str, kafka_bootstrap: str, told: Told) -> str | None:
    try:
        return await part(dsn, kafka_bootstrap, told)
    except CorruptHistory as error:  # the same on both sides, and still nothing that can be read
        return str(error)
    except (Unavailable, *LOST) as error:
        raise NoAnswer(
            f"What is to be compared does not answer: {type(error).__name__}.", "Ask `shangyi status` what is away."
        ) from error


class _Bars:
    """A progress bar for everything that is looked at."""

    def __init__(self, out: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}"),
            console=out,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def of(self, service: str) -> Told:
        def told(what: str, done: int, of: int) -> None:
            name = f"{service}: {what}"
            if name not in self._tasks:
                self._tasks[name] = self._progress.add_task(name, total=of)
            self._progress.update(self._tasks[name], completed=done, total=of)

        return told

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
