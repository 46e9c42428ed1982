"""The county's calendar as deliberation goes by it: its own copy, private, of what intake published."""

from eventlog.facts import Fact
from vocabulary.calendar import YearTable
from vocabulary.words import Year


class CalendarAdopted(Fact, name="calendar-adopted"):
    """From here on in this log, ``table`` holds for the year. Deadlines counted before are counted again."""

    year: Year
    table: YearTable
