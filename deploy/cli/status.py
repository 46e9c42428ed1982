"""``shangyi status``: whether all is well, seen in a second; live in a terminal."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias

import httpx2
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from deploy.local.home import Home
from eventlog.vitals import OWN, Behind
from web.lookout import STUCK_AFTER, Working

LOOK = 1.0  # seconds between two looks
PATIENCE = 8.0  # seconds; a service whose servers are away takes a few to say so
LONG = 1.0  # seconds for which an append may be open without a word
SLOW = 5.0  # seconds for which it may be open, or a timer late, without being pointed at

Seen: TypeAlias = Mapping[str, Working | None]
"""What each service says of itself; None: it does not answer."""


class Mood(StrEnum):
    """All that most looks are for."""

    REST = "all is well, nothing is left to do"
    WORK = "all is well, work is on its way"
    DOUBT = "Kafka does not answer; it may be on its way back"
    TROUBLE = "somebody should have a look"


_COLOURS = {Mood.REST: "green", Mood.WORK: "green", Mood.DOUBT: "yellow", Mood.TROUBLE: "red"}


async def show(home: Home, services: Mapping[str, str], out: Console, *, once: bool, as_json: bool) -> Mood:
    """Print how everything is doing, once; in a terminal go on until interrupted, or until the platform has stopped."""
    seen = await look(services)
    if as_json:
        told = {name: None if each is None else each.model_dump(mode="json") for name, each in seen.items()}
        out.print_json(json.dumps(told))
    elif once or not out.is_terminal:
        out.print(picture(seen))
    else:
        seen = await _live(home, services, out, seen)
    return mood(seen)


async def look(services: Mapping[str, str]) -> Seen:
    """Ask every service at once."""
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        told = await asyncio.gather(*(_ask(client, url) for url in services.values()))
    return dict(zip(services, told, strict=True))


async def _ask(client: httpx2.AsyncClient, url: str) -> Working | None:
    try:
        answer = await client.get(f"{url}/health/working")
        return Working.model_validate_json(answer.content)  # 503 says as much as 200
    except (httpx2.TransportError, ValueError):
        return None


async def _live(home: Home, services: Mapping[str, str], out: Console, seen: Seen) -> Seen:
    hint = Text("^C leaves this view; the platform goes on", style="dim")
    try:
        with Live(console=out, auto_refresh=False) as live:
            while home.holder() is not None:
                live.update(Group(picture(seen), Text(), hint), refresh=True)
                await asyncio.sleep(LOOK)
                seen = await look(services)
        out.print("The platform has stopped.")
    except asyncio.CancelledError:  # that is how an interrupt arrives here, and it is no failure
        pass
    return seen


def mood(seen: Seen) -> Mood:
    if any(True for _ in troubles(seen)):
        return Mood.TROUBLE
    answering = [each for each in seen.values() if each is not None]
    if not all(each.kafka for each in answering):
        return Mood.DOUBT
    return Mood.WORK if any(_left(each) for each in answering) else Mood.REST


def troubles(seen: Seen) -> Iterator[str]:
    """Everything that somebody should look into, each in a sentence."""
    for name, each in seen.items():
        if each is None:
            yield f"{name} does not answer"
            continue
        yield from (f"{name}: {reason}" for reason in each.stuck)
        if each.vitals is not None and each.vitals.parked:
            yield f"{name}: what is parked waits for a repair"


def picture(seen: Seen) -> Group:
    """A word, a table, and what is wrong."""
    said = mood(seen)
    head = Text.assemble((" ● ", _COLOURS[said]), ("商议 ", "bold"), (said.value, _COLOURS[said]))
    wrong = [Text(f" {trouble}", style="red") for trouble in troubles(seen)]
    below = [*_besides(seen), *wrong]
    return Group(head, Text(), _table(seen), *([Text(), *below] if below else []))


def _table(seen: Seen) -> Table:
    """One row a service: its log, what it gives on (→) and takes in (←)."""
    sources = [OWN, *(name for name in seen if _publishes(seen, name))]
    table = Table(box=None, header_style="dim", padding=(0, 1))
    table.add_column("", no_wrap=True)
    table.add_column("facts", justify="right", no_wrap=True)
    for heading in ("→topic", *("←itself" if each == OWN else f"←{each}" for each in sources)):
        table.add_column(heading, justify="right")
    for name, each in seen.items():
        table.add_row(name, *_row(each, sources))
    return table


def _publishes(seen: Seen, name: str) -> bool:
    """Whether anybody takes a service's topic in."""
    works = [work for each in seen.values() if each and each.vitals for work in each.vitals.works]
    return any(work.consumer is not None and _origin(work) == name for work in works)


def _row(each: Working | None, sources: list[str]) -> Iterator[Text]:
    if each is None or each.vitals is None:
        yield Text("–", style="red")
        return
    vitals = each.vitals
    relay = next((work for work in vitals.works if work.consumer is None), None)
    taken_in = {_origin(work): work for work in vitals.works if work.consumer is not None}
    yield Text(f"{vitals.settled:,}") if relay is not None else _NOTHING
    yield _lag(relay)
    yield from (_lag(taken_in.get(source)) for source in sources)


def _besides(seen: Seen) -> Iterator[Text]:
    """What is rarely there, and then worth a word: a line a service."""
    for name, each in seen.items():
        words = list(_words(each)) if each is not None else []
        if words:
            yield Text.assemble(f" {name}: ", Text(", ").join(words))


def _words(each: Working) -> Iterator[Text]:
    vitals = each.vitals
    if each.keys_waiting:
        yield _warning(f"{_many(each.keys_waiting, 'key')} to be shared", bad=False)
    if vitals is None:
        return
    if vitals.timers_due:
        late = vitals.timers_late
        yield _warning(f"{_many(vitals.timers_due, 'timer')} due, for {_age(late)}", bad=late > SLOW)
    if vitals.fence is not None and vitals.fence.seconds > LONG:
        pid, open_ = vitals.fence.pid, vitals.fence.seconds
        yield _warning(f"an append open for {_age(open_)} (server process {pid})", bad=open_ > SLOW)
    if vitals.refusals:
        yield Text(f"{_many(vitals.refusals, 'command')} refused", style="yellow")
    if vitals.parked:
        yield Text(f"{_many(vitals.parked, 'stream')} parked", style="red")


_NOTHING = Text("–", style="dim")


def _lag(work: Behind | None) -> Text:
    if work is None:
        return _NOTHING
    if work.facts == 0:
        return Text("even", style="green") if work.led else Text("nobody", style="yellow")
    if work.facts is None:
        return Text("unknown", style="yellow")
    return _warning(f"{work.facts:,} · {_age(max(work.seconds or 0, work.stalled))}", bad=work.stalled > STUCK_AFTER)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _warning(says: str, *, bad: bool) -> Text:
    return Text(says, style="red" if bad else "yellow")


def _age(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


def _left(each: Working) -> bool:
    vitals = each.vitals
    return vitals is not None and bool(vitals.timers_due or each.keys_waiting or any(w.facts for w in vitals.works))


def _origin(work: Behind) -> str:
    return work.source.rpartition(".")[2]
