"""The lock: the schema of every version of every fact, with samples of it as the log holds them, one file a service.

It stands in ``facts/lock``, is written by ``make facts-freeze`` and by nothing else, and is read as a diff.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventlog.facts import Data
from tests.contract.facts.schema import Schema

FOLDER = Path(__file__).parents[3] / "facts" / "lock"
RELEASE = "release.json"
WIDTH = 120
DEEP = 5  # fact, version, schema and samples, what stands in them: each on lines of its own


@dataclass(frozen=True)
class Version:
    """One version of a fact. The first sample says the same in every version; each later one says what that lacks."""

    schema: Schema
    samples: Sequence[Data]


@dataclass(frozen=True)
class Locked:
    """One fact: whose it is, and its versions from 1 to the newest."""

    service: str
    versions: Mapping[int, Version]


@dataclass(frozen=True)
class Lock:
    """``released``: the first release, such as 1.0; from then on the lock only grows. None: nothing is released yet."""

    released: str | None = None
    facts: Mapping[str, Locked] = field(default_factory=dict[str, Locked])


def read(folder: Path = FOLDER) -> Lock:
    released: str | None = json.loads((folder / RELEASE).read_text("utf-8"))["released"]
    facts = {
        name: Locked(file.stem, {int(n): Version(**version) for n, version in versions.items()})
        for file in sorted(folder.glob("*.json"))
        if file.name != RELEASE
        for name, versions in json.loads(file.read_text("utf-8")).items()
    }
    return Lock(released, facts)


def write(lock: Lock, folder: Path = FOLDER) -> None:
    """Write every service's file. Whether there is a release is for a person to write."""
    for service in sorted({fact.service for fact in lock.facts.values()}):
        told = {
            name: {str(n): vars(version) for n, version in sorted(fact.versions.items())}
            for name, fact in sorted(lock.facts.items())
            if fact.service == service
        }
        (folder / f"{service}.json").write_text(f"{tidy(told)}\n", encoding="utf-8")


def tidy(value: Any, depth: int = 0, before: int = 0) -> str:
    """JSON for people: what is deep and short stands on one line, so that a changed field is a changed line.

    ``before``: how much of its line is taken already.
    """
    pad = " " * (depth + 1)
    flat = json.dumps(value, ensure_ascii=False)
    long = before + len(flat) >= WIDTH
    match value:
        case {**fields} if fields and (depth < DEEP or long):
            named = [(f"{pad}{json.dumps(key)}: ", inner) for key, inner in fields.items()]
            lines = [f"{name}{tidy(inner, depth + 1, len(name))}" for name, inner in named]
            return "{\n" + ",\n".join(lines) + f"\n{pad[1:]}}}"
        case [*items] if long or any(isinstance(item, dict) for item in items):
            return "[\n" + ",\n".join(f"{pad}{tidy(item, depth + 1, len(pad))}" for item in items) + f"\n{pad[1:]}]"
        case _:
            return flat
