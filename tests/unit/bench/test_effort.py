"""Effort: full or quick."""

from bench.effort import Effort


class TestEffort:
    def test_is_full_unless_it_is_quick(self) -> None:
        assert Effort(quick=False).choose((7, 0.6), (2, 0.3)) == (7, 0.6)
        assert Effort(quick=True).choose((7, 0.6), (2, 0.3)) == (2, 0.3)
