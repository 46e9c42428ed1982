"""Bringing a service's two databases to this version: its facts and rows in one, its keys in the other."""

from collections.abc import Sequence
from pathlib import Path

from eventlog import keys, postgres_log
from eventlog.migrations import KEY_GRANTS, LOG_GRANTS, migrate


async def migrate_both(dsn: str, keys_dsn: str, application: str, own: Sequence[Path]) -> int:
    """Apply the log's schema, the files of ``own``, and the keys' schema, as the owner.

    ``application`` is the role the service runs as. Return how many files were applied.
    """
    applied = await migrate(dsn, application, LOG_GRANTS, postgres_log.SCHEMA, *own)
    return applied + await migrate(keys_dsn, application, KEY_GRANTS, keys.SCHEMA)
