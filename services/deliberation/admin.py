"""What operators may ask of deliberation."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from eventlog.timer_table import TimerTable, timer_table
from web.migrating import migrate_both

MIGRATIONS = sorted(Path(__file__).with_name("migrations").glob("*.sql"))


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    return await migrate_both(dsn, keys_dsn, application, MIGRATIONS)


def timers(dsn: str) -> AbstractAsyncContextManager[TimerTable]:
    """Give what may be seen of deliberation's timers, and done to one by hand."""
    return timer_table(dsn)
