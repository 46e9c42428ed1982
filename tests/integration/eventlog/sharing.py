"""Sharing: a topic of keys in memory, and both ends of it, run for as long as a test needs them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from eventlog.connections import Pool
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import Received, Record
from eventlog.key_reader import KeyReader
from eventlog.key_relay import KeyRelay
from eventlog.keys import PostgresKeys
from eventlog.sealed import Opened, PublicText, Sealed
from eventlog.shared_keys import SharedKeys
from eventlog.wrapping import NAME, Wrapping

TENANT = "620724"
OTHER_TENANT = "620725"
MASTER = Wrapping(bytes(32))
SHARING = Wrapping(bytes([1]) * 32)
TOPIC = "test.intake.keys"
WORDS = "路灯坏了三个月"
KEY = bytes([2]) * 32


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeKafka:
    """One topic in memory, with what a real broker does to it: compaction, lost answers, offsets out of range."""

    lost_answers: int = 0
    records: list[Received] = field(default_factory=list[Received])
    end: int = 0
    read_from: list[int] = field(default_factory=list[int])
    asleep: asyncio.Event | None = None  # set: the next writer stops before its write until it is set
    sleeping: bool = False
    unanswered: asyncio.Event | None = None  # set: the next writer learns that it has written when it is set

    async def ensure_topic(self, topic: str, settings: Mapping[str, str]) -> None:
        assert (topic, settings["cleanup.policy"]) == (TOPIC, "compact")

    async def producer(self) -> "FakeProducer":
        return FakeProducer(self)

    async def reader(self, topic: str, offset: int) -> "FakeReader":
        assert topic == TOPIC
        self.read_from.append(offset)
        return FakeReader(self, offset)

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        return dict.fromkeys(topics, self.end)

    def compact(self) -> None:
        last = {record.key: record.offset for record in self.records}
        self.records = [record for record in self.records if last[record.key] == record.offset]


class FakeProducer:
    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        assert topic == TOPIC
        if self._kafka.asleep is not None:
            self._kafka.sleeping = True
            await self._kafka.asleep.wait()
        for record in records:
            self._kafka.records.append(Received(record.key, record.value, record.headers, self._kafka.end))
            self._kafka.end += 1
        if self._kafka.unanswered is not None:
            await self._kafka.unanswered.wait()
        if self._kafka.lost_answers:
            self._kafka.lost_answers -= 1
            raise Unavailable("the answer was lost")
        return self._kafka.end

    async def close(self) -> None:
        return


class FakeReader:
    def __init__(self, kafka: FakeKafka, offset: int) -> None:
        self._kafka = kafka
        self._offset = offset

    async def read(self, limit: int, patience: float) -> Sequence[Received]:
        if self._offset > self._kafka.end:
            raise CorruptHistory("the topic does not hold the position we stand at")
        found = [record for record in self._kafka.records if record.offset >= self._offset][:limit]
        if found:
            self._offset = found[-1].offset + 1
        else:
            await asyncio.sleep(min(patience, 0.01))
        return found

    async def close(self) -> None:
        return


@asynccontextmanager
async def running(*works: Callable[[], Coroutine[object, object, None]]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(work()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def sharing(pool: Pool, kafka: FakeKafka) -> AsyncGenerator[SharedKeys]:
    """A relay on one side and a reader on the other."""
    shared = SharedKeys(pool, SHARING)
    relay = KeyRelay(pool, kafka, TOPIC, MASTER, SHARING)
    async with running(relay.run, KeyReader(kafka, TOPIC, shared).run):
        yield shared


async def eventually(holds: Callable[[], Coroutine[object, object, bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  # what is waited for lies in a database
            await asyncio.sleep(0.02)


async def until(shared: SharedKeys, text: PublicText | Sealed[str], expected: Opened) -> None:
    async def holds() -> bool:
        return await shared.open(TENANT, text) == expected

    await eventually(holds)


async def truth(value: bool) -> bool:
    return value


async def nothing_waits(relay: KeyRelay) -> bool:
    return (await relay.progress()).waiting == 0


async def noted(pool: Pool, key_id: UUID, *, at_least: int) -> bool:
    """How often the relays have noted a write of this key."""
    return await pool.fetchval("select writes >= $2 from keys.keys where key_id = $1", key_id, at_least) is True


async def at_rest(relay: KeyRelay, shared: SharedKeys) -> bool:
    progress = await relay.progress()
    return progress.waiting == 0 and await shared.reached(TOPIC) >= progress.sent


async def received(pool: Pool, key_id: UUID) -> bool:
    return await pool.fetchval("select exists (select from keys.received where key_id = $1)", key_id) is True


async def spoil(pool: Pool, key_id: UUID) -> bytes:
    """Have a key open with nothing any more; return what it was."""
    before: bytes = await pool.fetchval("select wrapped from keys.keys where key_id = $1", key_id)
    await pool.execute("update keys.keys set wrapped = $2 where key_id = $1", key_id, before[:NAME] + bytes(60))
    return before


async def many_published(pool: Pool, count: int) -> None:
    keys = PostgresKeys(pool, MASTER)
    for _ in range(count):
        await keys.seal_public(TENANT, WORDS)
