"""Rebuilding: a read model is made anew from the fact store, beside the one that is read, and takes its place."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from eventlog.comparing import Comparison
from eventlog.copies import Told
from eventlog.making import Feed
from eventlog.rebuild import Rebuild
from eventlog.versions import CannotRebuild
from services.reporting.fact_store.store import StoredHistory
from services.reporting.read_models.by_service import CONSUMER, READ_MODELS


async def rebuild(dsn: str, name: str, told: Told) -> Comparison:
    """Make a read model anew and let the new version live; return how it differs from the one before.

    ``dsn`` is the owner's. Run again after a break it goes on. Raises CannotRebuild.
    """
    async with _rebuilding(dsn, name, told) as rebuilding:
        return await rebuilding.run()


async def go_back(dsn: str, name: str, told: Told) -> int:
    """Let the version of a read model live again that was before; return its number. Raises CannotRebuild."""
    async with _rebuilding(dsn, name, told) as rebuilding:
        return (await rebuilding.back()).version


async def forget(dsn: str, name: str) -> int:
    """Drop all versions of a read model but the live one; return how many. Raises CannotRebuild."""
    async with _rebuilding(dsn, name, lambda _phase, _done, _of: None) as rebuilding:
        return await rebuilding.forget()


@asynccontextmanager
async def _rebuilding(dsn: str, name: str, told: Told) -> AsyncGenerator[Rebuild[Any]]:
    of = {model.table: (service, model) for service, models in READ_MODELS.items() for model in models}
    if name not in of:
        raise CannotRebuild(f"there is no read model {name}: there are {', '.join(sorted(of))}")
    service, model = of[name]
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool, pool.acquire() as connection:
        source: str | None = await connection.fetchval(
            "select source from eventlog.cursors where consumer = $1 and source like '%.' || $2", CONSUMER, service
        )
        if source is None:
            raise CannotRebuild(f"nothing of {service} was ever taken in")
        yield Rebuild(connection, model, Feed(CONSUMER, source, StoredHistory(service)), told)
