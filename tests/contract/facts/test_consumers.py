"""Consumers against the lock: what others make of a fact holds for every version that a topic may still bring.

That they name no field which a class lacks, both type checkers see; that a class is what the lock says, the gate sees.
What no type checker sees is here: reactions run, and figures read JSON as it was stored, without any class.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from eventlog.facts import Fact
from eventlog.reactions import Reactions
from services.deliberation import reactions as of_deliberation
from services.intake import reactions as of_intake
from services.mediation import reactions as of_mediation
from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import Count, Rate, default_of
from tests.contract.facts.kinds import kinds
from tests.contract.facts.lock import Lock, read
from tests.contract.facts.parcels import NAME, grown, third
from tests.contract.facts.samples import all_of, stored

LOCK = read()
KINDS = kinds()  # and with them every class is there to read with
REACTIONS: Mapping[str, Mapping[str, Reactions]] = {
    module.__name__.split(".")[1]: {
        name: member for name, member in vars(module).items() if isinstance(member, Reactions)
    }
    for module in (of_intake, of_deliberation, of_mediation)
}


class Asked(NamedTuple):
    """A field that a figure reads in the JSON of a kind of fact, and the kinds it takes the default of."""

    figure: str
    kind: type[Fact]
    path: str
    kinds: Sequence[type[Fact]]


def asked(count: Count) -> Iterator[Asked]:
    own = [*count.where, *(path for path in (count.dated, count.adding) if path)]
    by = [] if count.by is None else [(count.of if count.by.of is None else (count.by.of,), count.by.path)]
    having = [] if count.having is None else [((count.having.of,), path) for path in count.having.where]
    redated = [((count.redated,), count.dated)] if count.redated and count.dated else []
    for kinds_, path in [*((count.of, path) for path in own), *by, *having, *redated]:
        yield from (Asked(count.slug, kind, path, kinds_) for kind in kinds_)
    if count.among is not None:
        yield from asked(count.among)


COUNTS = [
    count
    for indicator in INDICATORS
    for count in ((indicator.numerator, indicator.denominator) if isinstance(indicator, Rate) else (indicator,))
]
FIELDS = sorted(
    {each for count in COUNTS for each in asked(count)}, key=lambda each: (each.figure, each.kind.fact_name, each.path)
)


def misread(lock: Lock, each: Asked) -> list[str]:
    """Where a figure finds another word in what was stored than the fact's class does."""
    name, default = each.kind.fact_name, default_of(each.kinds, each.path)
    found: list[str] = []
    for n, version in lock.facts[name].versions.items():
        for said in (said for sample in version.samples for said in all_of(version.schema, sample)):
            fact = stored(name, n, json.dumps(said)).read().data.model_dump(mode="json")
            as_stored, as_read = text_at(said, each.path) or default, text_at(fact, each.path)
            if as_stored != as_read:
                found.append(
                    f"{each.figure}: {each.path} of {name} v{n} is {as_stored} as stored and {as_read} as read"
                )
    return found


def text_at(data: Any, path: str) -> str | None:
    """As SQL's ``#>>``: the text there; None for null, and for what is not there."""
    first, _, rest = path.partition(".")
    match data:
        case {**fields} if path:
            return text_at(fields.get(first), rest)
        case _ if path or data is None:
            return None
        case bool():
            return str(data).lower()
        case _:
            return str(data)


@pytest.mark.parametrize("each", FIELDS, ids=[f"{each.figure}-{each.kind.fact_name}-{each.path}" for each in FIELDS])
def test_a_figure_finds_in_what_was_stored_what_the_class_reads(each: Asked) -> None:
    """Figures count facts as they were stored: what one names stays, in every version, where and what it was."""
    assert misread(LOCK, each) == []


def test_a_figure_that_would_miss_what_older_versions_say_is_seen() -> None:
    lock, kind = grown(), third()[NAME]
    assert misread(lock, Asked("parcels", kind, "parcel_id", [kind])) == []
    assert f"parcels: size of {NAME} v1 is small as stored and large as read" in misread(
        lock, Asked("parcels", kind, "size", [kind])
    )
    assert f"parcels: to.village of {NAME} v1 is None as stored and 村道硬化 as read" in misread(
        lock, Asked("parcels", kind, "to.village", [kind])
    )


@pytest.mark.parametrize("name", LOCK.facts)
def test_reactions_take_every_fact_that_may_come(name: str) -> None:
    for n, version in LOCK.facts[name].versions.items():
        for said in (said for sample in version.samples for said in all_of(version.schema, sample)):
            for reactions in (each for of_service in REACTIONS.values() for each in of_service.values()):
                reactions.sends(stored(name, n, json.dumps(said)))
