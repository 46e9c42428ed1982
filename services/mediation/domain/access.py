"""Access: who read what was sealed. Private streams of their own, so that reading never changes a case."""

from collections.abc import Sequence
from uuid import UUID

from eventlog.decider import Context, Decider
from eventlog.facts import Value
from facts.mediation.access import SealedCaseRead


class RecordRead(Value):
    """Somebody is about to be shown a case's names and words."""

    case_id: UUID


class Reads(Value):
    """Nothing is refused for what was read before, so nothing is kept."""


def decide(command: RecordRead, _: Reads, __: Context) -> Sequence[SealedCaseRead]:
    return [SealedCaseRead(case_id=command.case_id)]


def evolve(reads: Reads, _: SealedCaseRead) -> Reads:
    return reads


access: Decider[RecordRead, Reads, SealedCaseRead, Context] = Decider(
    "access", Reads(), decide, evolve, published=False
)
