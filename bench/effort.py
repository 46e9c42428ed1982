"""Effort: how long a measurement may take: as long as its figures need, or just long enough to see that it works."""

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Effort:
    """``quick``: figures nobody should quote."""

    quick: bool

    def choose(self, full: T, quick: T) -> T:
        return quick if self.quick else full
