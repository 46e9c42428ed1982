"""County: its places and bodies, their calendar and their records."""

from dataclasses import replace
from datetime import date

from tests.rehearsal.writing.die import DAY, Die
from tests.rehearsal.year import Calendar, Committee, Record, Term, Village, Workstation

CORRECTED = (3, 6, 6, 12, 12)  # months in which a calendar is corrected
FORGOTTEN = 8  # days off
KINDS = {
    "meetings": ("party-committee", "cadre-staff", "leading-group"),
    "documents": ("",),
    "learning": ("",),
    "publicity": ("leaders", "cadres", "party-members"),
}


class County:
    """Two towns, their villages and committees. The day of a correction is its own: deadlines are counted again."""

    def __init__(self, die: Die, code: str) -> None:
        self._die = die
        self._year = die.year
        self.code = code
        self.towns = (f"{code}100", f"{code}203")
        self.calendar = self._calendar(die.year)
        self.following = self._calendar(die.year + 1)
        self.corrected: tuple[date, Calendar] | None = None
        if die.chance(90):
            day = date(die.year, die.choice(CORRECTED), 9)
            die.spare(day)
            self.corrected = day, self._correction(day)
        self.villages = self._places()
        self.committees = self._bodies()

    def stands(self, place: str, day: date) -> bool:
        """Whether a committee stands at a place on a day."""
        return any(committee.place == place and committee.stands(day) for committee in self.committees)

    def somewhere(self) -> tuple[str, date]:
        """A village and a day; what begins in a village that has moved begins under its new code."""
        day = self._die.some_day()
        village = self._die.choice([one for one in self.villages if one.registered <= day])
        moved = next((one for one in self.villages if one.name.startswith(f"{village.name}(")), None)
        return (village if moved is None or day < moved.registered else moved).code, day

    def _places(self) -> tuple[Village, ...]:
        """Two or three villages a town; one may be registered late, one moves to the other town: under a new code."""
        villages = [
            Village(f"{town}{200 + n}", f"{town[6:]}镇{n}村", self._die.days[0])
            for town in self.towns
            for n in range(1, self._die.randint(2, 3) + 1)
        ]
        late = Village(f"{self.towns[0]}701", "新村", self._die.some_day(), provisional=True)
        moved = Village(f"{self.towns[1]}702", f"{villages[0].name}(划转)", date(self._year, 7, 1), provisional=True)
        return (*villages, *[one for one in (late, moved) if self._die.chance(60)])

    def _bodies(self) -> tuple[Committee, ...]:
        """The first town's committee always stands; others come late, end early or run out, and come again."""
        committees = [Committee(self.towns[0], (self._term(self._die.days[0], 9, full=True),))]
        for place in (self.towns[1], *(village.code for village in self.villages)):
            begins = self._die.days[0] if self._die.chance(60) else self._die.some_day()
            village = next((one for one in self.villages if one.code == place), None)
            if village is not None and begins < village.registered:
                begins = village.registered
            if self._die.chance(85):
                committees.append(Committee(place, self._terms(begins, 9 if village is None else 7)))
        return tuple(committees)

    def _terms(self, begins: date, size: int) -> tuple[Term, ...]:
        term = self._term(begins, size, full=self._die.chance(60))
        again = self._die.after(term.dissolved or term.until)
        return (term,) if again is None or self._die.chance(50) else (term, self._term(again, size, full=True))

    def _term(self, begins: date, size: int, *, full: bool) -> Term:
        term = Term(begins, date(self._year + 2, 12, 31), size, neighbourhood=self._die.chance(50))
        if full:
            return term
        if self._die.chance(50):
            return replace(term, until=begins + self._die.randint(30, 200) * DAY)
        return replace(term, dissolved=self._die.after(begins, 250))

    def workstations(self) -> tuple[Workstation, ...]:
        found = list[Workstation]()
        for town in self.towns:
            opened = self._die.some_day()
            closed = self._die.after(opened, 200) if self._die.chance(40) else None
            again = self._die.after(closed) if self._die.chance(50) else None
            if self._die.chance(80):
                days = tuple(day for day in (opened, again) if day)
                found.append(Workstation(town, days, () if closed is None else (closed,)))
        return tuple(found)

    def records(self, matters: int) -> tuple[Record, ...]:
        found = list[Record]()
        for _ in range(self._die.randint(0, 12) + matters // 20):
            what = self._die.choice(sorted(KINDS))
            place, day = self.somewhere()
            place = place if self._die.chance(30) else place[:9]
            record = Record(place, what, self._die.choice(KINDS[what]), day, self._die.earlier(day, percent=40))
            wrong = self._die.after(day) if self._die.chance(25) else None
            found.append(replace(record, withdrawn=wrong))
        return tuple(found)

    def _calendar(self, year: int) -> Calendar:
        """Some days off, and a weekend day worked for them."""
        holidays = [date(year, 1, 1)]
        for month in (2, 5, 10):
            first = date(year, month, self._die.randint(1, 15))
            holidays += [first + n * DAY for n in range(self._die.randint(1, 7))]
        weekend = next(date(year, 9, 1) + n * DAY for n in range(7) if (date(year, 9, 1) + n * DAY).weekday() == 5)
        return Calendar(tuple(holidays), (weekend,))

    def _correction(self, day: date) -> Calendar:
        """Some days off were forgotten before a turn, so that deadlines go over into the next period; one is none."""
        turn = date(self._year, day.month + 1, 1) if day.month < 12 else date(self._year + 1, 1, 1)
        forgotten = (turn - n * DAY for n in range(1, FORGOTTEN + 1))
        return Calendar((*self.calendar.rest[:-1], *forgotten), self.calendar.work)
