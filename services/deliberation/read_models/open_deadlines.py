"""Open deadlines: promises whose deadline was counted in days, and which a corrected calendar may move."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from eventlog.connections import Pool
from eventlog.facts import Recorded, Stored, Value
from eventlog.read_model import ReadModel
from facts.deliberation.calendar import CalendarAdopted
from facts.deliberation.commitment import (
    CommitmentCancelled,
    CommitmentClosed,
    CommitmentDeadlineMoved,
    CommitmentOpened,
)
from vocabulary.calendar import end_of_day
from vocabulary.words import Instant


class OpenDeadline(Value):
    """A promise not closed yet: what was called done may be contested, and is then open under the same deadline."""

    commitment_id: UUID
    since: Instant
    due: Instant


open_deadlines = ReadModel(OpenDeadline, table="open_deadlines", key="commitment_id")


@open_deadlines.on(CommitmentOpened, key=lambda fact: fact.commitment_id)
def appears(_: OpenDeadline | None, fact: Recorded[CommitmentOpened]) -> OpenDeadline | None:
    """A day that somebody named is no count, and moves with no calendar."""
    opened = fact.data
    if opened.counted is None:
        return None
    return OpenDeadline(commitment_id=opened.commitment_id, since=opened.counted.since, due=opened.due)


@open_deadlines.on(CommitmentDeadlineMoved, key=lambda fact: fact.commitment_id)
def moves(row: OpenDeadline | None, fact: Recorded[CommitmentDeadlineMoved]) -> OpenDeadline | None:
    return None if row is None else row.model_copy(update={"due": fact.data.due})


@open_deadlines.on(CommitmentClosed, key=lambda fact: fact.commitment_id)
def ends(_: OpenDeadline | None, __: Recorded[CommitmentClosed]) -> None:
    return None


@open_deadlines.on(CommitmentCancelled, key=lambda fact: fact.commitment_id)
def is_called_off(_: OpenDeadline | None, __: Recorded[CommitmentCancelled]) -> None:
    return None


async def counted_over(pool: Pool, fact: Recorded[CalendarAdopted], batch: Sequence[Stored]) -> Sequence[str]:
    """Return the promises whose days may have been counted over a year that was adopted, or the turn of it."""
    # The notice for a year also names days of the December before and the January after.
    year = fact.data.year
    begins, ends = end_of_day(date(year - 1, 11, 30)), end_of_day(date(year + 1, 1, 31))
    rows = await pool.fetch(
        """select commitment_id from open_deadlines
           where tenant = $1 and due > $2 and since <= $3 order by due, commitment_id""",
        fact.tenant,
        begins,
        ends,
    )
    not_folded = [key for (tenant, key), _ in open_deadlines.touched(batch) if tenant == fact.tenant]
    return list(dict.fromkeys([*(row["commitment_id"] for row in rows), *not_folded]))
