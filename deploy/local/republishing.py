"""Republishing: all topics of a platform made anew from the logs of its services, while these go on."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from deploy.local.endpoints import Endpoints
from deploy.local.errors import LocalError
from deploy.local.rest import progress, work_left
from eventlog.errors import Unavailable

PATIENCE = 900.0  # seconds until everything must have been written and read again: the promise
LOOK = 0.5

Told = Callable[[int, int], None]
"""Told how many facts are in their topics again, and how many there are."""


class NotRepublished(LocalError):
    """Some topic is not yet what its log says."""


class Desk(Protocol):
    """What each service's admin answers."""

    async def write_topics_again(self, dsn: str, kafka_bootstrap: str, replication: int) -> Sequence[str]: ...
    async def topics_begin_anew(self, dsn: str, kafka_bootstrap: str, topics: Sequence[str]) -> bool | None: ...
    async def read_topics_again(self, dsn: str, keys_dsn: str) -> Sequence[str]: ...
    async def publish_keys_again(self, keys_dsn: str) -> None: ...


async def republish(endpoints: Endpoints, desks: Mapping[str, Desk], replication: int, told: Told) -> None:
    """Write every topic again from its log, have everybody read from the beginning, and wait until all have.

    Raises NotRepublished. Running it again begins anew; nothing is lost or doubled by that.
    """
    before = await progress(endpoints.services)
    try:
        async with asyncio.timeout(PATIENCE):
            written = {name: await _write(endpoints, name, desk, replication) for name, desk in desks.items()}
            await _read_again(endpoints, desks)
            for name, desk in desks.items():
                await desk.publish_keys_again(endpoints.postgres_dsns[f"{name}-keys"])
            for name, desk in desks.items():
                await _begun_anew(endpoints, desks, name, desk, written[name], replication)
            await _read(endpoints, {name: service.pseq for name, service in before.items()}, told)
    except Unavailable as error:
        raise NotRepublished(f"The broker does not answer: {error}.", "Run it again once it does.") from error
    except TimeoutError:
        left = "; ".join(work_left(await progress(endpoints.services)))
        raise NotRepublished(
            f"Not everything was written and read again within {PATIENCE:.0f} s: {left}.",
            "It goes on; see `shangyi status`.",
        ) from None


async def _write(endpoints: Endpoints, name: str, desk: Desk, replication: int) -> Sequence[str]:
    return await desk.write_topics_again(endpoints.postgres_dsns[name], endpoints.kafka_bootstrap, replication)


async def _read_again(endpoints: Endpoints, desks: Mapping[str, Desk]) -> None:
    for name, desk in desks.items():
        await desk.read_topics_again(endpoints.postgres_dsns[name], endpoints.postgres_dsns[f"{name}-keys"])


async def _begun_anew(
    endpoints: Endpoints, desks: Mapping[str, Desk], name: str, desk: Desk, topics: Sequence[str], replication: int
) -> None:
    """Wait until a service's topics begin with its first fact; where something else came first, make them once more."""
    while not (begun := await desk.topics_begin_anew(endpoints.postgres_dsns[name], endpoints.kafka_bootstrap, topics)):
        if begun is False:
            topics = await _write(endpoints, name, desk, replication)
            await _read_again(endpoints, desks)
        await asyncio.sleep(LOOK)


async def _read(endpoints: Endpoints, published: Mapping[str, int], told: Told) -> None:
    """Wait until what was published is so again, and nobody has work left."""
    while True:
        now = await progress(endpoints.services)
        told(sum(min(now[name].pseq, had) for name, had in published.items()), sum(published.values()))
        if all(now[name].pseq >= had for name, had in published.items()) and not work_left(now):
            return
        await asyncio.sleep(LOOK)
