"""The words that all values are made of: bounded, free of control characters, and never coerced from something else.

A value of ours states its fields with these, so that a limit stands in one place and every input is held to it.
"""

import re
import unicodedata
from datetime import date
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StrictBool, StrictInt, StringConstraints

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_YEAR_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _plain(text: str) -> str:
    """Bring text to NFC; refuse control and surrogate characters, except line breaks and tabs."""
    text = unicodedata.normalize("NFC", text)
    if _CONTROL.search(text):
        raise ValueError("control characters are not text")
    return text


def _one_line(text: str) -> str:
    if any(c in text for c in "\n\r\t\u2028\u2029"):
        raise ValueError("one line only")
    return text


def _written(value: object) -> object:
    """Dates are written as text, year first; a number is no date, in quotes neither: it would be taken for seconds."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _YEAR_FIRST.match(value)):
        raise ValueError("write a date as text, such as 2026-03-02")
    return value


def _in_range(value: date) -> date:
    if not 1900 <= value.year <= 2200:
        raise ValueError("between the years 1900 and 2200")
    return value


_strip = StringConstraints(strip_whitespace=True)

Line: TypeAlias = Annotated[
    str,
    _strip,
    AfterValidator(_plain),
    AfterValidator(_one_line),
    Field(min_length=1, max_length=200, examples=["村道硬化"]),
]
"""One line: a title, a name, a place; 1-200 characters."""

Words: TypeAlias = Annotated[
    str,
    _strip,
    AfterValidator(_plain),
    Field(min_length=1, max_length=20_000, examples=["三社到村部的路雨后泥泞，老人孩子出行不便。"]),
]
"""What somebody said: 1-20,000 characters, line breaks allowed."""

Code: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"),
    Field(min_length=1, max_length=80, examples=["D05"]),
]
"""An identifier of ours or of another system: ASCII letters, digits and ._:- only."""

Account: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$"), Field(examples=["mediator-chen"])
]
"""A person's actor id, as the ``sub`` of their token: visible ASCII, 1-255 characters."""

Instant: TypeAlias = Annotated[
    AwareDatetime,
    BeforeValidator(_written),
    AfterValidator(_in_range),
    Field(examples=["2026-03-02T09:00:00+08:00"]),
]
"""A moment with its zone, 1900-2200."""

Day: TypeAlias = Annotated[date, BeforeValidator(_written), AfterValidator(_in_range), Field(examples=["2026-03-02"])]
"""A calendar day, Asia/Shanghai, 1900-2200."""

Year: TypeAlias = Annotated[StrictInt, Field(ge=1900, le=2200, examples=[2026])]
"""A calendar year, 1900-2200."""

Count: TypeAlias = Annotated[StrictInt, Field(ge=0, le=1_000_000, examples=[3])]
"""How many: a whole number from 0 to a million."""

Flag: TypeAlias = Annotated[StrictBool, Field(examples=[True])]
"""True or false, never 1 or "yes"."""
