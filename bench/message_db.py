"""MessageDb: message-db 1.3.0 (MIT), its SQL installed as it stands beside this repository, never copied into it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID, uuid4

from bench.connections import Connection, Connections, connected
from bench.rounds import repeated
from bench.servers import Servers
from bench.submissions import CATEGORY, NAME, json_of
from deploy.local.platform import APPLICATION
from deploy.local.settings import CHECKOUT

PLACE = CHECKOUT.parent / "shared" / "peers" / "message-db" / "database"
DATABASE = "bench_message_db"
SCHEMA = "message_store"
CONNECTIONS = 16  # more would only wait for the lock that it takes on a category
PIECE = 1_000  # its own default
# The order of its install.sh, without the extension pgcrypto: the one function it was for is built in by now.
INSTALLED = (
    "roles/message-store",
    "schema/message-store",
    "tables/messages",
    "types/message",
    "functions/message-store-version",
    "functions/hash-64",
    "functions/acquire-lock",
    "functions/category",
    "functions/is-category",
    "functions/id",
    "functions/cardinal-id",
    "functions/stream-version",
    "functions/write-message",
    "functions/get-stream-messages",
    "functions/get-category-messages",
    "functions/get-last-stream-message",
    "indexes/messages-id",
    "indexes/messages-stream",
    "indexes/messages-category",
    "views/stream-summary",
    "views/type-summary",
    "views/stream-type-summary",
    "views/type-stream-summary",
    "views/category-type-summary",
    "views/type-category-summary",
    "privileges/schema",
    "privileges/table",
    "privileges/sequence",
    "privileges/functions",
    "privileges/views",
)


class MessageDb:
    """A Rival with one category: the order it promises is that of a category."""

    def __init__(self, version: str, connections: Sequence[Connection], reading: Connection) -> None:
        self._version = version
        self._connections = connections
        self._reading = reading

    def called(self, at_once: int) -> str:
        return f"message-db {self._version}, {min(at_once, CONNECTIONS)} connections"

    async def write(self, at_once: int, seconds: float) -> Sequence[Sequence[UUID]]:
        return await repeated(partial(_write, Connections(self._connections[:at_once])), at_once, seconds)

    async def end(self) -> int:
        position: int = await self._reading.fetchval("select coalesce(max(global_position), 0) from messages")
        return position

    async def read(self, after: int) -> tuple[Sequence[UUID], int]:
        rows = await self._reading.fetch(
            "select id, global_position from get_category_messages($1, $2, $3)", CATEGORY, after + 1, PIECE
        )
        return [UUID(row["id"]) for row in rows], rows[-1]["global_position"] if rows else after


async def _write(connections: Connections) -> UUID:
    message = uuid4()
    async with connections.one() as connection:
        await connection.execute(
            "select write_message($1, $2, $3, $4, null, -1)",
            str(message),
            f"{CATEGORY}-{message}",
            NAME,
            json_of(message),
        )
    return message


@asynccontextmanager
async def message_db(servers: Servers) -> AsyncGenerator[MessageDb]:
    """Install it into a database of its own, and connect. Raises FileNotFoundError where its SQL is absent."""
    await servers.make(DATABASE)
    scripts = [(PLACE / name).with_suffix(".sql").read_text(encoding="utf-8") for name in INSTALLED]
    await servers.administer(DATABASE, *scripts, f"grant {SCHEMA} to {APPLICATION}")
    version = (PLACE / "VERSION.txt").read_text(encoding="utf-8").strip()
    dsn = servers.dsn(DATABASE)
    async with connected(dsn, CONNECTIONS, SCHEMA) as connections, connected(dsn, 1, SCHEMA) as [reading]:
        yield MessageDb(version, connections, reading)
