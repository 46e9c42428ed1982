"""Divisions: what places are called. Of intake's topic."""

from eventlog.connections import Pool
from eventlog.facts import Recorded, Value
from eventlog.read_model import ReadModel
from facts.intake.division import DivisionRegistered
from vocabulary.divisions import DivisionCode, DivisionKind
from vocabulary.words import Line


class DivisionRow(Value):
    division: DivisionCode
    name: Line
    kind: DivisionKind


divisions = ReadModel(DivisionRow, table="divisions", key="division")


@divisions.on(DivisionRegistered, key=lambda fact: fact.division)
def registered(_: DivisionRow | None, fact: Recorded[DivisionRegistered]) -> DivisionRow:
    return DivisionRow(division=fact.data.division, name=fact.data.name, kind=fact.data.kind)


async def name_of(pool: Pool, tenant: str, division: str) -> str | None:
    """Return what a division is called; None when it was never registered."""
    name: str | None = await pool.fetchval(
        "select name from divisions where tenant = $1 and division = $2", tenant, division
    )
    return name
