"""Clock: moves all services' clocks forward together, in development, with every timer firing on its day."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import httpx2

from deploy.local.person import checked
from deploy.local.rest import at_rest


async def move(services: Mapping[str, str], to: datetime) -> None:
    """Wait for rest, hold the timers, move every clock to ``to``, let the timers go, and wait for rest again."""
    await at_rest(services)
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        writers = [url for name, url in services.items() if name != "reporting"]
        await _all(client, writers, "timers/pause")
        try:
            await _all(client, writers, "clock", {"to": to.isoformat()})
        finally:
            await _all(client, writers, "timers/resume")
    await at_rest(services)


async def _all(client: httpx2.AsyncClient, urls: list[str], what: str, body: dict[str, str] | None = None) -> None:
    answers = await asyncio.gather(*(client.post(f"{url}/development/{what}", json=body or {}) for url in urls))
    for answer in answers:
        checked(answer)
