"""Real input: a county's villages and a city's letters, taken in, taken in again, and taken in through crashes."""

import asyncio
import csv
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import imports
from deploy.local.person import Person
from deploy.local.platform import Platform
from deploy.local.rest import at_rest
from deploy.sample.town import Town
from tests.system.copies import Copy, agree, fetch
from tests.system.processes import all_ready, kill, restarted, until
from tests.system.towns import COUNTY, NewTown

FIRST, LAST = date(2010, 1, 1), date(2020, 12, 31)  # the years that the letters were written in
SLICE = 400
BEFORE_KILL = 100  # rows in the log, so that the kill meets the import at work

pytestmark = pytest.mark.needs_shared


def silently(_: int) -> None: ...


@pytest.fixture(scope="module")
def letters(shared_data: Path) -> Path:
    """2,550 messages of residents to a city government."""
    return shared_data / "messages-teddy2020" / "annex3_messages.csv"


@pytest.fixture
def some_letters(letters: Path, tmp_path: Path) -> Path:
    """The first of them."""
    return cut(letters, tmp_path / "letters.csv", slice(0, SLICE))


class TestDivisions:
    async def test_a_county_is_registered_once_though_names_repeat(self, platform: Platform, shared_data: Path) -> None:
        villages = shared_data / "divisions" / "gaotai_villages.csv"
        with villages.open(encoding="utf-8") as file:
            names = Counter(row["village_name"] for row in csv.DictReader(file))
        assert names.total() == 146
        assert max(names.values()) > 1, "a name is not a key"
        async with Person(platform.endpoints, platform.issuer, "registrar", {"sys-admin": COUNTY}) as registrar:
            first = await imports.divisions(registrar, villages, date(2024, 1, 1), silently)
            again = await imports.divisions(registrar, villages, date(2024, 1, 1), silently)
        assert first == imports.Imported(accepted=146)
        assert again == imports.Imported(repeated=146)
        await at_rest(platform.endpoints.services)
        kept = [fact for fact in await agree(platform.endpoints, "intake") if is_of_the_list(fact)]
        assert len({fact["stream"] for fact in kept}) == len(kept) == 146
        assert Counter(data_of(fact)["name"] for fact in kept) == names


class TestLetters:
    async def test_every_row_is_taken_in_once_through_a_kill_of_intake(
        self, platform: Platform, town: NewTown, letters: Path
    ) -> None:
        a_town = await town()
        first = await import_through_kill(platform, a_town, letters, "intake")
        assert (first.accepted, first.repeated, first.refusals) == (2_550, 0, {})
        assert await send(a_town, letters) == imports.Imported(repeated=2_550)
        await a_town.rest()
        await check_all_there(platform, a_town, letters)
        await check_reporting(a_town, 2_550)

    @pytest.mark.parametrize("child", ["kafka", "postgres"])
    async def test_nothing_is_lost_or_doubled_through_a_kill_of(
        self, platform: Platform, town: NewTown, some_letters: Path, child: str
    ) -> None:
        a_town = await town()
        first = await import_through_kill(platform, a_town, some_letters, child)
        assert first == imports.Imported(accepted=SLICE)
        assert await send(a_town, some_letters) == imports.Imported(repeated=SLICE)
        await a_town.rest()
        await check_all_there(platform, a_town, some_letters)
        await check_reporting(a_town, SLICE)

    async def test_an_import_broken_off_with_all_servers_is_run_again(
        self, platform: Platform, town: NewTown, some_letters: Path
    ) -> None:
        a_town = await town()
        importing = asyncio.create_task(send(a_town, some_letters))
        await received_at_least(platform, a_town, BEFORE_KILL)
        killed = {child: kill(platform.home, child) for child in ("intake", "kafka", "postgres")}
        importing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await importing
        for child, pid in killed.items():
            await restarted(platform, child, pid)
        again = await send(a_town, some_letters)
        assert again.accepted + again.repeated == SLICE
        assert again.repeated >= BEFORE_KILL
        await a_town.rest()
        await check_all_there(platform, a_town, some_letters)
        await check_reporting(a_town, SLICE)

    async def test_what_cannot_be_read_is_refused_by_row_and_code(
        self, platform: Platform, town: NewTown, letters: Path, tmp_path: Path
    ) -> None:
        a_town = await town()
        damaged = cut(letters, tmp_path / "damaged.csv", slice(0, 40), damages())
        done = await send(a_town, damaged)
        refusals = {
            3: "row-said-at",
            5: "row-reference",
            8: "row-words",
            9: "row-name",
            11: "row-said-at",
            13: "row-reference-twice",
        }
        assert done == imports.Imported(accepted=34, refusals=refusals)
        await a_town.rest()
        await check_reporting(a_town, 34)


def cut(letters: Path, to: Path, rows: slice, damages: Mapping[int, Mapping[str, str]] | None = None) -> Path:
    """Write some rows, with cells of some (by row number, the heading being 1) replaced."""
    with letters.open(encoding="utf-8", newline="") as file:
        kept: list[dict[str, str]] = list(csv.DictReader(file))[rows]
    for number, cells in (damages or {}).items():
        kept[number - 2].update(cells)
    with to.open("w", encoding="utf-8", newline="") as file:
        writing = csv.DictWriter(file, list(kept[0]))
        writing.writeheader()
        writing.writerows(kept)
    return to


def damages() -> Mapping[int, Mapping[str, str]]:
    """What real files come with: an impossible day, no number, no words, a broken name, a number twice, a formula."""
    return {
        3: {"留言时间": "2019/2/30 11:25:05"},
        5: {"留言编号": ""},
        8: {"留言主题": " ", "留言详情": "\n\t\t\t\n"},
        9: {"留言用户": "A\x07B"},
        11: {"留言时间": "43525.476"},
        13: {"留言编号": "188006"},
    }


def is_of_the_list(fact: Copy) -> bool:
    return fact["name"] == "division-registered" and data_of(fact)["provisional"] is True


def data_of(fact: Copy) -> Mapping[str, Any]:
    data = fact["data"]
    assert isinstance(data, dict)
    return data  # pyright: ignore[reportUnknownVariableType] - JSON


async def send(town: Town, file: Path) -> imports.Imported:
    """Import a file for the town's government, as `shangyi import submissions` does."""
    return await imports.submissions(town.officer, file, town.organ, f"letters-{town.code}", silently)


async def import_through_kill(platform: Platform, town: Town, file: Path, child: str) -> imports.Imported:
    """Import a file; kill ``child`` on the way; the importer waits and goes on."""
    importing = asyncio.create_task(send(town, file))
    await received_at_least(platform, town, BEFORE_KILL)
    assert not importing.done()
    killed = kill(platform.home, child)
    done = await importing
    await restarted(platform, child, killed)
    await all_ready(platform)
    return done


async def received_at_least(platform: Platform, town: Town, rows: int) -> None:
    """Return once the log has so many submissions of the town."""

    async def there() -> bool:
        found = await fetch(
            platform.endpoints.postgres_dsns["intake"],
            "select count(*) from eventlog.facts where name = 'submission-received' and organ = $1",
            town.organ,
        )
        return int(found[0][0]) >= rows

    await until(there, 30)


async def check_all_there(platform: Platform, town: Town, file: Path) -> None:
    """Log, topic and fact store agree, and each row is exactly one submission in them."""
    facts = [fact for fact in await agree(platform.endpoints, "intake") if fact["organ"] == town.organ]
    assert {fact["name"] for fact in facts} == {"submission-received"}
    with file.open(encoding="utf-8", newline="") as lines:
        references = [row["留言编号"] for row in csv.DictReader(lines)]
    assert sorted(data_of(fact)["origin"]["reference"] for fact in facts) == sorted(references)
    assert len({fact["stream"] for fact in facts}) == len(facts)


async def check_reporting(town: Town, expected: int) -> None:
    """The figure, its facts and the list all count what intake received."""
    figure = (await town.figures(FIRST, LAST))["opinions-collected"]
    assert figure["value"] == expected
    assert len(await listed(town.reader, figure["facts"])) == expected
    assert len(await listed(town.reader, f"/submissions?division={town.code}")) == expected


async def listed(reader: Person, link: str) -> set[str]:
    """Read a list to its end; return its items, each once, as text."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = (await reader.get("reporting", f"{link}&limit=200" + (f"&cursor={cursor}" if cursor else ""))).json()
        found += [str(item) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            assert len(set(found)) == len(found)
            return set(found)
