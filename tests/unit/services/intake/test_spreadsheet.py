"""Rows of other systems' exports, with the quirks that real ones have."""

import pytest

from eventlog.errors import Rejected
from services.intake.integrations.spreadsheet import ROWS, Refused, Row, read
from vocabulary.words import Instant

HEADING = "留言编号,留言用户,留言主题,留言时间,留言详情\n"


def rows(text: str) -> list[tuple[int, Row | Refused]]:
    return list(read((HEADING + text).encode()))


def test_a_row_keeps_title_and_words_and_the_time_in_shanghai() -> None:
    [(number, row)] = rows('188006,A0001,路灯,2019/2/28 11:25:05,"\n\t\t\n坏了\u3000三天\n"\n')
    assert number == 2
    assert isinstance(row, Row)
    assert (row.reference, row.name, row.words) == ("188006", "A0001", "路灯\n坏了\u3000三天")
    assert row.said_at is not None
    assert row.said_at.isoformat() == "2019-02-28T11:25:05+08:00"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (",A,题,2019/2/28 11:25:05,话\n", "row-reference"),
        ("1,A,,2019/2/28 11:25:05,\n", "row-words"),
        ("1,A,题,去年,话\n", "row-said-at"),
        ("1,A,题,1802-01-01,话\n", "row-said-at"),
        ("1 2,A,题,2019-01-01,话\n", "row-reference"),
        (f"1,{'长' * 201},题,2019-01-01,话\n", "row-name"),
        ("1,A,题,2019-01-01,话\x00\n", "row-words"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_by_a_code(text: str, code: str) -> None:
    assert rows(text) == [(2, Refused(code))]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("留言编号,留言详情\n1,话".encode("gbk"), "spreadsheet-not-utf8"),
        (b"", "spreadsheet-column-missing"),
        ("编号\n1\n".encode(), "spreadsheet-column-missing"),
        ('编号,内容\n1,"话\n'.encode(), "spreadsheet-not-csv"),
        (("编号,内容\n" + "1,话\n" * (ROWS + 1)).encode(), "spreadsheet-too-long"),
    ],
)
def test_a_file_that_is_no_such_spreadsheet_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        list(read(content))
    assert refused.value.code == code


def test_times_of_the_usual_forms_are_read() -> None:
    forms = ["2017-06-08 17:31:20", "2017/6/8 17:31:20", "2017/6/8 17:31", "2017-06-08"]
    read_back: list[Instant | None] = []
    for _, row in rows("".join(f"{n},A,题,{form},话\n" for n, form in enumerate(forms, start=1))):
        assert isinstance(row, Row)
        read_back.append(row.said_at)
    assert [None if at is None else at.date().isoformat() for at in read_back] == ["2017-06-08"] * 4
