"""The metered log: what came of appends, how long they took, and how many went together."""

import asyncio
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eventlog.connections import Pool
from eventlog.errors import Rejected
from eventlog.log import Expect, NewTimer
from tests.fakes.counting import an_append
from tests.unit.web.town import ALL_IS_WELL
from web.metered_log import MeteredLog
from web.metrics import Metrics


def told(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every sample of appends, by its name and the values of its labels."""
    return {
        (sample.name.removeprefix("shangyi_append"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.told(ALL_IS_WELL).decode())
        for sample in family.samples
        if sample.name.startswith("shangyi_append")
    }


async def test_counts_appends_by_what_came_of_them(pool: Pool) -> None:
    metrics = Metrics()
    log = MeteredLog(pool, metrics)
    item = an_append(expected=Expect.NEW)
    for again in (item, item, an_append(expected=Expect.NEW), an_append()):
        await log.append(again)
    with pytest.raises(Rejected):
        await log.append(an_append("2", timers=[NewTimer(datetime(2026, 3, 2, tzinfo=UTC), '"\\u0000"')]))
    seen = told(metrics)
    outcomes = {"appended": 2, "repeated": 1, "conflict": 1, "failed": 1}
    assert {name: seen["s_total", name] for name in outcomes} == outcomes
    assert seen["_seconds_count",] == 5


async def test_tells_how_many_shared_a_commit(pool: Pool) -> None:
    metrics = Metrics()
    log = MeteredLog(pool, metrics)
    await asyncio.gather(*(log.append(an_append(str(n))) for n in range(40)))
    seen = told(metrics)
    assert seen["_batch_size_sum",] == 40
    assert seen["_batch_size_count",] < 40
