"""Rounds: how fast something goes, rivals measured in turn, so that they share the machine's good and bad moments."""

import time
from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], Awaitable[object]]
Measure = Callable[[], Awaitable[float]]


async def repeated(work: Callable[[], Awaitable[T]], at_once: int, seconds: float) -> list[list[T]]:
    """What each of ``at_once`` workers got, call after call, for about ``seconds``."""
    until = time.perf_counter() + seconds

    async def worker() -> list[T]:
        got: list[T] = []
        while time.perf_counter() < until:
            got.append(await work())
        return got

    return await gather(*(worker() for _ in range(at_once)))


async def rate(work: Work, at_once: int, seconds: float) -> float:
    """Calls finished a second with ``at_once`` of them under way at any time, for about ``seconds``."""
    began = time.perf_counter()
    got = await repeated(work, at_once, seconds)
    return sum(map(len, got)) / (time.perf_counter() - began)


async def in_turn(rivals: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Measure each rival once a round, the order turned round every time; a first round warms up and does not count."""
    measured: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name in list(rivals) if number % 2 else reversed(list(rivals)):
            value = await rivals[name]()
            if number:
                measured[name].append(value)
    return measured
