"""Writer: makes up a year with a seeded die: every kind of matter, straight and crooked, in two towns of a county.

A step that waits for something to follow from the one before (a reaction, a timer) is on a later day than that one, so
that whoever lives the year only needs to rest between days.
"""

from math import exp, log

from tests.rehearsal.writing.cases import Cases
from tests.rehearsal.writing.county import County
from tests.rehearsal.writing.deliberations import Deliberations
from tests.rehearsal.writing.die import Die
from tests.rehearsal.writing.issues import DISPUTES, Issues
from tests.rehearsal.year import Case, Issue, Year

FEWEST, OFTEN, MOST = 3, 50, 3_000
SELDOM = 0.98  # of so many years none has more matters than often
GOLDEN = 0.6180339887498949  # its multiples spread evenly, however many are taken
SOURCES = ("applied", "initiated", "court", "police", "petition")


def write(seed: int, year: int = 2026, matters: int | None = None, *, sparse: bool = False) -> Year:
    """Write the year of a seed: the same one always. ``matters``: as the seed says, from 3 to 3,000, most often few.

    ``sparse``: things are done on a few days a month only.
    """
    matters = volume(seed) if matters is None else matters
    die = Die(seed, year, sparse=sparse)
    county = County(die, f"{100_000 + seed % 900_000}")
    mediated = Cases(die)
    said = Issues(die, county, Deliberations(die, county), mediated)
    issues, cases = list[Issue](), list[Case]()
    for _ in range(matters):
        match die.weighed(["issue", "word", "case"], [6, 2, 2]):
            case "issue":
                issues.append(said.issue(len(issues)))
            case "word":
                said.word()
            case _:
                place, day = county.somewhere()
                cases.append(mediated.case(place, day, die.choice(SOURCES), die.choice(DISPUTES)))
    return Year(
        seed=seed,
        year=year,
        county=county.code,
        towns=county.towns,
        villages=county.villages,
        days=die.days,
        calendar=county.calendar,
        following=county.following,
        corrected=county.corrected,
        committees=county.committees,
        workstations=county.workstations(),
        records=county.records(matters),
        submissions=tuple(said.submissions),
        issues=tuple(issues),
        cases=tuple(cases),
    )


def volume(seed: int) -> int:
    """How many matters a seed's year has: mostly up to some fifty, and in each hundred years one has a thousand."""
    spread = seed * GOLDEN % 1.0
    least, most, part = (
        (FEWEST, OFTEN, spread / SELDOM) if spread < SELDOM else (OFTEN, MOST, (spread - SELDOM) / (1 - SELDOM))
    )
    return round(least * exp(part * log(most / least)))
