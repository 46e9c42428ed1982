"""MeteredLog: the log in PostgreSQL, with its appends counted and timed."""

import time

from eventlog.connections import Pool
from eventlog.log import Append, Appended, Conflict, Outcome, Repeated
from eventlog.postgres_log import PostgresLog
from web.metrics import Metrics


class MeteredLog(PostgresLog):
    """Promises what PostgresLog does, and tells ``metrics`` of every append, and of every batch."""

    def __init__(self, pool: Pool, metrics: Metrics) -> None:
        super().__init__(pool, metrics.append_batch.observe)
        self._metrics = metrics

    async def append(self, item: Append) -> Outcome:
        began = time.perf_counter()
        came_of_it = "failed"
        try:
            outcome = await super().append(item)
            came_of_it = _named(outcome)
            return outcome
        finally:
            self._metrics.appends.labels(came_of_it).inc()
            self._metrics.append_seconds.observe(time.perf_counter() - began)


def _named(outcome: Outcome) -> str:
    match outcome:
        case Appended():
            return "appended"
        case Repeated():
            return "repeated"
        case Conflict():
            return "conflict"
