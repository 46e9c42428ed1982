"""Calls: what an answer names stands in later calls."""

from datetime import date

import pytest

from tests.rehearsal.calling.call import Call, Who, person
from tests.rehearsal.calls import filled, learnt

CALL = Call(
    date(2026, 1, 1), Who("village-clerk", "620724100"), "intake", "/issues", {}, {"id": "issue-0", "left": "p"}
)


class TestCalls:
    def test_are_filled_with_what_is_known(self) -> None:
        body = {"into": "{issue-0}", "all": ["{issue-0}", 3, None], "of": {"it": "{p-1}"}, "said": "你好", "key": True}
        assert filled(body, {"issue-0": "a", "p-1": "b"}) == {
            "into": "a",
            "all": ["a", 3, None],
            "of": {"it": "b"},
            "said": "你好",
            "key": True,
        }

    def test_are_not_filled_with_what_is_not(self) -> None:
        with pytest.raises(KeyError):
            filled("{issue-0}", {})

    def test_teach_names_and_lists_of_names(self) -> None:
        assert dict(learnt(CALL, {"id": 7, "left": ["x", "y"]})) == {"issue-0": "7", "p-0": "x", "p-1": "y"}

    def test_name_a_person_the_same_each_time(self) -> None:
        assert person("a") == person("a") != person("b")
        assert CALL.who.name == "620724100-village-clerk"
