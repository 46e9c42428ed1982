"""Rehearsal: writes a year, counts its answers, has it lived, and compares what is told."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeAlias

from deploy.local.platform import Platform, running
from deploy.local.settings import Settings
from tests.rehearsal.answers import answers, questions
from tests.rehearsal.calls import NotAsPlanned
from tests.rehearsal.fact_store import FactStore, embedded, new_home
from tests.rehearsal.fast import Stage
from tests.rehearsal.figures import Asked, Figures, difference
from tests.rehearsal.live import Inhabitants, live
from tests.rehearsal.writer import write
from tests.rehearsal.year import Year
from vocabulary.calendar import SHANGHAI

Told: TypeAlias = Callable[[Asked], Awaitable[Figures]]
"""Tells the figures of a year that was lived."""


LIVE_MATTERS = 12
TOGETHER = 3  # counties
OF_A_PLATFORM = 150  # seeds: its clock would come to the last year that may be told
Say: TypeAlias = Callable[[str], None]


async def in_memory(seeds: Iterable[int], say: Say) -> Sequence[str]:
    """Live the years of these seeds one after the other; return what differs in the first that is told wrong."""
    async with embedded() as store:
        for seed in seeds:
            year = write(seed)
            wrong = await lived_in_memory(year, store)
            if wrong:
                return [f"seed {seed}: {line}" for line in wrong]
            say(f"{year}: as counted")
    return ()


async def lived_in_memory(year: Year, store: FactStore) -> Sequence[str]:
    """Live a year in memory; return a line for each figure that differs from what was counted before."""
    expected = answer_sheet(year)
    stage = Stage()
    try:
        await stage.live(year)
    except NotAsPlanned as refusal:
        return [str(refusal)]
    await store.fill(stage.published())
    return await compared(expected, partial(store.figures, year.county))


async def on_a_platform(seeds: Iterable[int], say: Say) -> Sequence[str]:
    """Live small years of these seeds on platforms of their own; return what differs in the first that is told wrong.

    Several counties live one year together; the next ones live the year after the next.
    """
    following = datetime.now(SHANGHAI).year + 1
    for some in batched(seeds, OF_A_PLATFORM):
        with new_home() as home:
            async with running(Settings(home=home), say) as platform:
                for number, together in enumerate(batched(some, TOGETHER)):
                    years = [write(seed, following + 2 * number, LIVE_MATTERS, sparse=True) for seed in together]
                    wrong = await lived_live(years, platform)
                    if wrong:
                        return wrong
                    for year in years:
                        say(f"{year}: as counted")
    return ()


async def lived_live(years: Sequence[Year], platform: Platform) -> Sequence[str]:
    """Live years of one number together; return a line for each figure that differs from what was counted before."""
    expected = {year.seed: answer_sheet(year) for year in years}
    async with AsyncExitStack() as held:
        counties = [Inhabitants(year, platform.endpoints, platform.issuer, held) for year in years]
        try:
            await live(counties, platform.endpoints.services)
        except NotAsPlanned as refusal:
            return [str(refusal)]
        return [
            f"seed {county.year.seed}: {line}"
            for county in counties
            for line in await compared(expected[county.year.seed], county.figures)
        ]


def batched(seeds: Iterable[int], size: int) -> Iterator[Sequence[int]]:
    left = iter(seeds)
    while some := list(islice(left, size)):
        yield some


def answer_sheet(year: Year) -> Mapping[Asked, Figures]:
    """All that will be asked, and what is to be answered."""
    return {asked: answers(year, asked) for asked in questions(year)}


async def compared(expected: Mapping[Asked, Figures], told: Told) -> Sequence[str]:
    return [line for asked, figures in expected.items() for line in difference(asked, figures, await told(asked))]
