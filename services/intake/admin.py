"""What operators may ask of intake."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from eventlog.copies import Told
from eventlog.kafka import AioKafka
from eventlog.timer_table import TimerTable, timer_table
from eventlog.verify import verify_service
from web.migrating import migrate_both
from web.operating import ask_again as ask_again
from web.operating import parked_facts as parked_facts
from web.operating import parked_streams as parked_streams
from web.operating import publish_keys_again as publish_keys_again
from web.operating import read_topics_again as read_topics_again
from web.operating import refusals as refusals
from web.operating import topics_begin_anew as topics_begin_anew
from web.operating import write_topics_again as write_topics_again

MIGRATIONS = sorted(Path(__file__).with_name("migrations").glob("*.sql"))


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    return await migrate_both(dsn, keys_dsn, application, MIGRATIONS)


def timers(dsn: str) -> AbstractAsyncContextManager[TimerTable]:
    """Give what may be seen of intake's timers, and done to one by hand."""
    return timer_table(dsn)


async def verify(dsn: str, kafka_bootstrap: str, told: Told) -> str | None:
    """Compare the log with itself and with the topic, while both go on; return the first difference."""
    return await verify_service(dsn, AioKafka(kafka_bootstrap), told)
