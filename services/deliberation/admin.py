"""What operators may ask of deliberation."""

from pathlib import Path

from web.migrating import migrate_both

MIGRATIONS = sorted(Path(__file__).with_name("migrations").glob("*.sql"))


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    return await migrate_both(dsn, keys_dsn, application, MIGRATIONS)
