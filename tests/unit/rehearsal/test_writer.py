"""Years: the same for the same seed, of all sizes, and full of whatever can happen."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from tests.rehearsal.answers import answers, kept, questions
from tests.rehearsal.calls import calls
from tests.rehearsal.writer import volume, write
from tests.rehearsal.year import Case, Deliberation, Issue, Promise, Session, Year


@cache
def years() -> Sequence[Year]:
    return [write(seed) for seed in range(1, 101) if volume(seed) < 200]


def issues() -> Iterable[Issue]:
    return (issue for year in years() for issue in year.issues)


def deliberations() -> Iterable[Deliberation]:
    return (hand.deliberation for issue in issues() for hand in issue.handed_over if hand.deliberation)


def sessions() -> Iterable[Session]:
    return (session for talk in deliberations() for session in talk.sessions)


def promises() -> Iterable[Promise]:
    yield from (promise for talk in deliberations() for outcome in talk.outcomes for promise in outcome.promises)
    yield from (hand.promise for issue in issues() for hand in issue.handed_over if hand.promise)


def cases() -> Iterable[Case]:
    return (case for year in years() for case in year.all_cases())


def late(promise: Promise, year: Year) -> bool:
    """Whether it is due in another half than without the correction."""
    due, before = kept(promise, year, None).due, kept(promise, replace(year, corrected=None), None).due
    return (due.year, due.month > 6) != (before.year, before.month > 6)


HAPPENS: dict[str, Callable[[], Iterable[bool]]] = {
    "a village comes late": lambda: (len({v.registered for v in year.villages}) > 1 for year in years()),
    "a village moves to the other town": lambda: (any("划转" in v.name for v in year.villages) for year in years()),
    "a calendar is corrected": lambda: (year.corrected is not None for year in years()),
    "a committee is dissolved and follows": lambda: (
        len(c.terms) > 1 and c.terms[0].dissolved is not None for year in years() for c in year.committees
    ),
    "a committee runs out": lambda: (
        any(term.until.year <= year.year for term in c.terms) for year in years() for c in year.committees
    ),
    "a workstation opens again": lambda: (len(w.opened) > 1 for year in years() for w in year.workstations),
    "a record is late, from before the year's end": lambda: (
        r.happened is not None and r.day.year > year.year >= r.happened.year for year in years() for r in year.records
    ),
    "a record was an error": lambda: (r.withdrawn is not None for year in years() for r in year.records),
    "paper is entered later": lambda: (s.said is not None for year in years() for s in year.submissions),
    "a submission is merged": lambda: (s.merged is not None for year in years() for s in year.submissions),
    "a submission is withdrawn": lambda: (s.withdrawn is not None for year in years() for s in year.submissions),
    "an issue is refused": lambda: (issue.refused is not None for issue in issues()),
    "an issue is classified twice": lambda: (len(issue.classified) > 1 for issue in issues()),
    "an admitted issue is withdrawn": lambda: (bool(issue.admitted and issue.withdrawn) for issue in issues()),
    "an issue is routed again": lambda: (len(issue.handed_over) > 1 for issue in issues()),
    "an issue is closed in the next year": lambda: (
        issue.closed is not None and issue.closed.year > year.year for year in years() for issue in year.issues
    ),
    "another system's number comes along": lambda: (
        s.channel == "other-system" for y in years() for s in y.submissions
    ),
    "nobody could take a topic": lambda: (talk.nobody for talk in deliberations()),
    "a topic is declined": lambda: (talk.declined is not None for talk in deliberations()),
    "no consensus": lambda: (talk.ended is not None for talk in deliberations()),
    "a session treats two topics": lambda: (session.also is not None for session in sessions()),
    "a session is not held": lambda: (session.held is None for session in sessions()),
    "minutes are not signed": lambda: (bool(session.held and not session.signed) for session in sessions()),
    "a quorum fails": lambda: (session.failed is not None for session in sessions()),
    "an outcome is refused, and another adopted": lambda: (
        len(talk.outcomes) > 1 and talk.outcomes[-1].adopted is not None for talk in deliberations()
    ),
    "an outcome is adopted partly": lambda: (o.partly for talk in deliberations() for o in talk.outcomes),
    "a referral is adopted": lambda: (
        bool(o.adopted and o.kind == "referral") for talk in deliberations() for o in talk.outcomes
    ),
    "a promise is contested and kept again": lambda: (
        len(promise.done) > 1 and promise.verified is not None for promise in promises()
    ),
    "a correction moves a deadline into the next period": lambda: (
        hand.promise is not None and late(hand.promise, year) for year in years() for hand in year.hand_overs()
    ),
    "a promise is never kept": lambda: (not promise.done for promise in promises()),
    "a promise is recorded late": lambda: (
        bool(promise.due and done.at and done.at.date() < promise.due < done.day)
        for promise in promises()
        for done in promise.done
    ),
    "a promise of a withdrawn issue": lambda: (
        bool(issue.withdrawn and issue.handed_over and issue.handed_over[-1].promise) for issue in issues()
    ),
    "too few rate": lambda: (talk.survey is not None and len(talk.survey.ratings) < 5 for talk in deliberations()),
    "mediation is refused": lambda: (case.declined is not None for case in cases()),
    "mediation fails": lambda: (case.failed is not None for case in cases()),
    "a party withdraws": lambda: (bool(case.failed and case.failed[1] == "party-withdrew") for case in cases()),
    "an agreement is oral": lambda: (bool(case.agreement and not case.agreement.written) for case in cases()),
    "an agreement is broken": lambda: (
        bool(case.agreement and case.agreement.breached and not case.agreement.performed) for case in cases()
    ),
    "an agreement is made good": lambda: (
        bool(case.agreement and case.agreement.breached and case.agreement.performed) for case in cases()
    ),
    "a performance is recorded late": lambda: (
        bool(case.agreement and case.agreement.performed and case.agreement.performed.at) for case in cases()
    ),
}


class TestYears:
    @pytest.mark.parametrize("what", list(HAPPENS))
    def test_hold_whatever_can_happen(self, what: str) -> None:
        assert any(HAPPENS[what]())

    def test_are_the_same_for_the_same_seed(self) -> None:
        assert write(7) == write(7)
        assert write(7) != replace(write(8), seed=7)

    def test_are_of_all_sizes(self) -> None:
        volumes = sorted(volume(seed) for seed in range(1, 201))
        assert (volumes[0], volumes[-1] > 1_000, 10 < volumes[100] < 20) == (3, True, True)

    def test_have_as_many_matters_as_asked(self) -> None:
        year = write(3, 2030, 8, sparse=True)
        lone = [said for said in year.submissions if not any(said.number in one.submissions for one in year.issues)]
        assert len(year.issues) + len(year.cases) <= 8 <= len(year.issues) + len(year.cases) + len(lone)
        assert {day.year for day in year.days} == {2029, 2030, 2031}

    def test_are_called_in_the_order_of_their_days_on_days_of_theirs(self) -> None:
        for year in years()[:20]:
            days = [call.day for call in calls(year)]
            assert days == sorted(days)
            moved = {village.registered for village in year.villages}
            corrected = [] if year.corrected is None else [year.corrected[0]]
            assert set(days) <= {*year.days, *moved, *corrected}

    def test_are_asked_about_within_and_around_them(self) -> None:
        year = years()[0]
        assert {asked.division for asked in questions(year)} > {year.county, *year.towns}
        for asked in questions(year):
            assert asked.first >= date(year.year, 1, 1)
            assert answers(year, asked)
