"""What operators may ask of reporting."""

from pathlib import Path
from typing import Any

import asyncpg

from eventlog.election import Connection
from eventlog.facts import Value
from eventlog.postgres_log import Pool
from eventlog.read_model import Key, ReadModel
from services.reporting.fact_store.store import facts_of
from services.reporting.read_models.by_service import READ_MODELS
from web.migrating import migrate_both

MIGRATIONS = sorted(Path(__file__).with_name("migrations").glob("*.sql"))


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    return await migrate_both(dsn, keys_dsn, application, MIGRATIONS)


async def verify(pool: Pool) -> str | None:
    """Compare every read model with its fold over the fact store, at one moment; return the first difference."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        for service, models in READ_MODELS.items():
            for model in models:
                difference = await _difference(service, model, connection)
                if difference is not None:
                    return difference
    return None


async def _difference(service: str, model: ReadModel[Any], connection: "Connection[asyncpg.Record]") -> str | None:
    folded: dict[Key, Value | None] = {}
    async for facts in facts_of(service, connection):
        touched = model.touched(facts)
        folded |= model.fold({key: folded.get(key) for key, _ in touched}, touched)
    kept: dict[Key, Value] = {}
    # The table's name is a constant of the program, never input.
    async for row in connection.cursor(f"select tenant, to_jsonb(t)::text as row from {model.table} t"):  # noqa: S608
        value: Value = model.row.model_validate_json(row["row"], extra="ignore")
        kept[row["tenant"], str(getattr(value, model.key))] = value
    for key in sorted(folded.keys() | kept.keys()):
        if folded.get(key) != kept.get(key):
            return f"{model.table} {key[1]} of {key[0]} is not what its facts say"
    return None
