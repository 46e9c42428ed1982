"""Deliberations: what happens at the table, and to what is promised there."""

from dataclasses import replace
from datetime import date

from tests.rehearsal.writing.county import County
from tests.rehearsal.writing.die import DAY, Die
from tests.rehearsal.year import Deliberation, Done, Issue, Outcome, Promise, Session, Survey

FORMS = ("meeting", "dialogue", "written")
KINDS = ("opinion", "suggestion", "agreement", "referral")
RATINGS = ("very-satisfied", "satisfied", "basically-satisfied", "dissatisfied")


class Deliberations:
    """Deals out deliberations of a county."""

    def __init__(self, die: Die, county: County) -> None:
        self._die = die
        self._county = county
        self._open: list[tuple[str, date, tuple[int, int]]] = []

    def stays_open(self, issue: Issue) -> None:
        """Remember a topic that nothing ends: it may stand on another's agenda."""
        talk = issue.handed_over[-1].deliberation if issue.handed_over and issue.withdrawn is None else None
        if talk and talk.opened and not talk.ended and not any(outcome.adopted for outcome in talk.outcomes):
            self._open.append((issue.place, talk.opened, (issue.number, len(issue.handed_over) - 1)))

    def _another(self, where: str, day: date) -> tuple[int, int] | None:
        known = [key for place, opened, key in self._open[-20:] if place.startswith(where) and opened < day]
        return self._die.choice(known) if known and self._die.chance(40) else None

    def deliberation(self, place: str, day: date) -> tuple[Deliberation, date | None, date | None]:
        if not (self._county.stands(place, day) or self._county.stands(place[:9], day)):
            return Deliberation(nobody=True), None, day
        opened = self._die.after(day, 10)
        if opened is None or self._die.chance(5):
            return Deliberation(), None, None
        if self._die.chance(8):
            return Deliberation(declined=opened), None, opened
        sessions, outcomes, now = list[Session](), list[Outcome](), opened
        for _ in range(self._die.choice([1, 1, 2])):
            session = self._session(place, now)
            if session is None:
                break
            sessions.append(session)
            later = session.signed or session.held or session.failed or session.planned
            if session.signed is None:
                now = self._die.after(later) or later
                continue
            outcome, now = self._outcome(place, len(sessions) - 1, session.signed)
            outcomes.append(outcome)
            if outcome.adopted is not None:
                return self._concluded(Deliberation(False, opened, None, tuple(sessions), tuple(outcomes)), outcome)
            if outcome.refused is None:
                return Deliberation(opened=opened, sessions=tuple(sessions), outcomes=tuple(outcomes)), None, None
        met = Deliberation(opened=opened, sessions=tuple(sessions), outcomes=tuple(outcomes))
        ended = self._die.after(now)
        if ended is None or self._die.chance(30):
            return met, None, None
        result = self._die.choice(["no-consensus", "referred"])
        survey = self._survey(ended) if self._die.chance(20) else None
        return replace(met, ended=(ended, result), survey=survey), None, ended

    def _concluded(self, met: Deliberation, adopted: Outcome) -> tuple[Deliberation, date | None, date | None]:
        """A referral gives the issue back; a consensus resolves it once the last promise is verified."""
        day = adopted.adopted
        survey = self._survey(day) if self._die.chance(70) else None
        if adopted.kind == "referral":
            return replace(met, survey=survey), None, day
        verified = [promise.verified for promise in adopted.promises if promise.verified]
        kept = len(verified) == len(adopted.promises)
        return replace(met, survey=survey), max(verified, default=day) if kept else None, None

    def _session(self, place: str, day: date) -> Session | None:
        """Of the village's committee or the town's, whichever stands."""
        standing = [where for where in (place, place[:9]) if self._county.stands(where, day)]
        if not standing:
            return None
        where = self._die.choice(standing)
        scale = self._die.choice(["micro", "micro", "regular"])
        waived = self._die.chance(40)
        session = Session(
            place=where,
            planned=day,
            form=self._die.choice(FORMS),
            scale=scale,
            members=self._die.randint(3, 5) if scale == "micro" else self._die.randint(6, 7 if len(where) == 9 else 6),
            cppcc=self._die.randrange(3),
            guests=self._die.randrange(3),
            sides=self._die.randint(1 if waived else 0, 3),
            waived=waived,
            also=self._another(where, day),
        )
        meets = self._die.after(day, 30, 1 if waived or scale == "micro" else 21)
        if meets is not None and self._die.chance(10):
            session, meets = replace(session, failed=meets), self._die.after(meets, 40, 21)
        if meets is None or self._die.chance(5):
            return session
        session = replace(session, held=meets)
        signs = meets if self._die.chance(60) else self._die.after(meets, 14)
        return session if self._die.chance(8) else replace(session, signed=signs)

    def _outcome(self, place: str, session: int, day: date) -> tuple[Outcome, date]:
        outcome = Outcome(session, day, self._die.choice(KINDS))
        decided = self._die.after(day, 20)
        if decided is None or self._die.chance(10):
            return outcome, day
        if self._die.chance(20):
            return replace(outcome, refused=decided), decided
        outcome = replace(outcome, adopted=decided, partly=self._die.chance(25))
        if outcome.kind != "referral":
            promises = [self.promise(decided, self._due(decided)) for _ in range(self._die.choice([0, 1, 1, 2]))]
            outcome = replace(outcome, promises=tuple(promises))
        return outcome, decided

    def _due(self, day: date) -> date:
        return day + self._die.randint(0, 120) * DAY

    def promise(self, opened: date, due: date | None) -> Promise:
        """Kept in time or late, contested and kept again, left undone, or not yet looked at."""
        promise, since = Promise(opened, due), opened
        while len(promise.done) < 3:
            day = self._die.after(since, 60)
            if day is None or self._die.chance(10):
                return promise
            done = Done(day, self._die.earlier(day, since, 40))
            later = self._die.after(day, 30)
            if later is not None and self._die.chance(20):
                promise, since = replace(promise, done=(*promise.done, replace(done, contested=later))), later
                continue
            promise = replace(promise, done=(*promise.done, done))
            return promise if self._die.chance(15) else replace(promise, verified=later)
        return promise

    def _survey(self, day: date | None) -> Survey | None:
        opened = self._die.after(day, 30)
        if opened is None:
            return None
        eligible, now, ratings = self._die.randint(1, 15), opened, list[tuple[date, str]]()
        for _ in range(self._die.randint(0, eligible)):
            ratings.append((now, self._die.choice(RATINGS)))
            now = (self._die.after(now, 40) or now) if self._die.chance(30) else now
        return Survey(opened, eligible, tuple(ratings), self._die.after(now) if self._die.chance(60) else None)
