"""A relay in a process of its own, which sends itself a signal at a chosen moment: killed there, or stopped.

Says a line when it leads, that is, when it sends for the first time.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from eventlog import election, relay
from eventlog.connections import pool_of
from eventlog.kafka import AioKafka, Producer, Reader, Record
from eventlog.postgres_log import PostgresLog
from eventlog.relay import Relay


class Orders(BaseModel):
    """What to relay, and at which moment of which send (1, 2, …) to fall: ``before`` it, with ``half`` of it
    acknowledged, with all of it ``acknowledged`` but nothing noted, or never (0).
    """

    dsn: str
    bootstrap: str
    topic: str
    moment: str = "before"
    send: int = 0
    fall: signal.Signals = signal.SIGKILL
    round: int = 20


class Fated:
    """The broker, seen by one who will fall."""

    def __init__(self, kafka: AioKafka, orders: Orders) -> None:
        self._kafka = kafka
        self._orders = orders
        self._sends = 0

    async def ensure_topic(self, topic: str, settings: Mapping[str, str]) -> None:
        await self._kafka.ensure_topic(topic, settings)

    async def producer(self) -> Producer:
        return _FatedProducer(self, await self._kafka.producer())

    async def reader(self, topic: str, offset: int) -> Reader:
        return await self._kafka.reader(topic, offset)

    async def ends(self, topics: Sequence[str]) -> Mapping[str, int]:
        return await self._kafka.ends(topics)

    @property
    def moment(self) -> str:
        return self._orders.moment

    def another(self) -> bool:
        """Count a send; whether it is the one."""
        self._sends += 1
        if self._sends == 1:
            sys.stdout.write("leads\n")
            sys.stdout.flush()
        return self._sends == self._orders.send

    def fall_at(self, moment: str, fated: bool) -> None:
        if fated and moment == self._orders.moment:
            os.kill(os.getpid(), self._orders.fall)


class _FatedProducer:
    def __init__(self, kafka: Fated, producer: Producer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def send(self, topic: str, records: Sequence[Record]) -> int:
        fated = self._kafka.another()
        self._kafka.fall_at("before", fated)
        if fated and self._kafka.moment == "half":
            await self._producer.send(topic, records[: len(records) // 2])
            self._kafka.fall_at("half", fated)
        behind = await self._producer.send(topic, records)
        self._kafka.fall_at("acknowledged", fated)
        return behind

    async def close(self) -> None:
        await self._producer.close()


async def main(orders: Orders) -> None:
    relay.ROUND, relay.POLL, election.RETRY = orders.round, 0.02, 0.2
    async with pool_of(orders.dsn, 4) as pool:
        await Relay(pool, PostgresLog(pool), Fated(AioKafka(orders.bootstrap), orders), orders.topic).run()


if __name__ == "__main__":
    asyncio.run(main(Orders.model_validate_json(sys.argv[1])))
