"""Folding: rows made in memory, fact by fact, from the first one on."""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Generic, TypeVar

from eventlog.effect import Fold, Key
from eventlog.facts import Stored

R = TypeVar("R")


class Folding(Generic[R]):
    """The rows that ``wanted`` says yes to, or all, after the facts taken in so far; None where one is gone."""

    def __init__(self, fold: Fold[R], wanted: Callable[[Key], bool] | None = None) -> None:
        self._fold = fold
        self._wanted = wanted
        self.rows: dict[Key, R | None] = {}

    def take_in(self, fact: Stored) -> None:
        """Fold a fact into all the rows it touches; where it fails, which raises, into none."""
        after: dict[Key, R | None] = {}
        for key, recorded in self._fold.touched([fact]):
            if self._wanted is None or self._wanted(key):
                row = after[key] if key in after else self.rows.get(key)
                after[key] = self._fold.evolve(row, recorded)
        self.rows |= after


@contextmanager
def uncollected() -> Generator[None]:
    """Keep the collector of cycles away while history is folded: it would look through all the rows again and again.

    What a fold leaves behind forms none.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
