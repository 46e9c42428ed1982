"""What people say, and what becomes of it."""

from tests.rehearsal.calling.call import (
    Body,
    Call,
    Calls,
    Who,
    at,
    clerk,
    village_organ,
    village_secretary,
)
from tests.rehearsal.calling.cases import mediated
from tests.rehearsal.calling.deliberations import deliberated, kept
from tests.rehearsal.year import (
    HandOver,
    Issue,
    Submission,
    Year,
)


def spoken(said: Submission) -> Calls:
    who, key = clerk(said.place), f"submission-{said.number}"
    body: Body = {"organ": village_organ(said.place), "channel": said.channel, "words": "路灯不亮。"}
    if said.channel == "other-system":
        body = {**body, "origin": {"system": "letters", "reference": f"{said.number}"}}
    yield Call(said.day, who, "intake", "/submissions", {**body, **at("said_at", said.said)}, {"id": key})
    if said.merged is not None:
        day, into = said.merged
        merging = {"into": f"{{submission-{into}}}"}
        yield Call(day, who, "intake", f"/submissions/{{{key}}}/merge", merging)
    if said.withdrawn is not None:
        yield Call(said.withdrawn, who, "intake", f"/submissions/{{{key}}}/withdraw", {"reason": "已修好"})


def raised(issue: Issue, year: Year) -> Calls:
    who, key = clerk(issue.place), f"issue-{issue.number}"
    path = f"/issues/{{{key}}}"
    body: Body = {
        "organ": village_organ(issue.place),
        "headline": "路灯",
        "category": issue.category,
        "dispute": issue.dispute,
        "submissions": [f"{{submission-{n}}}" for n in issue.submissions],
    }
    yield Call(issue.registered, who, "intake", "/issues", body, {"id": key})
    screened = issue.admitted or issue.refused
    before = [one for one in issue.classified if screened is None or one.day < screened[0]]
    for one in before:
        yield Call(one.day, who, "intake", f"{path}/classify", {"category": one.category, "key": one.key})
    if issue.refused is not None:
        day, clause = issue.refused
        refusal = {"clause": clause, "redirect": "县人民法院", "remedy": "等待判决"}
        yield Call(day, who, "intake", f"{path}/refuse", refusal)
    if issue.admitted is not None:
        day, clause = issue.admitted
        yield Call(day, who, "intake", f"{path}/admit", {"clause": clause})
    for one in issue.classified[len(before) :]:
        yield Call(one.day, who, "intake", f"{path}/classify", {"category": one.category, "key": one.key})
    if issue.approved is not None:
        yield Call(issue.approved, village_secretary(issue.place), "intake", f"{path}/approve", {})
    for n, hand in enumerate(issue.handed_over):
        yield from handed_over(issue, hand, f"{key}-{n}", path, year)
    if issue.closed is not None:
        yield Call(issue.closed, who, "intake", f"{path}/inform", {})
        yield Call(issue.closed, who, "intake", f"{path}/close", {})
    if issue.withdrawn is not None:
        yield Call(issue.withdrawn, who, "intake", f"{path}/withdraw", {"reason": "已自行解决"})


def handed_over(issue: Issue, hand: HandOver, key: str, path: str, year: Year) -> Calls:
    """``key`` is what answers: the deliberation, the promise, the case."""
    who = clerk(issue.place)
    yield Call(hand.day, who, "intake", f"{path}/route", {"route": hand.route}, {"routing_id": key})
    if hand.deliberation is not None:
        yield from deliberated(hand.deliberation, key, issue.place)
    if hand.promise is not None:
        organ = village_organ(issue.place)
        yield from kept(hand.promise, key, Who("village-clerk", issue.place, organ), issue.place)
    if hand.case is not None:
        yield from mediated(hand.case, key)
    if hand.replied is not None:
        yield Call(hand.replied, who, "intake", f"{path}/reply", {"reply": "已办理。"})
