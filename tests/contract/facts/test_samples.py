"""Samples say something in every field, and one sample stands for all that differs from it in little."""

import json
from collections.abc import Sequence

from eventlog.facts import Data
from tests.contract.facts.parcels import FIELDS, NAME, parcel
from tests.contract.facts.samples import all_of, filled, fits, made_up, say_all, written
from tests.contract.facts.schema import schema_of

LEAST: Data = {
    "parcel_id": "3780bf7d-9550-51e1-a4d0-07fac775ff35",
    "size": "small",
    "to": {"village": "村道硬化"},
    "items": [{"what": "村道硬化", "fragile": True}],
    "carrier": "D05",
    "due": "2026-03-02",
}
WHOLE: Data = {**LEAST, "to": {"village": "村道硬化", "house": 3}, "note": "村道硬化", "insured": True}


def in_order(all_said: Sequence[Data]) -> list[str]:
    return sorted(json.dumps(said, sort_keys=True) for said in all_said)


class TestASample:
    def test_is_made_up_of_what_fields_show_as_examples(self) -> None:
        kind = parcel()[NAME]
        assert made_up(kind) == WHOLE
        assert written(kind, WHOLE) == WHOLE
        assert (fits(kind, LEAST), fits(kind, {**LEAST, "more": 1})) == (True, False)

    def test_stands_for_all_that_the_log_may_hold_in_its_place(self) -> None:
        without_note = {name: said for name, said in WHOLE.items() if name != "note"}
        without_insured = {name: said for name, said in WHOLE.items() if name != "insured"}
        told = list(all_of(schema_of(parcel()[NAME]), WHOLE))
        expected: Sequence[Data] = [
            WHOLE,
            LEAST,
            {**WHOLE, "size": "large"},
            {**WHOLE, "to": {"village": "村道硬化"}},
            {**WHOLE, "to": {"village": "村道硬化", "house": None}},
            {**WHOLE, "items": [{"what": "村道硬化", "fragile": False}]},
            {**WHOLE, "items": []},
            without_note,
            {**WHOLE, "note": None},
            without_insured,
            {**WHOLE, "insured": False},
        ]
        assert told[0] == WHOLE
        assert in_order(told) == in_order(expected)

    def test_lends_another_what_that_leaves_open(self) -> None:
        open_: Data = {**WHOLE, "note": None, "items": [], "size": "large", "to": {"village": "三社"}}
        assert filled(open_, WHOLE) == {**WHOLE, "size": "large", "to": {"village": "三社", "house": 3}}

    def test_may_say_with_others_what_none_says_alone(self) -> None:
        assert FIELDS.keys() == WHOLE.keys()
        assert not say_all([LEAST], WHOLE)
        assert say_all([{**WHOLE, "note": None}, {**LEAST, "note": "村道硬化"}], WHOLE)
