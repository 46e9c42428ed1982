"""``shangyi sample``: a whole year of one town, lived in an empty platform."""

from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.endpoints import Endpoints
from deploy.local.errors import NotEmpty
from deploy.local.issuer import Issuer
from deploy.local.rest import progress
from deploy.sample.scenes import live
from vocabulary.calendar import SHANGHAI


async def sample_year(endpoints: Endpoints, issuer: Issuer, home: Path, out: Console) -> int:
    """Live the first whole year that lies ahead; return which it was. Raises NotEmpty, Refused, NotAtRest."""
    if any(service.end for service in (await progress(endpoints.services)).values()):
        raise NotEmpty(
            "Something was recorded on this platform before: the sample year needs an empty one.",
            f"Stop it, remove {home} if nothing in it is wanted any more (a year that was broken off, say), and run it "
            "again; or live the year in a home of its own: make run SAMPLE=1",
        )
    number = datetime.now(SHANGHAI).year + 1
    first, last = date(number, 1, 1), date(number, 12, 31)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[day]}"),
        TimeElapsedColumn(),
        console=out,
    ) as bar:
        year = bar.add_task(f"living {number}", total=(last - first).days + 1, day="")
        await live(
            endpoints,
            issuer,
            number,
            lambda day: bar.update(year, completed=(day - first).days + 1, day=f"{day:%m-%d}"),
        )
    return number
