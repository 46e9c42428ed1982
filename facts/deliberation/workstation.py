"""Workstation: where a town's CPPCC members are to be met."""

from uuid import UUID

from eventlog.facts import Fact
from vocabulary.divisions import DivisionCode
from vocabulary.words import Line


class WorkstationEstablished(Fact, name="workstation-established"):
    division: DivisionCode
    name: Line
    head: UUID


class WorkstationClosed(Fact, name="workstation-closed"):
    division: DivisionCode
    reason: Line
