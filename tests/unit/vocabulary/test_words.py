"""Words: every limit of a text or a date holds, whoever sends it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeAlias

import pytest
from pydantic import TypeAdapter, ValidationError

from vocabulary.words import Code, Count, Day, Flag, Instant, Line, Words

Reader: TypeAlias = Callable[[object], object]

line = TypeAdapter(Line).validate_python
words = TypeAdapter(Words).validate_python
code = TypeAdapter(Code).validate_python
day = TypeAdapter(Day).validate_python
instant = TypeAdapter(Instant).validate_python
count = TypeAdapter(Count).validate_python
flag = TypeAdapter(Flag).validate_python


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (line, " 村道硬化 \n", "村道硬化"),
        (line, "e\u0301", "\u00e9"),
        (words, "一\n二\t三", "一\n二\t三"),
        (code, "X05.a:b_c-d", "X05.a:b_c-d"),
        (day, "2026-03-02", date(2026, 3, 2)),
        (instant, "2026-03-02T09:00:00+08:00", datetime(2026, 3, 2, 1, tzinfo=UTC)),
        (count, 0, 0),
        (flag, False, False),
    ],
)
def test_a_word_is_read(read: Reader, written: object, value: object) -> None:
    assert read(written) == value


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (line, ""),
        (line, " \u3000"),
        (line, "一\n二"),
        (line, "一\u2028二"),
        (line, "a\x00b"),
        (line, "a\ud800"),
        (line, "字" * 201),
        (line, 5),
        (words, "字" * 20_001),
        (words, "a\x1bb"),
        (code, "-x"),
        (code, "x\n"),
        (code, "编号"),
        (day, 1_700_006_400),
        (day, "1700006400"),
        (day, True),
        (day, "1899-12-31"),
        (day, "2201-01-01"),
        (day, "2026-02-30"),
        (instant, 1_700_006_400),
        (instant, "1700006400"),
        (instant, "2026-03-02T09:00:00"),
        (count, True),
        (count, "3"),
        (count, -1),
        (count, 1_000_001),
        (flag, 1),
        (flag, "true"),
    ],
)
def test_anything_else_is_refused(read: Reader, written: object) -> None:
    with pytest.raises(ValidationError):
        read(written)
