"""Calendar: the county's tables as this service goes by them, adopted in the order in which intake published them.

A stream of its own, not a row: so it has a place in the order of this log, before which deadlines were counted by the
old table, and what was counted while it changed is found out by the append.
"""

from collections.abc import Mapping, Sequence

from eventlog.decider import Context, Decider
from eventlog.facts import Value
from facts.deliberation.calendar import CalendarAdopted
from vocabulary.calendar import WorkingCalendar, YearTable, shipped_tables
from vocabulary.words import Year


class AdoptCalendar(Value):
    """Sent by a reaction when intake has published or corrected a year's table."""

    year: Year
    table: YearTable


class Adopted(Value):
    """The county's own tables by year; of other years those hold that came with the program."""

    tables: Mapping[Year, YearTable] = {}

    def in_force(self) -> WorkingCalendar:
        return WorkingCalendar.of({**shipped_tables(), **self.tables})


def decide(command: AdoptCalendar, _: Adopted, __: Context) -> Sequence[CalendarAdopted]:
    return [CalendarAdopted(year=command.year, table=command.table)]


def evolve(calendar: Adopted, fact: CalendarAdopted) -> Adopted:
    return Adopted(tables={**calendar.tables, fact.year: fact.table})


calendar: Decider[AdoptCalendar, Adopted, CalendarAdopted, Context] = Decider(
    "adopted-calendar", Adopted(), decide, evolve, published=False
)
