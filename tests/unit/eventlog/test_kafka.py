"""aiokafka's defaults are the opposite of what a log needs: what we set instead, and that it arrives."""

import asyncio
from collections.abc import Callable
from inspect import signature
from typing import Any

import aiokafka
import pytest

from eventlog.errors import Unavailable
from eventlog.kafka import FACTS_TOPIC, KEYS_TOPIC, PRODUCER, READER, AioKafka


def test_a_producer_waits_for_all_replicas_and_repeats_nothing() -> None:
    assert {name: PRODUCER[name] for name in ("acks", "enable_idempotence")} == {
        "acks": "all",
        "enable_idempotence": True,
    }
    assert PRODUCER["request_timeout_ms"] <= 10_000


def test_a_reader_commits_nothing_skips_nothing_and_reads_only_what_is_committed() -> None:
    wanted = ("enable_auto_commit", "isolation_level", "auto_offset_reset", "group_id")
    assert {name: READER[name] for name in wanted} == {
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "auto_offset_reset": "none",
        "group_id": None,
    }


def test_each_setting_is_one_that_the_client_knows() -> None:
    producer: Callable[..., Any] = getattr(aiokafka, "AIOKafkaProducer")  # noqa: B009  # it ships no types
    consumer: Callable[..., Any] = getattr(aiokafka, "AIOKafkaConsumer")  # noqa: B009  # as above
    assert set(PRODUCER) <= set(signature(producer).parameters)
    assert set(READER) <= set(signature(consumer).parameters)


def test_facts_are_kept_for_ever_and_destroyed_keys_are_not() -> None:
    assert (FACTS_TOPIC["retention.ms"], FACTS_TOPIC["retention.bytes"], FACTS_TOPIC["cleanup.policy"]) == (
        "-1",
        "-1",
        "delete",
    )
    assert (KEYS_TOPIC["cleanup.policy"], KEYS_TOPIC["max.compaction.lag.ms"]) == ("compact", "30000")


async def test_a_broker_that_is_away_is_unavailable_within_a_bound() -> None:
    kafka = AioKafka("127.0.0.1:1")
    async with asyncio.timeout(30):
        for call in (
            kafka.producer(),
            kafka.reader("facts", 0),
            kafka.ensure_topic("facts", FACTS_TOPIC),
            kafka.ends(["facts"]),
        ):
            with pytest.raises(Unavailable):
                await call
