"""The plan reads as written, and one that lacks what an answer needs is refused."""

from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from pydantic import ValidationError

from deploy.sample.plan import Answer, Issue, Plan, on
from deploy.sample.xiangdao import MONDAY, THURSDAY, office_day
from vocabulary.kinds import Category, DisputeSource, DisputeType

PLAN = Plan.load()


def test_every_village_and_kind_is_known() -> None:
    named = [issue.village for issue in PLAN.issues] + [case.village for case in PLAN.cases]
    assert {*named, *(submission.village for submission in PLAN.submissions)} <= set(PLAN.villages)
    assert {issue.category for issue in PLAN.issues} == set(Category)
    assert {case.dispute for case in PLAN.cases} <= set(DisputeType)
    assert {case.source for case in PLAN.cases} == set(DisputeSource) - {DisputeSource.ROUTED}
    assert len(PLAN.villages) == len(set(PLAN.villages)) == 25


def test_an_answer_has_what_it_needs() -> None:
    road = next(issue for issue in PLAN.issues if issue.answer is Answer.DELIBERATION)
    lacks: Sequence[Mapping[str, object]] = (
        {"sides": {}},
        {"promise": ""},
        {"clause": None},
        {"twist": "late"},
        {"twists": {"recorded-late"}},
    )
    for lacking in lacks:
        with pytest.raises(ValidationError):
            Issue.model_validate({**road.model_dump(), **lacking})


@pytest.mark.parametrize(
    ("day", "year", "known"), [("02-29", 2028, True), ("02-29", 2027, False), ("12-31", 2027, True)]
)
def test_a_day_is_one_of_its_year(day: str, year: int, *, known: bool) -> None:
    if known:
        assert on(day, year) == date(year, *map(int, day.split("-")))
    else:
        with pytest.raises(ValueError, match="day is out of range"):
            on(day, year)


@pytest.mark.parametrize("days", range(14))
def test_an_office_day_is_the_first_monday_or_thursday(days: int) -> None:
    start = date(2027, 3, 3)
    found = office_day(start, days)
    assert found.weekday() in (MONDAY, THURSDAY)
    assert days <= (found - start).days < days + 4
