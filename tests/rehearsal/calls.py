"""Calls: what is asked of the services, and by whom, for each day of a planned year. Both stages ask the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.rehearsal.calling.call import Call
from tests.rehearsal.calling.cases import opened_case
from tests.rehearsal.calling.county import bodies, county
from tests.rehearsal.calling.issues import raised, spoken
from tests.rehearsal.year import Year


class NotAsPlanned(Exception):
    """A service refused what the plan takes for granted: the plan is wrong, or the rule."""


def calls(year: Year) -> Sequence[Call]:
    """Everything that is asked, in order: the county itself first, then the matters, each in its own order."""
    made: list[Call] = [*county(year), *bodies(year)]
    for submission in year.submissions:
        made += spoken(submission)
    for issue in year.issues:
        made += raised(issue, year)
    for case in year.cases:
        made += opened_case(case)
    return sorted(made, key=lambda call: call.day)


def filled(value: Any, known: Mapping[str, str]) -> Any:
    """The same JSON, with what is known in place of its names."""
    match value:
        case str() if "{" in value:
            return value.format_map(known)
        case [*several]:
            return [filled(one, known) for one in several]
        case {**named}:
            return {name: filled(one, known) for name, one in named.items()}
        case _:
            return value


def learnt(call: Call, answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known from an answer on."""
    for said, name in call.names.items():
        match answer[said]:
            case [*several]:
                yield from ((f"{name}-{n}", str(one)) for n, one in enumerate(several))
            case one:
                yield name, str(one)
