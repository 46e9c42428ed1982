"""Calendar: which days a county works, year by year, as the State Council's notices say."""

from eventlog.facts import Fact
from vocabulary.calendar import YearTable
from vocabulary.words import Line, Year


class CalendarPublished(Fact, name="calendar-published"):
    """From here on ``table`` holds in place of the one that came with the program. ``source``: the notice."""

    year: Year
    table: YearTable
    source: Line


class CalendarCorrected(Fact, name="calendar-corrected"):
    """From here on ``table``, whole, holds in place of the one before. ``source``: what it is corrected by."""

    year: Year
    table: YearTable
    source: Line
