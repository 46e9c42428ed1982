"""Cases: what happens with a mediator."""

from dataclasses import replace
from datetime import date

from tests.rehearsal.writing.die import DAY, Die
from tests.rehearsal.year import Agreement, Case, Done

FAILURES = ("positions-apart", "party-absent", "facts-unclear", "outside-competence", "party-withdrew")


class Cases:
    """Deals out cases, each with a number of its own."""

    def __init__(self, die: Die) -> None:
        self._die = die
        self._cases = 0

    def case(self, place: str, opened: date, source: str, dispute: str) -> Case:
        case = Case(self._cases, place, opened, source, dispute)
        self._cases += 1
        asked = self._die.after(opened, 10)
        if asked is None or self._die.chance(5):
            return case
        if self._die.chance(15):
            return replace(case, declined=asked)
        case = replace(case, accepted=asked)
        if self._die.chance(5):
            return self._failed(case, asked)
        meets = self._die.after(asked, 10)
        case = replace(case, assigned=meets)
        if meets is None or self._die.chance(5):
            return case
        if self._die.chance(25):
            return self._failed(case, meets)
        agreed = self._die.after(meets, 20)
        return case if agreed is None else self._agreed(case, agreed)

    def _failed(self, case: Case, since: date) -> Case:
        day = self._die.after(since, 20)
        if day is None:
            return case
        closed = self._die.after(day) if self._die.chance(60) else None
        return replace(case, failed=(day, self._die.choice(FAILURES)), closed=closed)

    def _agreed(self, case: Case, day: date) -> Case:
        oral = self._die.chance(15)
        agreement = Agreement(day, not oral, day if oral else day + self._die.randint(0, 90) * DAY)
        later = self._die.after(day, 60)
        if later is not None and self._die.chance(20):
            agreement, later = replace(agreement, breached=later), self._die.after(later, 60)
            if later is None or self._die.chance(50):
                return replace(case, agreement=agreement, closed=later if self._die.chance(50) else None)
        if later is not None and self._die.chance(80):
            agreement = replace(agreement, performed=Done(later, self._die.earlier(later, day, 40)))
            case = replace(case, closed=self._die.after(later) if self._die.chance(60) else None)
        return replace(case, agreement=agreement)
