"""The answer sheet over tiny years that anybody can count."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tests.rehearsal.answers import answers, kept
from tests.rehearsal.figures import Asked, Counted, Figure, Figures, Rated, difference, read
from tests.rehearsal.year import (
    Agreement,
    Calendar,
    Case,
    Classified,
    Committee,
    Deliberation,
    Done,
    HandOver,
    Issue,
    Outcome,
    Promise,
    Record,
    Session,
    Submission,
    Survey,
    Term,
    Village,
    Workstation,
    Year,
)

COUNTY, TOWN, OTHER = "620724", "620724100", "620724203"
VILLAGE, MOVED = f"{TOWN}201", f"{OTHER}702"
WHOLE = Asked(COUNTY, date(2026, 1, 1), date(2026, 12, 31))
FIRST_HALF = Asked(COUNTY, date(2026, 1, 1), date(2026, 6, 30))
EMPTY = Year(
    seed=1,
    year=2026,
    county=COUNTY,
    towns=(TOWN, OTHER),
    villages=(Village(VILLAGE, "某村", date(2025, 12, 15)),),
    days=(date(2025, 12, 15), date(2027, 1, 31)),
    calendar=Calendar(()),
    following=Calendar(()),
)


def day(month: int, of_month: int, year: int = 2026) -> date:
    return date(year, month, of_month)


def told(year: Year, asked: Asked = WHOLE) -> Figures:
    """What is not nothing."""
    return {slug: figure for slug, figure in answers(year, asked).items() if not nothing(figure)}


def nothing(figure: Figure) -> bool:
    return figure.value == 0 if isinstance(figure, Counted) else figure.denominator == 0


def n(value: int, **by: int) -> Counted:
    return Counted(value, {name.replace("_", "-"): part for name, part in by.items()})


def rate(numerator: int, denominator: int) -> Rated:
    return Rated(numerator, denominator, round(numerator / denominator, 4), None)


def talked(deliberation: Deliberation, dispute: str | None = None) -> Year:
    hand = HandOver(day(3, 1), "deliberation", deliberation=deliberation)
    issue = Issue(0, VILLAGE, day(12, 20, 2025), "livelihood", dispute, handed_over=(hand,))
    return replace(EMPTY, issues=(issue,))


def promised(promise: Promise, withdrawn: date | None = None) -> Year:
    hand = HandOver(promise.opened, "direct-handling", promise=promise)
    issue = Issue(0, VILLAGE, day(12, 20, 2025), "livelihood", handed_over=(hand,), withdrawn=withdrawn)
    return replace(EMPTY, issues=(issue,))


class TestNothing:
    def test_is_told_of_an_empty_year(self) -> None:
        assert told(EMPTY) == {}


class TestCollection:
    def test_counts_what_was_said_by_when_it_was_said(self) -> None:
        words = (
            Submission(0, VILLAGE, "visit", day(2, 1)),
            Submission(1, VILLAGE, "visit", day(2, 2), merged=(day(2, 3), 0)),
            Submission(2, VILLAGE, "web", day(7, 1), withdrawn=day(1, 5, 2027)),
            Submission(3, VILLAGE, "web", day(1, 9, 2027), said=datetime(2026, 12, 31, 15, 59, 59, 999999, UTC)),
            Submission(4, VILLAGE, "web", day(1, 9, 2027), said=datetime(2026, 12, 31, 16, tzinfo=UTC)),
        )
        assert told(replace(EMPTY, submissions=words)) == {
            "opinions-collected": n(4, visit=2, web=2),
            "opinions-deduplicated": n(2, visit=1, web=1),
        }
        assert told(replace(EMPTY, submissions=words), Asked(COUNTY, day(1, 1, 2027), day(1, 31, 2027))) == {
            "opinions-collected": n(1, web=1),
            "opinions-deduplicated": n(1, web=1),
            "opinions-withdrawn": n(1),
        }

    def test_counts_issues_by_their_last_category_and_what_was_not_withdrawn(self) -> None:
        key = (Classified(day(2, 1), "income-growth", key=False), Classified(day(2, 2), "livelihood", key=True))
        no_more = (Classified(day(2, 1), "income-growth", key=True), Classified(day(2, 2), "livelihood", key=False))
        issues = (
            Issue(0, VILLAGE, day(2, 1), "livelihood", classified=key, admitted=(day(2, 3), "D05"), closed=day(8, 1)),
            Issue(1, VILLAGE, day(2, 1), "livelihood", classified=no_more, admitted=(day(2, 3), "D07")),
            Issue(2, VILLAGE, day(2, 1), "livelihood", admitted=(day(2, 3), "D07"), withdrawn=day(3, 1)),
            Issue(3, MOVED, day(7, 1), "livelihood", refused=(day(7, 2), "X03")),
        )
        year = replace(EMPTY, issues=issues)
        assert told(year, FIRST_HALF) == {
            "issues-registered": n(2),
            "key-issues": n(1, livelihood=1),
            "issues-admitted": n(3, D05=1, D07=2),
            "issue-closure-rate": rate(1, 2),
        }
        moved = Asked(OTHER, WHOLE.first, WHOLE.last)
        assert told(year, moved) == {"issues-registered": n(1), "issues-refused": n(1, X03=1)}


class TestOrganisation:
    def test_counts_bodies_that_stand_at_the_end(self) -> None:
        long = date(2028, 12, 31)
        out = Term(day(1, 5), day(3, 1), 7, neighbourhood=True)
        again = Term(day(8, 1), long, 7, neighbourhood=False)
        gone = Term(day(1, 5), long, 9, neighbourhood=True, dissolved=day(6, 30))
        year = replace(
            EMPTY,
            committees=(Committee(VILLAGE, (out, again)), Committee(TOWN, (gone,))),
            workstations=(Workstation(TOWN, (day(2, 1), day(9, 1)), (day(4, 1),)),),
        )
        assert told(year, FIRST_HALF) == {}
        assert told(year) == {"committees": n(1), "workstations": n(1)}
        march = Asked(COUNTY, day(3, 1), day(3, 31))
        assert told(year, march) == {"committees": n(1), "neighbourhood-committees": n(1), "workstations": n(1)}
        february = Asked(COUNTY, day(2, 1), day(2, 28))
        assert told(year, february) == {"committees": n(2), "neighbourhood-committees": n(2), "workstations": n(1)}

    def test_counts_records_by_when_it_happened(self) -> None:
        december = datetime(2026, 12, 30, 6, tzinfo=UTC)
        records = (
            Record(TOWN, "meetings", "party-committee", day(1, 8, 2027), december),
            Record(TOWN, "meetings", "cadre-staff", day(1, 8, 2027)),
            Record(VILLAGE, "publicity", "cadres", day(5, 8)),
            Record(VILLAGE, "publicity", "cadres", day(5, 8), withdrawn=day(1, 8, 2027)),
        )
        year = replace(EMPTY, records=records)
        assert told(year) == {"party-committee-meetings": n(1), "publicity": n(1, cadres=1)}


class TestSessions:
    def test_count_once_their_minutes_are_signed(self) -> None:
        micro = Session(
            VILLAGE, day(3, 5), "dialogue", "micro", 3, 2, 1, 2, waived=True, held=day(3, 6), signed=day(3, 6)
        )
        town = replace(micro, place=TOWN, form="meeting", scale="regular", members=6, cppcc=0, signed=day(7, 1))
        unsigned = replace(micro, signed=None)
        year = talked(Deliberation(opened=day(3, 2), sessions=(micro, town, unsigned)))
        assert told(year) == {
            "sessions": n(2, dialogue=1, meeting=1),
            "sessions-by-scale": n(2, micro=1, regular=1),
            "sessions-by-level": n(2, village=1, town=1),
            "micro-consultations": n(1, dialogue=1),
            "attendances": n(17),
            "cppcc-attendances": n(2),
        }
        assert told(year, FIRST_HALF)["sessions"] == n(1, dialogue=1)

    def test_outcomes_count_as_adopted_whenever_that_was(self) -> None:
        refused = Outcome(0, day(3, 7), "opinion", refused=day(3, 9))
        adopted = Outcome(1, day(6, 30), "agreement", adopted=day(7, 9), partly=True)
        year = talked(Deliberation(opened=day(3, 2), outcomes=(refused, adopted)), dispute="neighbour")
        assert told(year, FIRST_HALF) == {
            "outcomes-submitted": n(2, opinion=1, agreement=1),
            "adoption-rate": rate(1, 2),
        }
        assert told(year)["disputes-resolved"] == n(1, routed=1)

    def test_of_a_referral_no_dispute_is_resolved(self) -> None:
        referral = Outcome(0, day(3, 7), "referral", adopted=day(3, 9))
        year = talked(Deliberation(opened=day(3, 2), outcomes=(referral,)), dispute="neighbour")
        assert "disputes-resolved" not in told(year)


class TestPromises:
    def test_are_kept_in_time_by_when_it_was_done(self) -> None:
        late = Done(day(3, 20), datetime(2026, 3, 10, 15, 59, 59, 999999, UTC))
        promise = Promise(day(2, 1), day(3, 10), (late,), verified=day(7, 1))
        assert kept(promise, EMPTY, None).in_time == [True]
        too_late = replace(promise, done=(Done(day(3, 20), datetime(2026, 3, 10, 16, tzinfo=UTC)),))
        assert kept(too_late, EMPTY, None).in_time == [False]

    def test_count_in_the_period_they_are_due_in(self) -> None:
        done = Done(day(6, 20), contested=day(6, 25)), Done(day(7, 2))
        outcome = Outcome(
            0,
            day(3, 7),
            "agreement",
            adopted=day(3, 9),
            promises=(Promise(day(3, 9), day(6, 30), done, verified=day(7, 3)), Promise(day(3, 9), day(7, 1))),
        )
        figures = told(talked(Deliberation(opened=day(3, 2), outcomes=(outcome,))), FIRST_HALF)
        assert figures["timely-closure-rate"] == rate(0, 1)
        assert figures["commitments-opened"] == n(2)
        assert figures["commitment-closure-rate"] == rate(1, 2)
        assert "commitments-closed" not in figures

    def test_of_a_withdrawn_issue_are_owed_no_more(self) -> None:
        promise = Promise(day(2, 1), None, (Done(day(2, 20)),))
        assert "commitments-opened" not in told(promised(promise, withdrawn=day(2, 25)))
        assert told(promised(promise))["commitments-opened"] == n(1)

    @pytest.mark.parametrize(
        ("opened", "due"),
        [
            (day(1, 2), day(2, 2)),  # the thirtieth day is a Sunday
            (day(2, 1), day(3, 3)),
            (day(12, 2), day(1, 1, 2027)),
        ],
    )
    def test_in_days_end_on_no_day_of_rest(self, opened: date, due: date) -> None:
        assert kept(Promise(opened, None), EMPTY, None).due == due

    @pytest.mark.parametrize(
        ("promise", "due"),
        [
            (Promise(day(5, 30), None), day(7, 1)),  # open: 29 and 30 June are days off now
            (Promise(day(5, 30), None, (Done(day(6, 1)),)), day(6, 29)),  # called done before
            (Promise(day(5, 30), None, (Done(day(6, 1), contested=day(6, 15)),)), day(7, 1)),  # and contested after
            (Promise(day(5, 30), day(6, 29)), day(6, 29)),  # a day that somebody named
        ],
    )
    def test_move_with_a_corrected_calendar_while_they_are_open(self, promise: Promise, due: date) -> None:
        corrected = replace(EMPTY, corrected=(day(6, 9), Calendar((day(6, 29), day(6, 30)))))
        assert kept(promise, corrected, None).due == due

    def test_are_not_late_by_a_correction(self) -> None:
        """By the first table the days to 8 May were off; by the correction 4 May, gone by then, was worked."""
        off = Calendar(tuple(day(5, n) for n in (4, 5, 6, 7, 8)))
        corrected = replace(EMPTY, calendar=off, corrected=(day(5, 6), Calendar(())))
        assert kept(Promise(day(4, 4), None), corrected, None).due == day(5, 11)


class TestDisputes:
    def test_count_where_they_were_settled_for_good(self) -> None:
        case = Case(0, VILLAGE, day(2, 1), "applied", "labour", accepted=day(2, 3))
        agreed = Agreement(day(3, 1), written=True, perform_by=day(4, 1))
        broken = replace(agreed, breached=day(4, 5))
        good = replace(broken, performed=Done(day(7, 20), datetime(2026, 6, 30, 8, tzinfo=UTC)))
        cases = [replace(case, agreement=one) for one in (agreed, broken, good)]
        year = replace(EMPTY, cases=(*cases, case))
        assert told(year, FIRST_HALF) == {
            "disputes-resolved": n(2, applied=2),
            "disputes-accepted": n(4, labour=4),
            "mediation-success-rate": rate(3, 4),
            "performance-rate": rate(1, 3),
        }
        march = Asked(COUNTY, day(3, 1), day(3, 31))
        assert told(year, march) == {"disputes-resolved": n(1, applied=1)}


class TestSatisfaction:
    def test_of_few_is_not_told(self) -> None:
        ratings = tuple((day(4, 1), "satisfied") for _ in range(4))
        survey = Survey(day(4, 1), 8, ratings)
        four = answers(talked(Deliberation(survey=survey)), WHOLE)
        assert four["satisfaction-rate"] == Rated(None, 4, None, "too-few")
        assert four["participation-rate"] == Rated(None, 8, None, "too-few")
        five = replace(survey, ratings=(*ratings, (day(7, 1), "dissatisfied")))
        told_ = answers(talked(Deliberation(survey=five)), WHOLE)
        assert told_["satisfaction-rate"] == rate(4, 5)
        assert told_["participation-rate"] == rate(5, 8)
        half = answers(talked(Deliberation(survey=five)), FIRST_HALF)
        assert half["satisfaction-rate"] == Rated(None, 4, None, "too-few")
        assert half["participation-rate"] == rate(5, 8)


class TestDifference:
    def test_is_a_line_for_each_figure_that_differs(self) -> None:
        expected: Figures = {"a": n(2, web=2), "b": rate(1, 2), "c": Rated(None, 4, None, "too-few"), "d": n(1)}
        found: Figures = {"a": n(3, web=2, visit=1), "b": rate(2, 2), "c": rate(4, 4), "d": n(1)}
        assert list(difference(WHOLE, expected, found)) == [
            f"{WHOLE}: a should be 2 (web 2), but is told as 3 (visit 1, web 2)",
            f"{WHOLE}: b should be 1/2, but is told as 2/2",
            f"{WHOLE}: c should be ?/4 (too-few), but is told as 4/4",
        ]
        assert list(difference(WHOLE, {"d": n(1)}, {})) == [f"{WHOLE}: d should be 1, but is told as absent"]

    def test_is_found_in_what_reporting_answers(self) -> None:
        count = {"kind": "count", "slug": "a", "value": 2, "by": {"web": {"value": 2, "facts": "/…"}}}
        term = {"value": 1}
        few = {"kind": "rate", "slug": "b", "value": None, "reason": "too-few", "numerator": term, "denominator": term}
        assert read({"figures": [count, few]}) == {"a": n(2, web=2), "b": Rated(1, 1, None, "too-few")}
