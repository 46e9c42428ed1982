"""What operators may ask of intake."""

from pathlib import Path

from eventlog import keys, postgres_log
from eventlog.migrations import migrate as apply

MIGRATIONS = Path(__file__).with_name("migrations")


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    applied = await apply(dsn, application, postgres_log.SCHEMA, *sorted(MIGRATIONS.glob("*.sql")))
    return applied + await apply(keys_dsn, application, keys.SCHEMA)
