"""`docs/how-to-add-a-figure.md` is true: its diffs, applied to a copy of the code, are the figure, and none is idle."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from pydantic import JsonValue

from tests.integration.new_figure.village import PRODUCTION, Figure, Seen, Steps, Told
from tests.integration.pages import ROOT, Outdated, Page

PAGE = Page("how-to-add-a-figure.md")
MIGRATIONS = ROOT / "services/reporting/migrations"

FIELD = "facts/intake/issue.py"
FOLD = "services/reporting/read_models/issues.py"
FIGURE = "services/reporting/indicators/collection.py"


class Failed(Exception):
    """The program ended with these words."""


# What a village enters: before the change, and after it.
EARLIER: Mapping[str, Steps] = {
    "classified before": [("classify", {"category": "livelihood", "key": True})],
}
LATER: Mapping[str, Steps] = {
    "never classified": [],
    "by a program of before": [("classify", {"category": "livelihood", "key": True})],
    "an old bridge": [("classify", {"category": "livelihood", "key": False, "long_standing": True})],
    "an old dump": [
        ("classify", {"category": "livelihood", "key": False}),
        ("classify", {"category": "environment", "key": True, "long_standing": True}),
    ],
    "not that old": [
        ("classify", {"category": "livelihood", "key": False, "long_standing": True}),
        ("classify", {"category": "livelihood", "key": False, "long_standing": False}),
    ],
    "withdrawn": [
        ("classify", {"category": "livelihood", "key": False, "long_standing": True}),
        ("withdraw", {"reason": "已修好"}),
    ],
}
LONG_STANDING = {
    "classified before": False,
    "never classified": False,
    "by a program of before": False,
    "an old bridge": True,
    "an old dump": True,
    "not that old": False,
    "withdrawn": True,
}
"""What the list of issues says of each."""

THE_FIGURE = Figure(
    value=2,
    by={"livelihood": 1, "environment": 1},
    facts=["an old bridge", "an old dump"],
    behind={"livelihood": ["an old bridge"], "environment": ["an old dump"]},
    last_year=0,
)


@dataclass(frozen=True)
class After:
    """What a village saw after the change, its issues by their names."""

    figure: Figure | None
    listed: Mapping[str, JsonValue]
    verified: str | None = None


@dataclass(frozen=True)
class Village:
    """A database that the code as it is has filled, and copies of the code to go on with."""

    postgres: str
    database: str
    entered: Mapping[str, str]
    keys: Path
    copies: Path

    async def follow(self, *, without: str | None = None) -> After:
        """Follow the page, but for one file, and go on with what the code before it has left. Raises Failed."""
        left_out = () if without is None else (without,)
        house = PAGE.follow(self.copies / uuid4().hex, PRODUCTION, without=left_out)
        async with new_database(self.postgres, self.database) as name:
            seen = run(house, dsn_of(self.postgres, name), self.keys, LATER)
        assert seen.strays == []
        names = {key: name for name, key in {**self.entered, **seen.entered}.items()}
        return After(
            figure=None if seen.figure is None else named(seen.figure, names),
            listed={names[key]: issue.get("long_standing") for key, issue in seen.listed.items()},
            verified=seen.verified,
        )


@pytest.fixture(scope="module")
async def village(postgres: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Village]:
    keys = tmp_path_factory.mktemp("keys")
    async with new_database(postgres, template) as name:
        seen = run(ROOT, dsn_of(postgres, name), keys, EARLIER)
        assert (seen.figure, seen.verified) == (None, None)
        yield Village(postgres, name, seen.entered, keys, tmp_path_factory.mktemp("houses"))


class TestThePage:
    def test_changes_four_files_and_the_migration_is_the_next_one(self) -> None:
        number = max(int(file.name[:3]) for file in MIGRATIONS.glob("*.sql")) + 1
        assert set(PAGE.diffs()) == {
            FIELD,
            FOLD,
            f"services/reporting/migrations/{number:03}-long-standing.sql",
            FIGURE,
        }

    @pytest.mark.parametrize(
        ("file", "line"), [(FIELD, "    key: Flag"), (FOLD, "    key: bool"), (FIGURE, "KEY_ISSUES,")]
    )
    def test_that_no_longer_fits_says_so(self, tmp_path: Path, file: str, line: str) -> None:
        before = (ROOT / file).read_text("utf-8")
        assert line in before
        changed = tmp_path / file
        changed.parent.mkdir(parents=True)
        changed.write_text(before.replace(line, "    # something else\n"), encoding="utf-8")
        with pytest.raises(Outdated, match=f"how-to-add-a-figure.md .* no longer applies.*{re.escape(file)}"):
            PAGE.apply(file, tmp_path)

    async def test_gives_the_figure_its_facts_and_the_list(self, village: Village) -> None:
        """Facts stored before it are read once more too, by ``verified``: not long-standing, as their rows say."""
        assert await village.follow() == After(figure=THE_FIGURE, listed=LONG_STANDING)


class TestWithout:
    """None of the four files is idle. The page says what happens; this is it."""

    async def test_the_field_reporting_does_not_start(self, village: Village) -> None:
        with pytest.raises(Failed, match="Classification has no long_standing"):
            await village.follow(without=FIELD)

    async def test_the_fold_the_list_does_not_say_which(self, village: Village) -> None:
        after = await village.follow(without=FOLD)
        assert after == After(figure=THE_FIGURE, listed=dict.fromkeys(LONG_STANDING))

    async def test_the_column_no_issue_is_taken_in(self, village: Village) -> None:
        [migration] = [file for file in PAGE.diffs() if file.endswith(".sql")]
        with pytest.raises(Failed, match='column "long_standing" of relation "issues" does not exist'):
            await village.follow(without=migration)

    async def test_the_figure_the_report_does_not_tell_it(self, village: Village) -> None:
        after = await village.follow(without=FIGURE)
        assert after == After(figure=None, listed=LONG_STANDING)


def run(house: Path, database: str, keys: Path, issues: Mapping[str, Steps]) -> Seen:
    """Run the village in a copy of the house and return what was seen. Raises Failed."""
    told = Told(database=database, keys=keys, issues=issues, slug="long-standing-issues")
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.new_figure.village"],
        cwd=house,
        input=told.model_dump_json().encode(),
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # after the working directory: of here come the tests only
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise Failed(done.stderr.decode())
    return Seen.model_validate_json(done.stdout.splitlines()[-1])  # the lines before it are the services' logs


@asynccontextmanager
async def new_database(postgres: str, template: str) -> AsyncGenerator[str]:
    """The name of a database that begins as a copy of ``template``."""
    name = f"test_figure_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(f"create database {name} template {template}")
        yield name
        await connection.execute(f"drop database {name} with (force)")
    finally:
        await connection.close()


def dsn_of(postgres: str, database: str) -> str:
    return urlsplit(postgres)._replace(path=f"/{database}").geturl()


def named(figure: Figure, names: Mapping[str, str]) -> Figure:
    return figure.model_copy(
        update={
            "facts": [names[key] for key in figure.facts],
            "behind": {by: [names[key] for key in facts] for by, facts in figure.behind.items()},
        }
    )
