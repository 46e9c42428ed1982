"""Kafka away for long: commands are answered as before, and then the backlog drains, in order and without a hole.

$SHANGYI_KAFKA_DOWN_SECONDS is how long: a minute unless told otherwise, half an hour for the promise as it is made.
"""

import asyncio
import os
from collections.abc import Sequence

import pytest

from eventlog.connections import Pool
from eventlog.kafka import AioKafka
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay
from tests.integration.eventlog.faults.load import under_load
from tests.integration.eventlog.faults.servers import Broker
from tests.integration.eventlog.faults.witness import (
    a_witness,
    all_witnessed,
    published,
    records,
    repeats,
    witnessed,
)
from tests.integration.eventlog.running import running, until

SECONDS = float(os.environ.get("SHANGYI_KAFKA_DOWN_SECONDS", "60"))
BACK = 60.0 + SECONDS  # seconds until the broker is back and the backlog gone

pytestmark = [pytest.mark.usefixtures("owner"), pytest.mark.timeout(300 + 4 * SECONDS)]


async def test_commands_are_answered_and_the_backlog_drains(
    pool: Pool, log: PostgresLog, broker: Broker, real_kafka: AioKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # as patient as in earnest
    loop = asyncio.get_running_loop()
    async with running(Relay(pool, log, real_kafka, topic).run(), a_witness(pool, real_kafka, topic).run()):
        async with under_load(log) as load:
            await until(lambda: len(load.seconds) > 100 and all_witnessed(pool), BACK)
            await asyncio.sleep(min(3, SECONDS))
            with_kafka = len(load.seconds)
            await broker.stop()
            stopped = len(load.seconds)
            await asyncio.sleep(SECONDS)
            without_kafka = len(load.seconds)
            backlog = len(await published(pool)) - len(await witnessed(pool))
            await broker.start()
        began = loop.time()
        await until(lambda: all_witnessed(pool), BACK)
        drained = loop.time() - began
    print(  # noqa: T201  # the finding
        f"with Kafka {figures(load.seconds[:with_kafka])}; without {figures(load.seconds[stopped:without_kafka])}; "
        f"a backlog of {backlog} drained within {drained:.1f} s"
    )
    assert backlog > 0
    assert without_kafka - stopped > SECONDS  # each within its bound, or the load would have failed
    expected = await published(pool)
    repeats(await records(real_kafka, topic), expected)
    assert await witnessed(pool) == expected


def figures(seconds: Sequence[float]) -> str:
    in_order = sorted(seconds)
    p50, p99 = (1000 * in_order[len(in_order) * part // 100] for part in (50, 99))
    return f"{len(in_order)} answers, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
