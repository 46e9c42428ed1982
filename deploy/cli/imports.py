"""Imports: files of others, sent to intake's API piece by piece, so that a broken-off import is simply run again."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from deploy.local.person import Person, Refused
from vocabulary.divisions import DivisionKind, provisional_code

PIECE = 500  # rows sent at once
PATIENCE = 60.0  # seconds a service may be away before an import gives up
KINDS = {
    "村委会": DivisionKind.VILLAGE_COMMITTEE,
    "居委会": DivisionKind.RESIDENTS_COMMITTEE,
    "虚拟或其他": DivisionKind.OTHER,
}
Told = Callable[[int], None]  # rows done so far


@dataclass
class Imported:
    """What became of a file's rows; ``refusals``: row number → code."""

    accepted: int = 0
    repeated: int = 0
    refusals: dict[int, str] = field(default_factory=dict[int, str])


class FileRefused(Exception):
    """The file as a whole cannot be imported; the message says why."""


def rows_of(file: Path) -> tuple[list[str], Iterator[list[str]]]:
    """Return the heading and the rows of a CSV file, one at a time."""

    def rows() -> Iterator[list[str]]:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            yield from csv.reader(lines, strict=True)

    reading = rows()
    try:
        return next(reading), reading
    except (StopIteration, UnicodeDecodeError, csv.Error):
        raise FileRefused(f"{file.name} is no CSV file in UTF-8 with a heading.") from None


async def divisions(person: Person, file: Path, valid_from: date, told: Told) -> Imported:
    """Register a county's towns and villages from its list.

    Columns: county_code, county_name, town_code9, town_name, seq_in_town, village_name, kind. The list has no official
    12-digit codes, so each village gets a provisional one of its town, kind and sequence. A name is not a key.
    """
    heading, reading = rows_of(file)
    rows = [dict(zip(heading, row, strict=False)) for row in reading]
    done = Imported()
    for code, name, kind in _above(rows):
        await _register(person, Imported(), 1, _division(code, name, kind, valid_from, provisional=False))
    for number, row in enumerate(rows, start=2):
        try:
            kind = KINDS[row["kind"]]
            code = provisional_code(row["town_code9"], kind, int(row["seq_in_town"]))
            body = _division(code, row["village_name"], kind, valid_from, provisional=True)
        except (KeyError, ValueError):
            done.refusals[number] = "row-unreadable"
        else:
            await _register(person, done, number, body)
        told(number - 1)
    return done


def _above(rows: list[dict[str, str]]) -> list[tuple[str, str, DivisionKind]]:
    """The county and towns that a list of villages names, each once."""
    counties = {(row["county_code"], row["county_name"], DivisionKind.COUNTY): None for row in rows}
    towns = {(row["town_code9"], row["town_name"], DivisionKind.TOWN): None for row in rows}
    return [*counties, *towns]


def _division(code: str, name: str, kind: DivisionKind, valid_from: date, *, provisional: bool) -> Mapping[str, object]:
    return {
        "division": code,
        "name": name,
        "kind": kind.value,
        "provisional": provisional,
        "valid_from": valid_from.isoformat(),
    }


async def _register(person: Person, done: Imported, number: int, body: Mapping[str, object]) -> None:
    try:
        await _patiently(partial(person.post, "intake", "/divisions", body, str(uuid4())))
        done.accepted += 1
    except Refused as refusal:
        if refusal.code == "division-exists":
            done.repeated += 1
        else:
            done.refusals[number] = refusal.code


async def submissions(person: Person, file: Path, organ: str, system: str, told: Told) -> Imported:
    """Send a file of submissions; a row already there is repeated, a row that cannot be read refused with a code."""
    heading, reading = rows_of(file)
    done = Imported()
    first, run = 2, uuid4().hex
    while piece := list(islice(reading, PIECE)):
        content = _csv(heading, piece)
        params = {"organ": organ, "system": system, "first_row": str(first)}
        key = f"{run}-{first}-{sha256(content).hexdigest()[:16]}"
        answer = await _patiently(partial(person.upload, "intake", "/submissions/import", content, params, key))
        done.accepted += answer["accepted"]
        done.repeated += answer["repeated"]
        done.refusals |= {row["row"]: row["code"] for row in answer["rows"] if row["outcome"] == "refused"}
        first += len(piece)
        told(first - 2)
    return done


def _csv(heading: list[str], rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([heading, *rows])
    return text.getvalue().encode()


async def _patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    """Call until the service answers: while it restarts, the same command under the same key is sent again."""
    began = asyncio.get_running_loop().time()
    while True:
        try:
            return await call()
        except (httpx2.TransportError, Refused) as error:
            away = not isinstance(error, Refused) or error.status >= 500
            if not away or asyncio.get_running_loop().time() - began > PATIENCE:
                raise
            await asyncio.sleep(0.5)
