"""Matter codes: one code from intake to archive (一案一码), short enough to read out over a telephone."""

from datetime import date
from hashlib import sha256
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import Field, StringConstraints

from vocabulary.divisions import Level, level_of

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]

MatterCode: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{6}-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{8}$"),
    Field(examples=["620724-20260302-7K3M9QXA"]),
]
"""``<county>-<yyyymmdd>-<8 characters>``; the day is the day it was minted."""


def mint(county: str, day: date, seed: UUID) -> MatterCode:
    """Make the code of a new matter from the command that opens it: the same command gives the same code.

    Among a thousand matters a county opens on one day, two share a code once in two million such days.
    Raises ValueError: ``county`` is no county.
    """
    if level_of(county) is not Level.COUNTY:
        raise ValueError("a matter belongs to a county")
    number = int.from_bytes(sha256(seed.bytes).digest()[:5])  # 40 bits: ten for each pair
    letters = "".join([_PAIRS[number >> place & 1023] for place in (30, 20, 10, 0)])
    return f"{county}-{day.isoformat().replace('-', '')}-{letters}"
