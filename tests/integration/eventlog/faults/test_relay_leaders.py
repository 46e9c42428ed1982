"""Two relays that both believe they lead, as when a pooler between us and PostgreSQL loses their locks.

Whatever they do, no reader can be harmed: both give the same numbers. The epoch keeps the checkpoint from going back,
without which the one who was late would have everything sent again. Planted relays show that these tests can tell.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from inspect import getsource
from types import ModuleType
from typing import Any

import asyncpg
import pytest

from eventlog import relay
from eventlog.connections import Connection, Pool
from eventlog.kafka import Producer, Record
from eventlog.postgres_log import PostgresLog
from tests.fakes.counting import an_append
from tests.fakes.kafka import MemoryKafka
from tests.integration.eventlog.conftest import TOPIC
from tests.integration.eventlog.faults.witness import a_witness, all_witnessed, published, repeats, witnessed
from tests.integration.eventlog.postgresql import replaced
from tests.integration.eventlog.running import running, until

NOTE_STEPS_BACK = """
create table steps_back (from_position bigint, to_position bigint);
create function note() returns trigger language plpgsql security definer as
    $$begin insert into steps_back values (old.position, new.position); return new; end$$;
create trigger note before update on eventlog.relays
    for each row when (new.position < old.position) execute function note();
"""
UNFENCED = ("where topic = $1 and epoch = $2 returning 1", "where topic = $1 and $2::bigint > 0 returning 1")
NOTED_BEFORE_IT_IS_SENT = (
    """                at = replace(await sending, position=reached)
                await self._checkpoint(connection, epoch, at)
""",
    """                at = replace(at, position=reached, pseq=at.pseq + len(records))
                await self._checkpoint(connection, epoch, at)
                await sending
""",
)
BELIEVED_BLINDLY = ("if await holds(connection, self._kafka, self._topic, at):", "if True:")
NUMBERED_FROM_ONE_IN_EACH_TERM = (
    'Checkpoint(row["position"], row["pseq"], row["token"])',
    'Checkpoint(row["position"], 0, row["token"])',
)


def relays(*changes: tuple[str, str]) -> Any:
    """The relay's module with these changes of its text."""
    module = ModuleType("planted_relay")
    exec(replaced(getsource(relay), *changes), module.__dict__)  # noqa: S102  # our own text
    return module


@asynccontextmanager
async def without_a_lock(pool: Pool, work: str) -> AsyncGenerator["Connection[asyncpg.Record]"]:
    del work
    async with pool.acquire() as connection:
        yield connection


class Held(MemoryKafka):
    """Holds the first send back until told."""

    def __init__(self) -> None:
        super().__init__({TOPIC: []})
        self.sending, self.go_on = asyncio.Event(), asyncio.Event()

    async def producer(self) -> Producer:
        return _HeldProducer(self, await super().producer())


class _HeldProducer:
    def __init__(self, kafka: Held, producer: Producer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        if not self._kafka.sending.is_set():
            self._kafka.sending.set()
            await self._kafka.go_on.wait()
        return await self._producer.send(topic, records)

    async def close(self) -> None:
        await self._producer.close()


@pytest.mark.parametrize(("changes", "steps_back"), [([], 0), ([UNFENCED], 1)], ids=["real", "planted: unfenced"])
async def test_the_one_who_was_late_does_not_move_the_checkpoint_back(
    pool: Pool,
    log: PostgresLog,
    owner: "asyncpg.Connection[asyncpg.Record]",
    monkeypatch: pytest.MonkeyPatch,
    changes: Sequence[tuple[str, str]],
    steps_back: int,
) -> None:
    monkeypatch.setattr("eventlog.election.elected", without_a_lock)
    await owner.execute(NOTE_STEPS_BACK)
    kafka, module = Held(), relays(*changes)
    late, other = (module.Relay(pool, log, kafka, TOPIC) for _ in range(2))
    await log.append(an_append(facts=3))
    async with running(late.run()):
        await kafka.sending.wait()
        async with running(other.run(), a_witness(pool, kafka, TOPIC).run()):
            await log.append(an_append(facts=3))
            await until(lambda: pool.fetchval("select position = 6 from eventlog.relays"))
            kafka.go_on.set()
            await until(lambda: len(kafka.topics[TOPIC]) >= 9)
            await log.append(an_append(facts=3))
            await until(lambda: all_witnessed(pool))
    assert await owner.fetchval("select count(*) from steps_back") == steps_back
    expected = await published(pool)
    assert repeats(kafka.topics[TOPIC], expected) >= 3
    assert await witnessed(pool) == expected


async def test_both_at_once_all_the_time(
    pool: Pool, log: PostgresLog, owner: "asyncpg.Connection[asyncpg.Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.election.elected", without_a_lock)
    monkeypatch.setattr("eventlog.election.RETRY", 0.01)
    await owner.execute(NOTE_STEPS_BACK)
    kafka = MemoryKafka({TOPIC: []})
    both = [relay.Relay(pool, log, kafka, TOPIC).run() for _ in range(2)]
    async with running(*both, a_witness(pool, kafka, TOPIC).run()):
        for n in range(60):
            await log.append(an_append(str(n % 5), facts=n % 3))
        await until(lambda: all_witnessed(pool), 30)
    expected = await published(pool)
    repeats(kafka.topics[TOPIC], expected)
    assert await witnessed(pool) == expected
    assert await owner.fetchval("select count(*) from steps_back") == 0
    assert await pool.fetchval("select epoch from eventlog.relays") > 2


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("change", "found"),
    [(NOTED_BEFORE_IT_IS_SENT, "a hole: 4 behind 0"), (NUMBERED_FROM_ONE_IN_EACH_TERM, "number 1 is another fact")],
    ids=["noted before it is sent", "numbered from one in each term"],
)
async def test_a_planted_relay_is_found_in_its_topic(
    pool: Pool, log: PostgresLog, kafka: MemoryKafka, change: tuple[str, str], found: str
) -> None:
    module = relays(change, BELIEVED_BLINDLY)  # it would mend what the first does
    await log.append(an_append(facts=3))
    kafka.fail_before_send = change is NOTED_BEFORE_IT_IS_SENT
    async with running(module.Relay(pool, log, kafka, TOPIC).run()):
        await until(lambda: pool.fetchval("select position = 3 from eventlog.relays"))
        await until(lambda: not kafka.fail_before_send)
    async with running(module.Relay(pool, log, kafka, TOPIC).run()):
        await log.append(an_append(facts=3))
        await until(lambda: pool.fetchval("select position = 6 from eventlog.relays"))
    with pytest.raises(AssertionError, match=found):
        repeats(kafka.topics[TOPIC], await published(pool))
