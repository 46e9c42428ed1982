"""Rest: the moment when nothing in the whole platform has work left."""

import asyncio
from collections.abc import Mapping

import httpx2

from eventlog.progress import Progress

_LOOK = 0.05


class NotAtRest(Exception):
    """The platform still works after the time given; the message says at what."""


async def progress(services: Mapping[str, str]) -> dict[str, Progress]:
    """Ask every service how far it has come."""
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
        answers = await asyncio.gather(*(client.get(f"{url}/health/progress") for url in services.values()))
    told = [Progress.model_validate_json(answer.raise_for_status().content) for answer in answers]
    return dict(zip(services, told, strict=True))


def work_left(told: Mapping[str, Progress]) -> list[str]:
    """Name what is not done yet: facts to relay, timers to fire, facts and keys to take in. Pure."""
    left: list[str] = []
    for name, service in told.items():
        if service.relayed < service.end:
            left.append(f"{name} relays up to {service.end}, is at {service.relayed}")
        if service.timers_due:
            left.append(f"{name} has {service.timers_due} timers due")
        if service.keys_waiting:
            left.append(f"{name} has {service.keys_waiting} keys on their way")
        for cursor in service.cursors:
            origin = cursor.source.rpartition(".")[2]
            if cursor.source == "log" and cursor.position < service.end:
                left.append(f"{name}/{cursor.consumer} reads its log up to {service.end}, is at {cursor.position}")
            if origin in told and cursor.pseq < told[origin].pseq:
                left.append(f"{name}/{cursor.consumer} reads {origin} up to {told[origin].pseq}, is at {cursor.pseq}")
    return left


async def at_rest(services: Mapping[str, str], patience: float = 60.0) -> None:
    """Return when two looks in a row find no work and no change between them. Raises NotAtRest."""
    before: dict[str, Progress] | None = None
    left: list[str] = []
    try:
        async with asyncio.timeout(patience):
            while True:
                now = await progress(services)
                left = work_left(now)
                if not left and now == before:
                    return
                before = now
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise NotAtRest("; ".join(left) or "it keeps changing") from None
