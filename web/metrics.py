"""Metrics: what a service tells Prometheus. Counted as it happens, or looked up when asked; nothing is kept warm.

Labels are names of the program's own: actions, outcomes, works, topics. Never a tenant, a stream, a person or a path.
What cannot be looked up (the database is away) is absent, not zero.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from eventlog.vitals import Vitals
from web.lookout import Working

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
BATCH = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """One app's, in a registry of its own: two apps of one process never count for each other."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "shangyi_http_requests", "Requests answered.", ["action", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "shangyi_http_request_seconds",
            "From a request's headers to the end of its answer.",
            ["action"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}  # looked up once for each kind of answer
        self.appends = Counter("shangyi_appends", "Appends by what came of them.", ["outcome"], registry=self.registry)
        self.append_seconds = Histogram(
            "shangyi_append_seconds",
            "From the wish to keep facts to the word that they are kept.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.append_batch = Histogram(
            "shangyi_append_batch_size", "Appends that shared a commit.", buckets=BATCH, registry=self.registry
        )
        Gauge(
            "shangyi_start_time_seconds", "When the process began, in Unix time.", registry=self.registry
        ).set_to_current_time()
        ProcessCollector(registry=self.registry)

    def answered(self, action: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        counted = self._answered.get((action, status))
        if counted is None:
            counted = self.requests.labels(action, str(status)), self.request_seconds.labels(action)
            self._answered[action, status] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def told(self, seen: Working) -> bytes:
        """All there is to tell, as Prometheus reads it."""
        looked_up = CollectorRegistry()
        looked_up.register(_LookedUp(seen))
        return generate_latest(self.registry) + generate_latest(looked_up)


class _LookedUp(Collector):
    """What one look saw, as metrics."""

    def __init__(self, seen: Working) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        seen = self._seen
        yield _one("stuck", "Things for a person to look into; /health/working says which.", len(seen.stuck))
        yield _one("database_answers", "Whether the database answered.", seen.vitals is not None)
        yield _one("kafka_answers", "Whether Kafka answered.", seen.kafka)
        if seen.keys_waiting is not None:
            yield _one("keys_waiting", "Keys of published texts that their topic does not have yet.", seen.keys_waiting)
        pool = _labelled("pool_connections", "Connections to the database.", "state")
        pool.add_metric(["limit"], seen.pool.limit)
        pool.add_metric(["used"], seen.pool.open - seen.pool.idle)
        pool.add_metric(["idle"], seen.pool.idle)
        yield pool
        if seen.vitals is not None:
            yield from _of_the_log(seen.vitals)
            yield from _of_works(seen.vitals)


def _of_the_log(vitals: Vitals) -> Iterator[Metric]:
    fence = vitals.fence
    held_back = fence is not None and vitals.settled < vitals.drawn
    yield _one("log_position", "The last position drawn from the log's sequence.", vitals.drawn)
    yield _one("log_settled_position", "The horizon: up to where readers may read.", vitals.settled)
    yield _one(
        "log_horizon_age_seconds",
        "How long the horizon has been held back behind the sequence.",
        fence.seconds if fence is not None and held_back else 0,
    )
    yield _one(
        "log_oldest_fence_seconds", "For how long the oldest open append is open.", fence.seconds if fence else 0
    )
    yield _one("log_oldest_fence_pid", "Its server process, 0 when none is open.", fence.pid if fence else 0)
    yield _one("timers_due", "Timers that are due.", vitals.timers_due)
    yield _one("timers_late_seconds", "How late the latest of them is.", vitals.timers_late)
    yield _one("refusals", "Commands of reactions and timers that a rule refused, ever.", vitals.refusals)
    yield _one("parked", "Streams set aside because an effect failed on them, once for each effect.", vitals.parked)


def _of_works(vitals: Vitals) -> Iterator[Metric]:
    facts = _labelled("lag_facts", "Facts that wait for a work.", "work")
    seconds = _labelled("lag_seconds", "Age of the oldest fact that waits for a work.", "work")
    stalled = _labelled("stalled_seconds", "Since a work last went on, while something waited for it.", "work")
    led = _labelled("led", "Whether some process has the lead in a work.", "work")
    for work in vitals.works:
        stalled.add_metric([work.name], work.stalled)
        led.add_metric([work.name], work.led)
        if work.facts is not None:
            facts.add_metric([work.name], work.facts)
        if work.seconds is not None or work.facts == 0:
            seconds.add_metric([work.name], work.seconds or 0)
    yield from (facts, seconds, stalled, led)


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"shangyi_{name}", says, value=value)


def _labelled(name: str, says: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"shangyi_{name}", says, labels=[label])
