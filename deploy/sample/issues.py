"""Issues: from what somebody says to the answer, by whatever route.

From the first word to a session takes some five weeks: registered with the next office day, screened and approved a
week later, called with the notice that the rules ask for.
"""

from datetime import datetime, time, timedelta

from deploy.sample.cases import mediated
from deploy.sample.plan import Answer, Issue, Said, Submission, Twist
from deploy.sample.town import Town
from deploy.sample.xiangdao import Xiangdao, office_day
from vocabulary.calendar import SHANGHAI

NOTICE_DAYS = 10
DONE = "已完成，经现场查看。"
RATINGS = ("very-satisfied", "satisfied", "basically-satisfied", "dissatisfied")


async def submission(xiangdao: Xiangdao, submission: Submission) -> None:
    """Words that became no issue."""
    town = await xiangdao.at(submission.village)
    said_at = {}
    if submission.said_at is not None:
        said_at = {"said_at": datetime.combine(xiangdao.day(submission.said_at), time(15), SHANGHAI).isoformat()}
    key = await _said(xiangdao, town, submission.said, **said_at)
    if submission.withdrawn is not None:
        await xiangdao.year.on(office_day(xiangdao.day(submission.said.day), 3))
        await town.clerk.post("intake", f"/submissions/{key}/withdraw", {"reason": submission.withdrawn})


async def issue(xiangdao: Xiangdao, issue: Issue) -> None:
    """From the first word to the answer."""
    town = await xiangdao.at(issue.village)
    first, *later = issue.said
    submission = await _said(xiangdao, town, first)
    for again in later:
        same = await _said(xiangdao, town, again)
        await town.clerk.post("intake", f"/submissions/{same}/merge", {"into": submission})
    registered = office_day(xiangdao.day(issue.said[-1].day), 2)
    await xiangdao.year.on(registered)
    key = await town.raise_issue(issue.headline, issue.category, [submission], issue.dispute, key=issue.key)
    await xiangdao.year.on(office_day(registered, 6))
    match issue.answer:
        case Answer.WITHDRAWN:
            await town.clerk.post("intake", f"/issues/{key}/withdraw", {"reason": issue.withdrawn})
        case Answer.REFUSED:
            refusal = {"clause": issue.clause, "redirect": issue.redirect, "remedy": issue.remedy}
            await town.clerk.post("intake", f"/issues/{key}/refuse", refusal)
        case Answer.WAITING:
            await town.clerk.post("intake", f"/issues/{key}/admit", {"clause": issue.clause})
        case answer:
            await town.approve(key, str(issue.clause))
            await _answered(xiangdao, town, key, issue, answer)


async def _said(xiangdao: Xiangdao, town: Town, said: Said, **more: str) -> str:
    await xiangdao.year.on(xiangdao.day(said.day))
    return await town.receive(said.words, said.channel, **({"name": said.by} if said.by else {}), **more)


async def _answered(xiangdao: Xiangdao, town: Town, key: str, issue: Issue, answer: Answer) -> None:
    """Route an approved issue, have it answered, and tell who spoke."""
    if Twist.MISROUTED in issue.twists:
        wrong = await town.route(key, "deliberation")
        reason = {"reason": "不属于协商范围"}
        await town.convener.post("deliberation", f"/deliberations/{wrong}/decline", reason)
        await town.rest()
    routed = await town.route(key, answer)
    match answer:
        case Answer.DELIBERATION:
            await _deliberated(xiangdao, town, key, routed, issue)
        case Answer.MEDIATION:
            await mediated(xiangdao, town, routed, issue.parties, issue.agreed, frozenset())
        case Answer.DIRECT_HANDLING:
            if await _handled(xiangdao, town, key, routed, issue):
                return
        case _:
            await xiangdao.year.on(office_day(xiangdao.year.today, 14))
            await town.clerk.post("intake", f"/issues/{key}/reply", {"reply": issue.reply})
    await town.rest()
    await xiangdao.year.on(office_day(xiangdao.year.today, 2))
    await town.answer(key)


async def _handled(xiangdao: Xiangdao, town: Town, key: str, promise: str, issue: Issue) -> bool:
    """Keep the promise of direct handling; return whether the issue was taken back meanwhile."""
    routed = xiangdao.year.today
    if Twist.WITHDRAWN in issue.twists:
        await xiangdao.year.on(office_day(routed, 7))
        await town.clerk.post("intake", f"/issues/{key}/withdraw", {"reason": issue.withdrawn})
        return True
    done: dict[str, str] = {}
    days = 14
    if Twist.LATE in issue.twists:
        days = 45
    if Twist.RECORDED_LATE in issue.twists:
        days = 45
        done = {"done_at": datetime.combine(routed + timedelta(days=20), time(15), SHANGHAI).isoformat()}
    await xiangdao.year.on(office_day(routed, days))
    completion = {"proof": DONE, **done}
    await town.villager.post("deliberation", f"/commitments/{promise}/complete", completion)
    await town.supervisor.post("deliberation", f"/commitments/{promise}/verify")
    return False


async def _deliberated(xiangdao: Xiangdao, town: Town, key: str, deliberation: str, issue: Issue) -> None:
    """Called, held, submitted, adopted, promised, kept, verified, and rated by some."""
    await _open(town, deliberation)
    if Twist.NO_CONSENSUS_FIRST in issue.twists:
        await _session(xiangdao, town, deliberation, issue, "meeting")
        await town.convener.post("deliberation", f"/deliberations/{deliberation}/conclude", {"result": "no-consensus"})
        await town.rest()
        deliberation = await town.route(key, "deliberation")
        await _open(town, deliberation)
    if Twist.UNSIGNED_FIRST in issue.twists:
        await _session(xiangdao, town, deliberation, issue, "meeting", sign=False)
    session = await _session(xiangdao, town, deliberation, issue, issue.form)
    [promise] = await _adopted(xiangdao, town, deliberation, session, issue)
    await _kept(xiangdao, town, promise, issue)
    await town.rest()
    if issue.rated is not None:
        ratings = [rating for rating, n in zip(RATINGS, issue.rated, strict=True) for _ in range(n)]
        await town.rate(deliberation, ratings, len(ratings) + 2)


async def _open(town: Town, deliberation: str) -> None:
    await town.convener.post("deliberation", f"/deliberations/{deliberation}/open")


async def _session(
    xiangdao: Xiangdao, town: Town, deliberation: str, issue: Issue, form: str, *, sign: bool = True
) -> str:
    """Call the village's committee, or for a regular session the town's, and hold it on its day."""
    hall = town if issue.scale == "micro" else await xiangdao.town.at(xiangdao.town.code)
    regular, sides = issue.scale == "regular", list(issue.sides)
    day = office_day(xiangdao.year.today, NOTICE_DAYS)
    opening = datetime.combine(day, time(10), SHANGHAI)
    session = await hall.call_session(deliberation, sides, form, issue.scale, begins_at=opening)
    path = f"/sessions/{session}"
    await xiangdao.year.on(day)
    if Twist.QUORUM_FAILED_FIRST in issue.twists:
        await hall.seat(session, deliberation, sides, members=2)
        await hall.convener.post("deliberation", f"{path}/open")
        day = office_day(day, 4)
        again = {"begins_at": datetime.combine(day, time(10), SHANGHAI).isoformat()}
        await hall.convener.post("deliberation", f"{path}/notice", again)
        await xiangdao.year.on(day)
    await hall.seat(session, deliberation, sides, members=6 if regular else 3, cppcc=True)
    await hall.convener.post("deliberation", f"{path}/open")
    await hall.hear(session, deliberation, issue.sides)
    if sign:
        await hall.sign(session, deliberation, sides)
    return session


async def _adopted(xiangdao: Xiangdao, town: Town, deliberation: str, session: str, issue: Issue) -> list[str]:
    promises = {issue.promise: xiangdao.year.today + timedelta(days=30)}
    if Twist.OUTCOME_REFUSED_FIRST in issue.twists:
        body = {"deliberation_id": deliberation, "session_id": session, "kind": "suggestion"}
        submitted = await town.convener.post("deliberation", "/outcomes", {**body, "summary": "先行试办。"})
        refused = f"/outcomes/{submitted['id']}/refuse"
        await town.secretary.post("deliberation", refused, {"reasons": "缺少承办单位，请补充。"})
    return await town.adopt(deliberation, session, issue.agreed, promises, partly=Twist.PARTLY in issue.twists)


async def _kept(xiangdao: Xiangdao, town: Town, promise: str, issue: Issue) -> None:
    """The unit keeps it, late perhaps; the supervisors look, and somebody may not be content at first."""
    await xiangdao.year.on(office_day(xiangdao.year.today, 36 if Twist.LATE in issue.twists else 18))
    if Twist.CONTESTED in issue.twists:
        path = f"/commitments/{promise}"
        await town.unit.post("deliberation", f"{path}/complete", {"proof": DONE})
        await town.clerk.post("deliberation", f"{path}/contest", {"reason": issue.complaint})
        await xiangdao.year.on(office_day(xiangdao.year.today, 7))
    await town.keep(promise, DONE)
