"""Cases: disputes before the mediators, whichever way they came."""

from collections.abc import Sequence
from datetime import timedelta

from deploy.sample.plan import Case, CaseTwist
from deploy.sample.town import Town
from deploy.sample.xiangdao import Xiangdao, office_day


async def case(xiangdao: Xiangdao, case: Case) -> None:
    """A dispute that came by itself."""
    await xiangdao.year.on(xiangdao.day(case.day))
    town = await xiangdao.at(case.village)
    key = await town.open_case(case.words, case.dispute, case.source)
    if CaseTwist.PARTY_REFUSED in case.twists:
        *_, second = await town.seat_parties(key, *case.parties)
        await town.consent(key, second, given=False)
        return
    await mediated(xiangdao, town, key, case.parties, case.agreed, case.twists)


async def mediated(
    xiangdao: Xiangdao, town: Town, case: str, parties: Sequence[str], agreed: str, twists: frozenset[CaseTwist]
) -> None:
    """Consent, the mediators' table, and what came of it."""
    path = f"/cases/{case}"
    await town.begin_mediation(case, *parties)
    await xiangdao.year.on(office_day(xiangdao.year.today, 3))
    if CaseTwist.FAILED in twists:
        await town.mediator.post("mediation", f"{path}/fail", {"reason": "positions-apart", "remedies_told": True})
        return
    await town.agree(case, agreed, xiangdao.year.today + timedelta(days=10))
    broken = {CaseTwist.BREACHED, CaseTwist.MADE_GOOD} & twists
    await xiangdao.year.on(office_day(xiangdao.year.today, 14 if broken else 7))
    if broken:
        await town.mediator.post("mediation", f"{path}/breach")
        if CaseTwist.BREACHED in twists:
            return
        await xiangdao.year.on(office_day(xiangdao.year.today, 7))
    await town.mediator.post("mediation", f"{path}/performance", {})
    await town.mediator.post("mediation", f"{path}/close")
