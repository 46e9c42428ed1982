"""Roles, where they are held, and what they may do there: the table of permissions.toml, deny by default."""

import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files

from eventlog.facts import Value
from vocabulary.divisions import DivisionCode, contains
from vocabulary.organs import OrganId, division_of


class Role(StrEnum):
    """What a person is at a place. Presider and recorder are not here: they are relations to a session."""

    ANONYMOUS = "anonymous"
    INTEGRATION = "integration"
    RESIDENT = "resident"
    GRID_WORKER = "grid-worker"
    VILLAGE_CLERK = "village-clerk"
    VILLAGE_SECRETARY = "village-secretary"
    EXEC_CONVENER = "exec-convener"
    FIXED_MEMBER = "fixed-member"
    CPPCC_MEMBER = "cppcc-member"
    INVITED = "invited"
    STAKEHOLDER_REP = "stakeholder-rep"
    SUPERVISOR = "supervisor"
    STATION_HEAD = "station-head"
    TOWN_OFFICER = "town-officer"
    TOWN_SECRETARY = "town-secretary"
    JUSTICE_OFFICER = "justice-officer"
    HANDLING_UNIT = "handling-unit"
    MEDIATOR = "mediator"
    MEDIATION_DIRECTOR = "mediation-director"
    COUNTY_CPPCC = "county-cppcc"
    COUNTY_REPORTER = "county-reporter"
    CONTENT_REVIEWER = "content-reviewer"
    ARCHIVIST = "archivist"
    PRIVACY_OFFICER = "privacy-officer"
    AUDITOR = "auditor"
    SYS_ADMIN = "sys-admin"


class Scope(StrEnum):
    """How far a role's right reaches from where it is held. None reaches into another county."""

    DIVISION = "division"  # the stream's organ lies in that division, or is that very organ
    ORGAN = "organ"  # the role is held at the stream's organ itself
    OWN = "own"  # the caller opened the stream
    COUNTY = "county"


class Grant(Value):
    """A role held at a division (and all that lies in it) or at one organ."""

    role: Role
    at: DivisionCode | OrganId

    def covers(self, organ: str) -> bool:
        """Whether ``organ`` lies where this role is held."""
        return organ == self.at or contains(self.at, division_of(organ))

    def reaches(self, scope: Scope, *, actor: str, organ: str, opened_by: str) -> bool:
        """Whether a right of this role and ``scope`` extends to the stream of ``organ`` that ``opened_by`` opened."""
        if not self.in_county_of(organ):
            return False
        match scope:
            case Scope.DIVISION:
                return self.covers(organ)
            case Scope.ORGAN:
                return organ == self.at
            case Scope.OWN:
                return actor == opened_by
            case Scope.COUNTY:
                return True

    def in_county_of(self, organ: str) -> bool:
        return contains(self.at[:6], division_of(organ))


class Verdict(StrEnum):
    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"  # the caller may know of the stream, not do this to it
    ABSENT = "absent"  # the caller may not even know of it


class Permissions(Value):
    """Service, action, role, scope. What does not stand in the table nobody may do."""

    table: Mapping[str, Mapping[str, Mapping[Role, Scope]]]

    @classmethod
    def load(cls) -> "Permissions":
        """Read the table that comes with this package."""
        return cls.parse((files("vocabulary") / "permissions.toml").read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Permissions":
        """Read a table written as permissions.toml. Raises ValueError: otherwise written, or unknown role or scope."""
        return cls.model_validate({"table": tomllib.loads(text)})

    def actions(self, service: str) -> frozenset[str]:
        """Every action the table knows of a service."""
        return frozenset(self.table.get(service, {}))

    def allows(
        self, service: str, action: str, grants: Sequence[Grant], *, actor: str, organ: str, opened_by: str
    ) -> Verdict:
        """Judge an action on the stream of ``organ`` that ``opened_by`` opened; a new one is the actor's own.

        One grant that reaches is enough. Without any, the stream looks absent unless some grant's place covers it.
        """
        scopes = self.table.get(service, {}).get(action, {})
        for grant in grants:
            scope = scopes.get(grant.role)
            if scope is not None and grant.reaches(scope, actor=actor, organ=organ, opened_by=opened_by):
                return Verdict.ALLOWED
        return Verdict.FORBIDDEN if any(grant.covers(organ) for grant in grants) else Verdict.ABSENT
