"""Scenes: a whole plan, lived: each part by itself, on the days that follow from its first."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from functools import partial
from typing import Any

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Issuer
from deploy.local.rest import at_rest
from deploy.sample import cases, issues, leadership
from deploy.sample.plan import Plan
from deploy.sample.town import Town
from deploy.sample.xiangdao import TOWN, Xiangdao
from deploy.sample.year import PlatformClock, Year

Scene = Coroutine[Any, Any, None]


async def live(endpoints: Endpoints, issuer: Issuer, number: int, told: Callable[[date], None]) -> None:
    """Live the sample year in an empty platform, from the first day of the year ``number`` to its last.

    ``told`` hears of every day that comes. Raises Refused, NotAtRest.
    """
    plan, year = Plan.load(), Year(PlatformClock(endpoints.services), told)
    async with Town(endpoints, issuer, TOWN, f"{TOWN}701", year) as town:
        xiangdao = Xiangdao(plan, town, year, number)
        await year.live([leadership.set_up(xiangdao)])
        await year.live(scenes(xiangdao))
    await at_rest(endpoints.services)


def scenes(xiangdao: Xiangdao) -> Sequence[Scene]:
    """Everything that happens, each part by itself; the town must have been set up."""
    plan = xiangdao.plan
    return [
        *map(partial(leadership.meeting, xiangdao), plan.meetings),
        *map(partial(leadership.document, xiangdao), plan.documents),
        *map(partial(leadership.learning, xiangdao), plan.learning),
        *map(partial(leadership.publicity, xiangdao), plan.publicity),
        leadership.renewal(xiangdao),
        leadership.correction(xiangdao),
        *map(partial(issues.issue, xiangdao), plan.issues),
        *map(partial(issues.submission, xiangdao), plan.submissions),
        *map(partial(cases.case, xiangdao), plan.cases),
        xiangdao.year.on(date(xiangdao.number, 12, 31)),
    ]
