"""Moved: which deadlines a corrected calendar has moved, from when to when, read off the facts that say so."""

from collections.abc import Sequence
from uuid import UUID

from eventlog.connections import Pool
from eventlog.facts import Value
from facts.deliberation.commitment import CommitmentDeadlineMoved
from services.reporting.fact_store.compiler import FactPlace, Service
from vocabulary.organs import OrganId
from vocabulary.words import Instant

MOVED = (CommitmentDeadlineMoved,)


class MovedDeadline(Value):
    """``stream``: what is to be done by then. ``correction``: the correlation of whatever corrected the calendar."""

    service: Service
    pseq: int
    stream: str
    organ: OrganId
    matter: str | None
    was: Instant
    due: Instant
    moved_at: Instant
    correction: UUID

    @property
    def place(self) -> FactPlace:
        return FactPlace(occurred_at=self.moved_at, service=self.service, pseq=self.pseq)


async def moved(
    pool: Pool, tenant: str, division: str, correction: UUID | None, *, after: FactPlace | None, limit: int
) -> Sequence[MovedDeadline]:
    """Return at most ``limit`` moves of deadlines in a division, latest first; those of one correction."""
    rows = await pool.fetch(
        """select service, pseq, stream, organ, matter, (data->>'was')::timestamptz as was,
                  (data->>'due')::timestamptz as due, occurred_at as moved_at, correlation as correction
           from facts
           where tenant = $1 and starts_with(division, $2) and name = any ($3)
             and ($4::uuid is null or correlation = $4)
             and ($5::timestamptz is null or (occurred_at, service, pseq) < ($5, $6::text, $7::bigint))
           order by occurred_at desc, service desc, pseq desc limit $8""",
        tenant,
        division,
        [kind.fact_name for kind in MOVED],
        correction,
        *((None, None, None) if after is None else (after.occurred_at, after.service, after.pseq)),
        limit,
    )
    return [MovedDeadline.model_validate(dict(row)) for row in rows]
