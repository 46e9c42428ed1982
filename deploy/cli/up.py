"""``shangyi up``: from nothing to a town's report, and then a quiet live status until Ctrl-C."""

import asyncio
import os
import signal
from datetime import date, datetime
from enum import Enum

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.cli.report import work_report
from deploy.cli.sample import sample_year
from deploy.cli.status import LOOK, look, picture
from deploy.local.platform import Platform, running
from deploy.local.rest import at_rest
from deploy.local.settings import Settings
from deploy.local.supervisor import Condition
from deploy.sample import demonstration
from deploy.sample.xiangdao import TOWN
from vocabulary.calendar import SHANGHAI


class Show(Enum):
    """What there is to see once everything runs."""

    NOTHING = "nothing"
    DEMONSTRATION = "demonstration"
    SAMPLE = "sample"


async def run(settings: Settings, show: Show, *, once: bool, out: Console) -> None:
    """Start, show, report; stay until told to stop, unless ``once``."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    starting = asyncio.create_task(_play(settings, show, once=once, out=out, told_to_stop=told_to_stop))
    stopping = asyncio.create_task(told_to_stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        out.print("stopping …")
        starting.cancel()
        await asyncio.wait({starting})
    stopping.cancel()
    if not starting.cancelled():
        starting.result()


async def _play(settings: Settings, show: Show, *, once: bool, out: Console, told_to_stop: asyncio.Event) -> None:
    async with running(settings, lambda sentence: out.print(f"[dim]{sentence}[/]")) as platform:
        last = await _shown(platform, show, out)
        await at_rest(platform.endpoints.services)
        await _report(platform, last, out)
        if once:
            return
        _where_next(platform, last, out)
        await _watch(platform, out, told_to_stop)


async def _shown(platform: Platform, show: Show, out: Console) -> date:
    """Play what is to be shown, unless it was before; return the last day to report on."""
    demonstrated, lived = platform.home.run / "demonstrated", platform.home.run / "sampled"
    if show is Show.SAMPLE and not lived.exists():
        number = await sample_year(platform.endpoints, platform.issuer, platform.home.path, out)
        lived.write_text(str(number))
    if show is Show.DEMONSTRATION and not demonstrated.exists() and not lived.exists():
        out.print("playing a small demonstration: invented matters of one town, through every stage")
        await demonstration.play(platform.endpoints, platform.issuer)
        demonstrated.touch()
    return date(int(lived.read_text()), 12, 31) if lived.exists() else datetime.now(SHANGHAI).date()


async def _report(platform: Platform, last: date, out: Console) -> None:
    for lang in ("zh-CN", "en"):
        first = date(last.year, 1, 1)
        text = await work_report(platform.endpoints, platform.issuer, TOWN, first, last, lang=lang)
        out.print(f"\n{text}", markup=False)


def _where_next(platform: Platform, last: date, out: Console) -> None:
    services, town = platform.endpoints.services, TOWN
    reporting, intake = services["reporting"], services["intake"]
    # The other commands find the home by the same setting.
    at_home = f"SHANGYI_HOME={platform.home.path} " if "SHANGYI_HOME" in os.environ else ""
    out.print("\n[bold]Where to look next[/]")
    for name, url in services.items():
        out.print(f"  {name:<13} {url}/docs")
    out.print(
        f"""
  A token to try (a town officer of {town}, good for a day):
    export TOKEN=$({at_home}.venv/bin/shangyi token --as town-officer --at {town})
  Every figure, with the link to its facts:
    curl -H "Authorization: Bearer $TOKEN" '{reporting}/reports/work?division={town}&from={last.year}-01-01&to={last}'
  The issues behind them:
    curl -H "Authorization: Bearer $TOKEN" '{reporting}/issues?division={town}'
  Say something yourself:
    curl -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s)" \\
      -d '{{"organ": "{town}.town-government", "channel": "hotline", "words": "村口路灯坏了。"}}' {intake}/submissions
  A whole year of a town, beside this one, in a home of its own:
    make run SAMPLE=1
""",
        markup=False,
    )


async def _watch(platform: Platform, out: Console, told_to_stop: asyncio.Event) -> None:
    """Show how everything is doing until told to stop."""
    with Live(console=out, auto_refresh=False, transient=True) as live:
        while not told_to_stop.is_set():
            seen = await look(platform.endpoints.services)
            live.update(Group(picture(seen), Text(), _children(platform)), refresh=True)
            await asyncio.sleep(LOOK)


def _children(platform: Platform) -> Table:
    table = Table("", "", "restarts", box=None, header_style="dim", caption="Ctrl-C stops everything")
    for status in platform.supervisor.statuses():
        colour = "green" if status.condition is Condition.READY else "yellow"
        table.add_row(status.name, f"[{colour}]{status.condition.value}[/]", str(status.restarts))
    return table
