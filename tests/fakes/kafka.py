"""A broker in memory: the port of eventlog.kafka, for tests that need its faults rather than its disks."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import Producer, Reader, Received, Record


@dataclass
class MemoryKafka:
    """Topics of one partition each, in a dict."""

    topics: dict[str, list[Received]] = field(default_factory=dict[str, list[Received]])
    fail_after_send: bool = False  # the next send is written, but its sender hears nothing
    fail_before_send: bool = False
    open_clients: int = 0

    async def ensure_topic(self, topic: str, settings: Mapping[str, str]) -> None:
        del settings
        self.topics.setdefault(topic, [])

    async def delete_topic(self, topic: str) -> None:
        self.topics.pop(topic, None)

    async def producer(self) -> Producer:
        self.open_clients += 1
        return _MemoryProducer(self)

    async def reader(self, topic: str, offset: int) -> Reader:
        self.open_clients += 1
        return _MemoryReader(self, topic, offset)

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        return {topic: len(self.topics[topic]) for topic in topics}

    def write(self, topic: str, records: Sequence[Record]) -> None:
        """Append records, as a producer's acknowledged send does."""
        log = self.topics[topic]
        log.extend([Received(r.key, r.value, tuple(r.headers), len(log) + n) for n, r in enumerate(records)])


class _MemoryProducer:
    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self._broken = False

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        if self._broken:
            raise Unavailable("this producer was in doubt and must not be used again")
        if self._kafka.fail_before_send:
            self._kafka.fail_before_send, self._broken = False, True
            raise Unavailable("lost before the broker had it")
        self._kafka.write(topic, records)
        if self._kafka.fail_after_send:
            self._kafka.fail_after_send, self._broken = False, True
            raise Unavailable("written, but the acknowledgement was lost")
        return len(self._kafka.topics[topic])

    async def close(self) -> None:
        self._kafka.open_clients -= 1


class _MemoryReader:
    def __init__(self, kafka: MemoryKafka, topic: str, offset: int) -> None:
        self._kafka = kafka
        self._topic = topic
        self._offset = offset

    async def read(self, limit: int, patience: float) -> Sequence[Received]:
        log = self._kafka.topics[self._topic]
        if self._offset > len(log):
            raise CorruptHistory(f"{self._topic} does not hold the position we stand at")
        await asyncio.sleep(patience if self._offset == len(log) else 0)
        found = log[self._offset : self._offset + limit]
        self._offset += len(found)
        return found

    async def close(self) -> None:
        self._kafka.open_clients -= 1
