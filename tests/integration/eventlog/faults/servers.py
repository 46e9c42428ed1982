"""Servers that tests take down."""

import asyncio
import os
import signal

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer


class Postgres:
    """A PostgreSQL server in our hands."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @property
    def dsn(self) -> str:
        return self._server.databases.admin_dsn("postgres")

    async def start(self) -> None:
        await self._server.start()
        await self._server.ready()

    async def stop(self) -> None:
        await self._server.stop()

    async def kill(self) -> None:
        """Kill the postmaster; its children live on for a moment and end what they are at, or not."""
        pid = self._server.pid
        assert pid is not None, self._server.why()
        os.kill(pid, signal.SIGKILL)
        while self._server.alive():  # noqa: ASYNC110  # a process sets no event
            await asyncio.sleep(0.01)


class Broker:
    """A Kafka broker in our hands."""

    def __init__(self, server: KafkaServer) -> None:
        self._server = server

    @property
    def bootstrap(self) -> str:
        return self._server.bootstrap

    async def start(self) -> None:
        await self._server.start()
        await self._server.ready()

    async def stop(self) -> None:
        if self._server.alive():
            self._signal(signal.SIGCONT)
        await self._server.stop()

    async def kill(self) -> None:
        self._signal(signal.SIGKILL)
        while self._server.alive():  # noqa: ASYNC110  # a process sets no event
            await asyncio.sleep(0.01)

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    async def thaw(self) -> None:
        """It may have been given up by its controller meanwhile, and serves again once that has taken it back."""
        self._signal(signal.SIGCONT)
        await self._server.ready()

    def _signal(self, number: signal.Signals) -> None:
        pid = self._server.pid
        assert pid is not None, self._server.why()
        os.kill(pid, number)
