"""Matter codes: the same command, the same code; nothing in it that the ear confuses."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from vocabulary.matter import MatterCode, mint

DAY = date(2026, 3, 2)
CODES = TypeAdapter[str](MatterCode)


@pytest.mark.parametrize(
    ("seed", "code"),
    [(UUID(int=0), "620724-20260302-6X3GHZZQ"), (UUID(int=1), "620724-20260302-FGYCT45V")],
)
def test_a_code_never_changes(seed: UUID, code: str) -> None:
    assert mint("620724", DAY, seed) == code


@given(st.uuids(), st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_every_code_is_one(seed: UUID, day: date) -> None:
    code = mint("620724", day, seed)
    assert CODES.validate_python(code) == code
    assert not set("ILOU") & set(code)


def test_close_seeds_lie_far_apart() -> None:
    assert len({mint("620724", DAY, UUID(int=n)) for n in range(2000)}) == 2000


def test_only_a_county_has_matters() -> None:
    with pytest.raises(ValueError, match="county"):
        mint("620724100", DAY, UUID(int=0))
