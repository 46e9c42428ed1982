"""Cells: the table of permissions multiplied out, every action by every role, from every place, on everybody's stream.

What a cell should be answered is derived here from the words of permissions.toml alone, without the code that decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tomllib import loads
from typing import NamedTuple

import vocabulary.roles
from vocabulary.roles import Role

Table = Mapping[str, Mapping[str, Mapping[str, str]]]
COUNTY, TOWN, VILLAGE = "620771", "620771100", "620771100701"


def table() -> Table:
    """Service, action, role, scope, as they are written."""
    return loads((Path(vocabulary.roles.__file__).with_name("permissions.toml")).read_text("utf-8"))


class Relation(StrEnum):
    """Where a role is held, seen from what is asked about."""

    THERE = "at that very division"
    TOWN_ABOVE = "at the town it lies in"
    COUNTY_ABOVE = "at the county it lies in"
    ORGAN = "at that very organ"
    BESIDE = "at another organ of that division"
    BELOW = "at a division in it"
    NEIGHBOUR = "at another village of the town"
    OTHER_TOWN = "at another town of the county"
    OTHER_COUNTY = "in another county"


COVERS = {Relation.THERE, Relation.TOWN_ABOVE, Relation.COUNTY_ABOVE, Relation.ORGAN}


class Opener(StrEnum):
    """Who opened the stream that is asked about."""

    ANOTHER = "another"
    MYSELF = "the caller"
    NOBODY = "nobody: there is no such stream"
    NEW = "the caller, with this very command"
    PLACE = "nobody: it is about a place"


class Answer(StrEnum):
    LET_IN = "let in"
    FORBIDDEN = "403"
    ABSENT = "404"


def expected(scope: str | None, relation: Relation, opener: Opener) -> Answer:
    """What the table promises to a role with ``scope``; None: it does not stand there.

    Who stands where the matter is may know of it, and is told that this is forbidden; to all others it is not there.
    """
    if opener is Opener.NOBODY or relation is Relation.OTHER_COUNTY:
        return Answer.ABSENT
    reaches = {
        None: False,
        "division": relation in COVERS,
        "organ": relation is Relation.ORGAN,
        "own": opener in {Opener.MYSELF, Opener.NEW},
        "county": True,
    }
    if reaches[scope]:
        return Answer.LET_IN
    return Answer.FORBIDDEN if relation in COVERS else Answer.ABSENT


@dataclass(frozen=True)
class Target:
    """What an action is about: an organ, or a division as such."""

    of: str

    @property
    def division(self) -> str:
        return self.of.partition(".")[0]

    def places(self) -> Mapping[Relation, str]:
        """Where each relation is; some do not exist, such as a town above a county."""
        county, town, division = self.of[:6], self.division[:9], self.division
        other_county = f"{int(county) + 1}"
        places = {
            Relation.THERE: division,
            Relation.BESIDE: f"{division}.department.7",
            Relation.OTHER_TOWN: f"{county}999",
            Relation.OTHER_COUNTY: other_county + division[6:],
        }
        if self.of != division:
            places[Relation.ORGAN] = self.of
        if len(division) < 12:
            places[Relation.BELOW] = f"{division}998"
        if len(division) > 6:
            places[Relation.COUNTY_ABOVE] = county
        if len(division) == 12:
            places[Relation.TOWN_ABOVE] = town
            places[Relation.NEIGHBOUR] = f"{town}999"
        return places


ASKED: Mapping[Opener, Sequence[Relation]] = {
    Opener.ANOTHER: tuple(Relation),
    Opener.MYSELF: (Relation.THERE, Relation.OTHER_TOWN, Relation.OTHER_COUNTY),
    Opener.NOBODY: (Relation.THERE, Relation.OTHER_TOWN),
    Opener.PLACE: tuple(Relation),
    Opener.NEW: tuple(Relation),
}
"""From where each is asked about: who opened a stream matters near, far and in another county."""


class Cell(NamedTuple):
    """One question to ask of a service."""

    action: str
    role: Role
    relation: Relation
    opener: Opener


def cells(action: str, target: Target, openers: Sequence[Opener]) -> Iterator[Cell]:
    """Every role that there is, from every place, on everybody's stream."""
    for role in Role:
        for opener in openers:
            for relation in ASKED[opener]:
                if relation in target.places():
                    yield Cell(action, role, relation, opener)
