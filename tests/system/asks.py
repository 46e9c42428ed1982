"""Asks: for every action the request that comes as far as its permission, and no further.

What is let in is then refused for sure, so that a thousand requests change nothing and need no stream in a certain
state: a command names a version that no stream has, a list a cursor that is none, a report a period that ends before it
begins. Bodies are the examples of the OpenAPI document, with the place put in.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx2

from tests.system.cells import COUNTY, TOWN, VILLAGE, Answer, Cell, Opener, Relation, Target, expected
from tests.system.paths import named_by

Json = Mapping[str, Any]  # a part of an OpenAPI document, or a body
STREAMS: Mapping[str, str] = {
    "submission_id": "submission",
    "issue_id": "issue",
    "deliberation_id": "deliberation",
    "session_id": "session",
    "outcome_id": "outcome",
    "commitment_id": "commitment",
    "survey_id": "survey",
    "record_id": "work-record",
    "case_id": "case",
    "year": "calendar",
    "committees/division": "committee",
    "workstations/division": "workstation",
}
"""What a path names by its parameter: the kind of the stream."""

OPENERS = (Opener.ANOTHER, Opener.MYSELF, Opener.NOBODY)
OFFICE = f"{VILLAGE}.village-committee"
_AT_OFFICE: Json = {"organ": OFFICE}
OPENING: Mapping[str, tuple[str, Json]] = {
    "register_division": (f"{COUNTY}.county-government", {"division": VILLAGE}),
    "register_organ": (OFFICE, {"organ": OFFICE, "kind": "village-committee", "division": VILLAGE}),
    "receive_submission": (OFFICE, _AT_OFFICE),
    "import_submissions": (OFFICE, {}),
    "register_issue": (OFFICE, _AT_OFFICE),
    "establish_committee": (f"{VILLAGE}.deliberation-committee", {"division": VILLAGE}),
    "establish_workstation": (f"{TOWN}.member-workstation", {"division": TOWN}),
    "plan_session": (f"{VILLAGE}.deliberation-committee", {"committee": VILLAGE}),
    "record_meeting": (OFFICE, _AT_OFFICE),
    "issue_document": (OFFICE, _AT_OFFICE),
    "record_learning": (OFFICE, _AT_OFFICE),
    "record_publicity": (OFFICE, _AT_OFFICE),
    "register_mediation_committee": (f"{VILLAGE}.mediation-committee", {"division": VILLAGE}),
    "open_case": (OFFICE, _AT_OFFICE),
}
"""What opens a stream, at which organ: the new stream is the caller's own."""

ABOUT_DELIBERATION = {"submit_outcome", "open_survey"}
"""They open what belongs to a deliberation, and are asked of its organ."""

OF_THE_CALLERS_COUNTY = {"publish_calendar", "erase_subject", "show_subject"}
"""They name no place: whoever asks, it is about the county their token speaks of."""

QUERIES: Mapping[str, str] = {
    "import_submissions": f"organ={OFFICE}&system=letters",
    "list_figure_facts": f"division={VILLAGE}&from=2026-03-02&to=2026-03-01",
    "show_work_report": f"division={VILLAGE}&from=2026-03-02&to=2026-03-01",
    "write_work_report": f"division={VILLAGE}&from=2026-03-02&to=2026-03-01",
    "print_work_report": f"division={VILLAGE}&from=2026-03-02&to=2026-03-01",
    "list_issues": f"division={VILLAGE}&cursor=none",
    "list_sessions": f"division={VILLAGE}&cursor=none",
    "list_cases": f"division={VILLAGE}&cursor=none",
    "list_submissions": f"division={VILLAGE}&cursor=none",
    "list_moved_deadlines": f"division={VILLAGE}&cursor=none",
}
CSV = "编号,内容\n1,路灯坏了\n".encode()
Key = Callable[[str, Opener], str]
"""By the kind of a stream and who opened it: what it is known by."""

NO_VERSION = '"999999"'
_keys = count(1)


@dataclass(frozen=True)
class Ask:
    """An action as it is asked over HTTP. ``let_in``: status and code where permission was given."""

    action: str
    method: str
    path: str
    target: Target
    openers: Sequence[Opener]
    let_in: tuple[int, str]
    body: Json | None = None
    streams: Mapping[str, str] = field(default_factory=dict[str, str])

    def promised(self, scope: str | None, cell: Cell) -> Answer:
        """What the table promises of a cell of this action. Who names no place is always at home."""
        at_home = self.action in OF_THE_CALLERS_COUNTY and cell.relation is Relation.OTHER_COUNTY
        return expected(scope, Relation.THERE if at_home else cell.relation, cell.opener)

    def answers(self, answer: Answer) -> tuple[int, str]:
        """Status and code by which it is told."""
        match answer:
            case Answer.LET_IN:
                return self.let_in
            case Answer.FORBIDDEN:
                return 403, "forbidden"
            case Answer.ABSENT:
                return 404, "not-found"

    async def send(self, client: httpx2.AsyncClient, token: str, opener: Opener, key: Key) -> httpx2.Response:
        """Ask about the stream that ``opener`` opened, which is known by ``key``."""
        path = self.path
        for parameter, category in self.streams.items():
            path = path.replace(f"{{{parameter}}}", key(category, opener))
        headers = {"Authorization": f"Bearer {token}"}
        if self.method == "GET":
            return await client.get(path, headers=headers)
        headers |= {"Idempotency-Key": f"cell-{next(_keys)}", "If-Match": NO_VERSION}
        if self.body is None:
            return await client.post(path, headers={**headers, "Content-Type": "text/csv"}, content=CSV)
        body = dict(self.body)
        if self.action in ABOUT_DELIBERATION:
            body["deliberation_id"] = key("deliberation", opener)
        return await client.post(path, headers=headers, json=body)


def key_of(category: str, opener: Opener) -> str:
    """The key of the stream of a kind that ``opener`` opened; of NOBODY's there is none."""
    n = tuple(Opener).index(opener)
    match category:
        case "calendar":
            return str(2031 + n)
        case "committee":
            return f"{TOWN}{711 + n}"
        case "workstation":
            return f"{COUNTY}{111 + n}"
        case _:
            return str(uuid5(NAMESPACE_URL, f"{category}/{opener}"))


def asks(document: Json, actions: Mapping[tuple[str, str], str]) -> Iterator[Ask]:
    """The ask of every route of a service's OpenAPI document. ``actions``: by method and path.

    Raises LookupError: a route that is new here; say above what it is about.
    """
    for (method, path), action in actions.items():
        operation = document["paths"][path][method.lower()]
        named = re.findall(r"{(\w+)}", path)
        streams = {one: STREAMS[kind] for one in named if (kind := named_by(path, one)) in STREAMS}
        example = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
        if example is not None and action in OPENING:
            example = {**example, **OPENING[action][1]}
        target, openers = _about(action, known=bool(streams))
        place = path.replace("{slug}", "opinions-collected").replace("{subject}", key_of("subject", Opener.NOBODY))
        if action in QUERIES:
            place = f"{place}?{QUERIES[action]}"
        yield Ask(action, method, place, target, openers, _let_in(method, action), example, streams)


def _about(action: str, *, known: bool) -> tuple[Target, Sequence[Opener]]:
    """What an action is about; ``known``: its path says the stream. Raises LookupError."""
    if action in OPENING:
        return Target(OPENING[action][0]), (Opener.NEW,)
    if action in OF_THE_CALLERS_COUNTY:
        return Target(f"{COUNTY}.county-government"), (Opener.PLACE,)
    if action in QUERIES:
        return Target(VILLAGE), (Opener.PLACE,)
    if known or action in ABOUT_DELIBERATION:
        return Target(OFFICE), OPENERS
    raise LookupError(f"say in {__name__} what {action} is about")


def _let_in(method: str, action: str) -> tuple[int, str]:
    if method != "GET":
        return 412, "version-conflict"
    if action not in QUERIES:
        return 200, ""
    return (400, "cursor-invalid") if "cursor" in QUERIES[action] else (422, "period-invalid")


def told(answer: httpx2.Response) -> tuple[int, str]:
    """Status, and the code of a refusal."""
    if answer.is_success or not answer.content:
        return answer.status_code, ""
    return answer.status_code, json.loads(answer.content)["code"]
