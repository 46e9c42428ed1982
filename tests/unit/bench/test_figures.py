"""Figures: medians, percentiles, goals, and the two ways they are told."""

import json
from collections.abc import Sequence

import pytest
from rich.console import Console

from bench.figures import Figure, as_json, as_table, compared, percentile
from bench.order import Order


class TestPercentile:
    @pytest.mark.parametrize(
        ("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
    )
    def test_is_the_smallest_sample_that_enough_do_not_exceed(self, share: float, expected: float) -> None:
        assert percentile([float(n) for n in range(100, 0, -1)], share) == expected

    def test_of_one_sample_is_that_sample(self) -> None:
        assert percentile([7.0], 0.99) == 7.0

    def test_of_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no samples"):
            percentile([], 0.5)


class TestCompared:
    def test_takes_the_median_of_the_ratios_of_rounds(self) -> None:
        # The machine was ten times slower in the second round, for both.
        assert compared("append", [10, 1, 30], [20, 2, 30], "facts/s", 0.4) == Figure(
            "append", 10, "facts/s", against=20, ratio=0.5, goal=0.4
        )

    def test_keeps_what_a_reader_was_shown_of_both(self) -> None:
        assert compared("append", [1], [2], "facts/s", orders=(Order(0, 0), Order(3, 1))) == Figure(
            "append", 1, "facts/s", against=2, ratio=0.5, order=Order(0, 0), against_order=Order(3, 1)
        )

    def test_refuses_rounds_without_a_rival(self) -> None:
        with pytest.raises(ValueError, match="shorter"):
            compared("append", [1, 2], [1], "facts/s")


class TestFigure:
    @pytest.mark.parametrize(
        ("figure", "met"),
        [
            (Figure("f", 9, "facts/s", against=10, ratio=0.9, goal=0.9), True),
            (Figure("f", 8, "facts/s", against=10, ratio=0.8, goal=0.9), False),
            (Figure("f", 250, "ms", goal=250), True),
            (Figure("f", 251, "ms", goal=250), False),
            (Figure("f", 251, "ms"), None),
        ],
    )
    def test_meets_a_least_ratio_or_a_greatest_value(self, figure: Figure, met: bool | None) -> None:
        assert figure.met is met


FIGURES = (
    Figure("append / raw", 1234.567, "facts/s", against=2469.134, ratio=0.5, goal=0.7),
    Figure("client", 41.23456, "µs"),
)
A_LOG = Figure("append / peer", 30, "facts/s", 10, 3, 2, Order(0, 1), Order(4, 5))


class TestAsJson:
    def test_tells_six_words_of_each_figure(self) -> None:
        assert json.loads(json.dumps(as_json(FIGURES))) == {
            "append / raw": {
                "value": 1235,
                "unit": "facts/s",
                "against": 2469,
                "ratio": 0.5,
                "goal": 0.7,
                "met": False,
            },
            "client": {"value": 41.235, "unit": "µs", "against": None, "ratio": None, "goal": None, "met": None},
        }

    def test_tells_what_was_lost_and_inverted_as_figures_that_should_be_none(self) -> None:
        told = as_json([A_LOG])
        assert list(told) == ["append / peer", "append / peer, lost", "append / peer, inverted"]
        words = {"unit": "facts", "ratio": None, "goal": 0}
        assert told["append / peer, lost"] == words | {"value": 0, "against": 4, "met": True}
        assert told["append / peer, inverted"] == words | {"value": 1, "against": 5, "met": False}

    def test_tells_nothing_of_what_a_peer_without_an_order_lost(self) -> None:
        told = as_json([Figure("append / raw", 30, "facts/s", 10, 3, order=Order(0, 0))])
        assert told["append / raw, lost"]["against"] is None

    def test_refuses_two_figures_of_one_name(self) -> None:
        with pytest.raises(ValueError, match="two figures"):
            as_json([FIGURES[1], FIGURES[1]])


class TestAsTable:
    def test_shows_each_figure_on_a_line_of_its_own(self) -> None:
        assert shown(FIGURES) == [
            ["figure", "value", "unit", "against", "ratio", "goal"],
            ["append", "/", "raw", "1,235", "facts/s", "2,469", "0.50", "≥", "0.7", "missed"],
            ["client", "41.2", "µs"],
        ]

    def test_shows_what_was_lost_and_inverted_beside_each_rate(self) -> None:
        assert shown([A_LOG])[1:] == [
            ["append", "/", "peer", "30", "(0/1)", "facts/s", "10", "(4/5)", "3.00", "≥", "2", "met"]
        ]


def shown(figures: Sequence[Figure]) -> list[list[str]]:
    """The words of each line."""
    console = Console(width=100, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(as_table(figures))
    return [line.split() for line in captured.get().splitlines()]
