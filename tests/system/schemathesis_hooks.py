"""What Schemathesis cannot know of our documents, told to it by hooks."""

# Schemathesis is typed, but not to the last of its members.
# pyright: reportUnknownMemberType=false

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import schemathesis
from hypothesis.strategies import builds, dates, just, times
from schemathesis import GenerationMode, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.core.parameters import ParameterLocation

from tests.system.paths import named_by

Case: TypeAlias = schemathesis.Case[Any]

_POSITION = re.compile(r"[a-z]{1,40}-[1-9][0-9]{0,17}")
_PLACES = {"organ": "organ", "division": "division", "committee": "division"}


def _here() -> Mapping[str, Any]:
    """Division, organ and ids of a town that has something of every kind; nothing where none is named."""
    file = os.environ.get("SHANGYI_PLACE")
    return json.loads(Path(file).read_text("utf-8")) if file else {"ids": {}}


HERE = _here()
_FIRST, _LAST = date(1900, 1, 2), date(2200, 12, 30)
_TIMES = times(timezones=just(UTC))
schemathesis.openapi.format("date", dates(_FIRST, _LAST).map(date.isoformat))
schemathesis.openapi.format("date-time", builds(datetime.combine, dates(_FIRST, _LAST), _TIMES).map(datetime.isoformat))


def _as_documented(case: Case, where: ParameterLocation) -> bool:
    """Whether this part of a request is what the document allows; in a wrong request most parts are."""
    if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
        return True
    part = case.meta.components.get(where)
    return part is None or part.mode is GenerationMode.POSITIVE


def _wrong_on_purpose(case: Case) -> str | None:
    """The parameter that is, where one alone was planned to be."""
    return None if case.meta is None else getattr(case.meta.phase.data, "parameter", None)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Put in what a document cannot say: a key of its own for each command, and things that are there.

    Only where nothing is wrong on purpose: what is wrong must be met by a route that would else do something.
    """
    del context, kwargs
    query, body = case.query or {}, case.body if isinstance(case.body, dict) else {}
    if _waits(query.get("after")):
        del query["after"]
    if _as_documented(case, ParameterLocation.PATH):
        for name in case.path_parameters or ():
            there = HERE["ids"].get(named_by(case.path, name), ())
            case.path_parameters[name] = next(iter(there), case.path_parameters[name])
    if _as_documented(case, ParameterLocation.HEADER) and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid4())
    if _wrong_on_purpose(case) != "If-Match":
        case.headers.pop("If-Match", None)  # Schemathesis has its own idea of what stands there
    if _as_documented(case, ParameterLocation.QUERY):
        for earlier in {"cursor", "at"} & {*query}:
            del query[earlier]  # they come from an earlier answer
        if {"from", "to"} <= {*query}:
            query["from"], query["to"] = sorted([query["from"], query["to"]])
        _put_in_places(query)
    if _as_documented(case, ParameterLocation.BODY):
        _put_in_places(body)


def _put_in_places(sent: dict[str, Any]) -> None:
    sent.update({name: HERE[what] for name, what in _PLACES.items() if name in sent and what in HERE})


def _waits(after: Any) -> bool:
    """Whether it names positions that nobody has reached: they are waited for, five seconds each."""
    return bool(after) and not isinstance(after, str) and all(_POSITION.fullmatch(str(one)) for one in after)


@schemathesis.hook
def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Keep what is a fault of ours."""
    del context
    # A word may stand where an id does, such as `import`: a GET of it is a question about something without an id.
    beside_ids = case.path.rpartition("/")[0] in {"/submissions", "/work-records"}
    return not (failure.code == "ST204" and beside_ids and response.status_code == 422)
