"""Every order of the steps of two writers and a reader.

Orders that differ only by swapping neighbours that touch nothing in common are one family, and one of each is enough.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tests.integration.eventlog.stage import Actor, Gate

WRITER = (Gate.START, Gate.LO, Gate.SEEN, Gate.DRAW, Gate.END)
READER = (Gate.START, Gate.SEEN, Gate.ROWS)
Touches: TypeAlias = Mapping[Gate, Set[Gate]]
"""For each step of the reader the steps of a writer that it can see anything of."""

AS_IT_SHOULD_BE: Touches = {
    Gate.START: {Gate.DRAW, Gate.END},  # it looks at the sequence
    Gate.SEEN: {Gate.SEEN, Gate.END},  # at the locks
    Gate.ROWS: {Gate.END},  # at the rows
}
WHATEVER_IT_DOES: Touches = {
    Gate.START: {Gate.SEEN, Gate.DRAW, Gate.END},
    Gate.SEEN: {Gate.SEEN, Gate.DRAW, Gate.END},
    Gate.ROWS: {Gate.END},
}


class Step(NamedTuple):
    actor: Actor
    gate: Gate


class Play(NamedTuple):
    """``same``: both write one stream. ``in_vain``: who rolls back."""

    order: tuple[Step, ...]
    same: bool
    in_vain: Actor | None


def plays(reader: Touches) -> Iterator[Play]:
    """One play of every family."""
    for same in (False, True):
        for order in _Families(same, reader).of({Actor.ONE: WRITER, Actor.TWO: WRITER, Actor.READER: READER}):
            yield Play(order, same, None)
            yield Play(order, same, Actor.ONE)  # TWO in vain is the same play with the parts exchanged


@dataclass(frozen=True)
class _Families:
    same: bool
    reader: Touches

    def of(self, left: Mapping[Actor, Sequence[Gate]], done: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
        """Go on from ``done`` in every way that leads to the smallest order of a family."""
        if not any(left.values()):
            yield done
        for actor, gates in left.items():
            if gates and not self._belongs_earlier(step := Step(actor, gates[0]), done):
                yield from self.of({**left, actor: gates[1:]}, (*done, step))

    def _belongs_earlier(self, step: Step, done: tuple[Step, ...]) -> bool:
        """Whether the step could be swapped to before a greater one: then this is not the smallest of its family."""
        for before in reversed(done):
            if self._touch(before, step):
                return False
            if step < before:
                return True
        return False

    def _touch(self, one: Step, other: Step) -> bool:
        if one.actor == other.actor:
            return True
        one, other = sorted((one, other))
        if other.actor is Actor.READER:
            return one.gate in self.reader[other.gate]
        gates = {one.gate, other.gate}
        on_the_sequence = gates in ({Gate.LO, Gate.DRAW}, {Gate.DRAW})
        on_the_stream = self.same and gates <= {Gate.START, Gate.DRAW, Gate.END} and gates != {Gate.END}
        return on_the_sequence or on_the_stream
