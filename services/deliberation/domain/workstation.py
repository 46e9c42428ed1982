"""Workstation: where a town's CPPCC members are to be met, at most one a town."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Value
from facts.deliberation.workstation import WorkstationClosed, WorkstationEstablished
from vocabulary.divisions import DivisionCode, Level, level_of
from vocabulary.words import Line


class EstablishWorkstation(Value):
    """``head``: the person in charge, by random id."""

    division: DivisionCode
    name: Line
    head: UUID


class CloseWorkstation(Value):
    reason: Line


class Unestablished(Value):
    """None in this town yet."""


class Active(Value):
    division: DivisionCode
    head: UUID


class Closed(Value):
    division: DivisionCode


Command: TypeAlias = EstablishWorkstation | CloseWorkstation
Fact: TypeAlias = WorkstationEstablished | WorkstationClosed
State: TypeAlias = Unestablished | Active | Closed


def decide(command: Command, workstation: State, _: Context) -> Sequence[Fact]:
    match command:
        case EstablishWorkstation():
            return establish(command, workstation)
        case CloseWorkstation():
            return close(command, workstation)


def establish(command: EstablishWorkstation, workstation: State) -> Sequence[Fact]:
    match workstation:
        case Active():
            raise Rejected("workstation-exists")
        case Unestablished() | Closed() if level_of(command.division) is not Level.TOWN:
            raise Rejected("workstation-outside-a-town", division=command.division)
        case Unestablished() | Closed():
            return [WorkstationEstablished(**vars(command))]


def close(command: CloseWorkstation, workstation: State) -> Sequence[Fact]:
    match workstation:
        case Active(division=division):
            return [WorkstationClosed(division=division, reason=command.reason)]
        case Unestablished():
            raise Rejected("workstation-absent")
        case Closed():
            raise Rejected("workstation-closed")


def evolve(_: State, fact: Fact) -> State:
    match fact:
        case WorkstationEstablished(division=division, head=head):
            return Active(division=division, head=head)
        case WorkstationClosed(division=division):
            return Closed(division=division)


workstation: Decider[Command, State, Fact, Context] = Decider("workstation", Unestablished(), decide, evolve)
