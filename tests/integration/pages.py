"""Pages of docs that show a change as diffs, and are followed in a copy of the code to see that they are true."""

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Outdated(Exception):
    """The page no longer says how it is done."""


@dataclass(frozen=True)
class Page:
    """A page, by its name in docs."""

    name: str

    @property
    def text(self) -> str:
        return (ROOT / "docs" / self.name).read_text("utf-8")

    def diffs(self) -> Mapping[str, str]:
        """The diffs that stand on it, by the file each is for."""
        blocks: list[str] = re.findall(r"^```diff\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)
        found = {name: block for block in blocks for name in re.findall(r"^\+\+\+ b/(.+)$", block, re.MULTILINE)}
        if len(found) != len(blocks):
            raise Outdated(f"{self.name}: every diff is of one file, and no file has two")
        return found

    def apply(self, file: str, house: Path) -> None:
        """Change one file as the page says. Raises Outdated: it is no longer as the diff expects it."""
        done = subprocess.run(
            ["git", "apply", "-"],
            cwd=house,
            input=self.diffs()[file].encode(),
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(house.parent)},  # a copy in a repository is none of it
            capture_output=True,
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.decode().split())
            raise Outdated(f"{self.name} has to follow the code, one of its diffs no longer applies: {said}")

    def follow(self, house: Path, folders: Collection[str], *, without: Collection[str] = ()) -> Path:
        """Copy these folders, and change them as the page says, but for some files; return the copy."""
        for folder in folders:
            shutil.copytree(ROOT / folder, house / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in self.diffs():
            if file not in without:
                self.apply(file, house)
        return house
