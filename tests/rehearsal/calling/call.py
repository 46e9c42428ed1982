"""Call: one request to a service, on a day, by somebody with a role; and the people and names that calls share.

What an answer names is known from there on under a name of ours, and stands in later paths and bodies as ``{name}``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Who:
    """A role held at a place, speaking for an organ perhaps."""

    role: str
    place: str
    organ: str | None = None

    @property
    def name(self) -> str:
        return f"{self.place}-{self.role}"


@dataclass(frozen=True)
class Call:
    """``names``: the answer's field → what it is known as; a list as ``name-0``, ``name-1``."""

    day: date
    who: Who
    service: str
    path: str
    body: Body | None
    names: Mapping[str, str] = field(default_factory=dict[str, str])


Calls: TypeAlias = Iterator[Call]


def person(what: str) -> str:
    """A random-looking id, the same for the same words."""
    return str(uuid5(NAMESPACE_URL, f"urn:shangyi:rehearsal:{what}"))


def at(name: str, moment: datetime | None) -> Body:
    return {} if moment is None else {name: moment.isoformat()}


def village_organ(place: str) -> str:
    return f"{place}.village-committee"


def unit_organ(place: str) -> str:
    return f"{place[:9]}.department.1"


def registrar(county: str) -> Who:
    return Who("sys-admin", county)


def clerk(place: str) -> Who:
    return Who("village-clerk", place[:9])


def secretary(place: str) -> Who:
    return Who("town-secretary", place[:9])


def village_secretary(place: str) -> Who:
    return Who("village-secretary", place[:9])


def convener(place: str) -> Who:
    return Who("exec-convener", place[:9])


def supervisor(place: str) -> Who:
    return Who("supervisor", place[:9], f"{place[:9]}.supervisory-committee")


def director(place: str) -> Who:
    return Who("mediation-director", place[:9])


def mediator(place: str) -> Who:
    return Who("mediator", place[:9])
