"""Gathering: calls that are made while one is on its way travel together in the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Gathering(Generic[T, R]):
    """Carries items to ``carry``, up to ``most`` at a time and one batch after the other.

    A lone caller waits for nobody. When a batch fails, all of it does: callers do not know which of them it was.
    """

    def __init__(self, carry: Callable[[Sequence[T]], Awaitable[Sequence[R]]], most: int = 64) -> None:
        """``carry`` returns a result an item, in their order."""
        self._carry = carry
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._flight: asyncio.Task[None] | None = None

    async def ask(self, item: T) -> R:
        """Return what ``carry`` says of ``item``. Raises what it raises."""
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._flight is None:
            self._flight = asyncio.get_running_loop().create_task(self._fly())
        return await answer

    async def _fly(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._deliver(batch)
        finally:
            self._flight = None

    async def _deliver(self, batch: Sequence[tuple[T, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._carry([item for item, _ in batch])
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error if isinstance(error, Exception) else ConnectionError("broken off"))
            if not isinstance(error, Exception):
                raise
            return
        for (_, answer), result in zip(batch, results, strict=True):
            if not answer.done():
                answer.set_result(result)
