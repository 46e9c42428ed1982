"""Rows: what every fold that changes one has in common."""

from typing import TypeVar

from eventlog.facts import Fact, Recorded, Value

R = TypeVar("R", bound=Value)


def after(row: R | None, fact: Recorded[Fact], **news: object) -> R | None:
    """The row, changed by a fact, and when; still none where there was none."""
    return None if row is None else row.model_copy(update={**news, "changed_at": fact.occurred_at})
