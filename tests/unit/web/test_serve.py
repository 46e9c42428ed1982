"""Serving: what a process does before its first request."""

import gc
from collections.abc import Iterator

import pytest

from web.serve import settle


@pytest.fixture
def restored() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class TestSettle:
    @pytest.mark.usefixtures("restored")
    def test_spares_the_collector_what_stays(self) -> None:
        before = gc.get_freeze_count()
        settle()
        assert gc.get_freeze_count() > before
        assert gc.get_threshold()[0] == 10_000
        kept: list[object] = []
        kept.append(kept)  # garbage made from now on is found all the same
        del kept
        assert gc.collect() >= 1
