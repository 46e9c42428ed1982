"""Key reader: takes in what a key relay wrote, from the beginning again whenever a topic is in doubt."""

from collections.abc import Sequence

import asyncpg

from eventlog.connections import Connection
from eventlog.election import Worker
from eventlog.errors import CorruptHistory, Unavailable
from eventlog.kafka import KEYS_TOPIC, Kafka, Reader, Received
from eventlog.shared_keys import SharedKeys

ROUND = 500  # records taken in at once
POLL = 0.2  # seconds between looks


class KeyReader(Worker):
    """Takes one service's key topic in for as long as it leads."""

    def __init__(self, kafka: Kafka, topic: str, shared_keys: SharedKeys) -> None:
        self._kafka = kafka
        self._topic = topic
        self._keys = shared_keys
        self._in_doubt = False
        super().__init__(shared_keys.pool, f"key-reader/{topic}")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        await self._kafka.ensure_topic(self._topic, KEYS_TOPIC)
        # In a topic that was lost and made anew, the offset lies beyond the end, and every read there fails. After a
        # failed read, whatever it was, all is read again: the topic is small, and meeting a key twice changes nothing.
        # Offset 0 is always there: compaction leaves holes, which a fetch steps over, and never moves the start.
        reader = await self._kafka.reader(
            self._topic, 0 if self._in_doubt else await self._keys.next_offset(self._topic)
        )
        try:
            while True:
                records = await self._read(reader)
                if records:
                    await self._keys.take_in(self._topic, records, connection)
                    self._in_doubt, self.halted = False, None
                else:
                    await connection.execute("select 1")  # whoever ended this session wants another term
        finally:
            await reader.close()

    async def _read(self, reader: Reader) -> Sequence[Received]:
        try:
            return await reader.read(ROUND, POLL)
        except (Unavailable, CorruptHistory) as error:
            self._in_doubt = True
            raise Unavailable(str(error)) from error
