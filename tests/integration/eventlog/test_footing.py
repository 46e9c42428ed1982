"""A topic that lost what it had acknowledged is written again from where it breaks off, and one that has more halts."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import uuid4

import asyncpg
import pytest

from eventlog import relay as module
from eventlog import republishing
from eventlog.connections import Pool
from eventlog.errors import Unavailable
from eventlog.kafka import Record
from eventlog.postgres_log import PostgresLog
from eventlog.records import number_of, to_record
from eventlog.relay import Relay
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.running import running, until


def numbers(kafka: MemoryKafka) -> Sequence[int | None]:
    return [number_of(record) for record in kafka.topics[TOPIC]]


async def relayed_up_to(pool: Pool, pseq: int, token: int) -> bool:
    noted = await pool.fetchrow("select pseq, token from eventlog.relays")
    return noted is not None and tuple(noted) == (pseq, token)


@pytest.fixture
async def relay(pool: Pool, log: PostgresLog, kafka: MemoryKafka) -> Relay:
    """A relay that has written six of eight facts, two are private, and stopped."""
    for n in range(8):
        await log.append(an_append(str(n), published=n not in {1, 4}))
    relay = Relay(pool, log, kafka, TOPIC)
    async with running(relay.run()):
        await until(lambda: pool.fetchval("select position = 8 from eventlog.relays"))
    assert await relayed_up_to(pool, 6, 6)
    return relay


@pytest.mark.parametrize("left", [0, 1, 5])
async def test_what_was_cut_off_between_two_terms_is_written_again(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, relay: Relay, left: int
) -> None:
    del kafka.topics[TOPIC][left:]
    await log.append(an_append())
    async with running(relay.run()):
        await until(partial(relayed_up_to, pool, 7, 7))
        await until(lambda: relay.halted is None)
    assert numbers(kafka) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("left", [0, 4])
async def test_what_was_cut_off_while_nothing_was_sent_is_written_again(
    pool: Pool, kafka: MemoryKafka, relay: Relay, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    monkeypatch.setattr(module, "LOOK", 0.02)
    async with running(relay.run()):
        await until(lambda: kafka.open_clients == 1)
        del kafka.topics[TOPIC][left:]
        await until(lambda: numbers(kafka) == [1, 2, 3, 4, 5, 6])
        await until(partial(relayed_up_to, pool, 6, 6))


@pytest.mark.parametrize("left", [0, 4])
async def test_what_was_cut_off_is_noticed_by_what_is_sent_next(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, relay: Relay, left: int
) -> None:
    """What was sent behind the hole comes once more in its turn."""
    async with running(relay.run()):
        await until(lambda: kafka.open_clients == 1)
        del kafka.topics[TOPIC][left:]
        await log.append(an_append())
        await until(partial(relayed_up_to, pool, 7, 8))
    assert numbers(kafka) == [*range(1, left + 1), 7, *range(left + 1, 8)]


async def test_a_crash_behind_a_hole_does_not_hide_it(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, relay: Relay
) -> None:
    """The topic's last record is beyond the checkpoint, as after any crash, and yet something is missing."""
    facts, _ = await log.after(0, 100)
    sent = [to_record(fact, n) for n, fact in enumerate((f for f in facts if f.published), start=1)]
    await log.append(an_append(facts=2))
    more, _ = await log.after(8, 100)
    kafka.topics[TOPIC] = []
    kafka.write(TOPIC, [*sent[:4], to_record(more[0], 7), to_record(more[1], 8)])
    async with running(relay.run()):
        await until(partial(relayed_up_to, pool, 8, 10))
    assert numbers(kafka) == [1, 2, 3, 4, 7, 8, 5, 6, 7, 8]


async def test_says_so_while_it_is_not_mended(
    pool: Pool, kafka: MemoryKafka, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.topics[TOPIC].clear()

    async def away() -> None:
        raise Unavailable("the broker takes nothing")

    with monkeypatch.context() as patched:
        patched.setattr(kafka, "producer", away)
        async with running(relay.run()):
            await until(lambda: relay.halted)
            await until(partial(relayed_up_to, pool, 0, 0))
            assert relay.halted == (
                f"CorruptHistory: {TOPIC} lost fact 6 at offset 5, and is written again from where it breaks off"
            )
    async with running(relay.run()):
        await until(lambda: relay.halted is None)
    assert numbers(kafka) == [1, 2, 3, 4, 5, 6]


async def test_a_rebuild_that_dies_between_deleting_and_making_a_topic_is_made_good(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, relay: Relay
) -> None:
    class Dying(MemoryKafka):
        async def ensure_topic(self, topic: str, settings: object) -> None:
            raise asyncpg.InterfaceError("killed")

    async with pool.acquire() as connection:
        with pytest.raises(asyncpg.InterfaceError):
            await republishing.write_again(connection, Dying(kafka.topics))
    assert TOPIC not in kafka.topics
    await log.append(an_append())
    async with running(relay.run()):
        await until(partial(relayed_up_to, pool, 7, 7))
    assert numbers(kafka) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("drawn_again", [False, True])
async def test_a_log_that_was_wound_back_behind_its_topic_halts_and_names_the_remedy(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, relay: Relay, drawn_again: bool
) -> None:
    """The checkpoint was wound back with it, so the topic has what the checkpoint says, and more."""
    fact = replace((await log.after(7, 1))[0][0], fact_id=uuid4(), position=9)
    kafka.write(TOPIC, [to_record(fact, 7)])
    if drawn_again:
        await log.append(an_append())
    async with running(relay.run()):
        await until(lambda: relay.halted)
        halted = relay.halted or ""
    said = f"CorruptHistory: {TOPIC} holds fact 7 at offset 6, and this log has no such fact at position 9: the log was"
    assert halted.startswith(said)
    assert "all topics have to be made anew from the logs" in halted
    assert numbers(kafka) == [1, 2, 3, 4, 5, 6, 7]


async def test_what_is_no_fact_at_the_end_of_a_topic_halts(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, relay: Relay
) -> None:
    kafka.write(TOPIC, [Record(b"who", b"knows")])
    await log.append(an_append())
    async with running(relay.run()):
        await until(lambda: relay.halted)
    assert await relayed_up_to(pool, 6, 6)
