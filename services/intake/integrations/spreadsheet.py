"""Submissions from a spreadsheet: CSV as other systems export it, each row read or refused on its own.

Column names are matched by the words that exports in use have; a row's number is its record's number in the file, the
heading being 1: the row that a spreadsheet program shows it in (not the line, for one record's words may span several).
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pydantic import TypeAdapter, ValidationError

from eventlog.errors import Rejected
from eventlog.facts import Value
from vocabulary.calendar import SHANGHAI
from vocabulary.words import Code, Instant, Line, Words

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "reference": ("reference", "编号", "留言编号", "信件编号"),
    "title": ("title", "主题", "标题", "留言主题"),
    "words": ("words", "内容", "详情", "留言详情"),
    "said_at": ("said_at", "时间", "日期", "留言时间"),
    "name": ("name", "姓名", "留言用户"),
    "phone": ("phone", "电话"),
    "place": ("place", "地点"),
}
TIMES = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
ROWS = 1_000  # rows of one file sent at once


class Row(Value):
    """One submission as a spreadsheet has it. ``said_at`` without a zone is Asia/Shanghai."""

    reference: Code
    words: Words
    said_at: Instant | None = None
    name: Line | None = None
    phone: Line | None = None
    place: Line | None = None


@dataclass(frozen=True)
class Refused:
    """A row that cannot be read, by a stable code; never by its content."""

    code: str


def read(content: bytes) -> Iterator[tuple[int, Row | Refused]]:
    """Give each row by number. Raises Rejected for a file that is no such spreadsheet at all."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Rejected("spreadsheet-not-utf8") from None
    lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _columns(lines.fieldnames or ())
        rows = list(islice(lines, ROWS + 1))
    except csv.Error:
        raise Rejected("spreadsheet-not-csv") from None
    if len(rows) > ROWS:
        raise Rejected("spreadsheet-too-long", rows=ROWS)
    for number, row in enumerate(rows, start=2):
        yield number, _row({name: (row.get(column) or "").strip() for name, column in columns.items()})


def _columns(headings: Sequence[str]) -> dict[str, str]:
    found = {name: word for name, words in COLUMNS.items() for word in words if word in headings}
    for needed in ("reference", "words"):
        if needed not in found:
            raise Rejected("spreadsheet-column-missing", column=needed)
    return found


def _row(cells: Mapping[str, str]) -> Row | Refused:
    """Read one row, or name the first cell that cannot be read."""
    title, words = cells.get("title", ""), cells["words"]
    values: dict[str, object] = {name: text for name, text in cells.items() if text and name != "title"}
    values["words"] = f"{title}\n{words}".strip()
    if "said_at" in values:
        said_at = _instant(cells["said_at"])
        if said_at is None:
            return Refused("row-said-at")
        values["said_at"] = said_at
    try:
        return TypeAdapter(Row).validate_python(values)
    except ValidationError as error:
        return Refused(f"row-{str(error.errors()[0]['loc'][0]).replace('_', '-')}")


def _instant(text: str) -> datetime | None:
    for form in TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=SHANGHAI)
        except ValueError:
            continue
    return None
