"""What operators may ask of reporting."""

from pathlib import Path

from services.reporting.admin.rebuilding import forget as forget
from services.reporting.admin.rebuilding import go_back as go_back
from services.reporting.admin.rebuilding import rebuild as rebuild
from services.reporting.admin.verifying import verify as verify
from services.reporting.admin.verifying import verify_all as verify_all
from services.reporting.admin.verifying import verify_facts as verify_facts
from web.migrating import migrate_both
from web.operating import ask_again as ask_again
from web.operating import parked_facts as parked_facts
from web.operating import parked_streams as parked_streams
from web.operating import publish_keys_again as publish_keys_again
from web.operating import read_topics_again as read_topics_again
from web.operating import refusals as refusals
from web.operating import topics_begin_anew as topics_begin_anew
from web.operating import write_topics_again as write_topics_again

MIGRATIONS = sorted(Path(__file__).parent.with_name("migrations").glob("*.sql"))


async def migrate(dsn: str, keys_dsn: str, application: str) -> int:
    """Bring both databases to this version, as their owner; return how many files were applied."""
    return await migrate_both(dsn, keys_dsn, application, MIGRATIONS)
