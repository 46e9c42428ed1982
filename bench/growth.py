"""Growth: what an append costs in a log of a million facts and of ten, beside one that is empty, measured in turn."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

from bench.effort import Effort
from bench.figures import Figure, compared
from bench.filled import filled, key_of
from bench.our_log import CONNECTIONS, keep, open_a_stream
from bench.rounds import in_turn, rate
from bench.servers import Servers, database_servers
from bench.submissions import append_of
from deploy.local.platform import Say
from deploy.local.settings import Settings
from eventlog.connections import pool_of
from eventlog.log import Expect
from eventlog.postgres_log import PostgresLog

AT_ONCE = 16
A_STREAM = 4  # facts
YOUNG = 20_000  # facts, where there must be streams to choose from
GOAL = 0.87  # of the rate, so that the cost grows by 15 % at most

Append = Callable[[], Awaitable[object]]


async def measure(settings: Settings, effort: Effort, say: Say) -> Sequence[Figure]:
    """Append to new streams, and to any of the streams there are, with 16 commands at once."""
    figures: list[Figure] = []
    async with database_servers(settings, say) as servers:
        for facts in effort.choose((1_000_000, 10_000_000), (1_000_000,)):
            say(f"filling a log with {facts:,} facts")
            async with _log(servers, 0) as empty, _log(servers, YOUNG) as young, _log(servers, facts) as grown:
                figures += [
                    await _compared(
                        f"append to a new stream among {facts:,} facts / in an empty log",
                        partial(open_a_stream, grown),
                        partial(open_a_stream, empty),
                        effort,
                    ),
                    await _compared(
                        f"append to an old stream among {facts:,} facts / among {YOUNG:,}",
                        partial(_add_to_a_stream, grown, facts // A_STREAM),
                        partial(_add_to_a_stream, young, YOUNG // A_STREAM),
                        effort,
                    ),
                ]
    return figures


async def _compared(name: str, grown: Append, small: Append, effort: Effort) -> Figure:
    rounds, seconds = effort.choose((9, 0.6), (2, 0.3))
    rates = await in_turn(
        {"grown": partial(rate, grown, AT_ONCE, seconds), "small": partial(rate, small, AT_ONCE, seconds)}, rounds
    )
    return compared(name, rates["grown"], rates["small"], "facts/s", GOAL)


async def _add_to_a_stream(log: PostgresLog, streams: int) -> None:
    no = random.randint(1, streams)  # noqa: S311  # chance, not secrecy
    await keep(log, append_of(key_of(no), uuid4(), Expect.EXISTS))


@asynccontextmanager
async def _log(servers: Servers, facts: int) -> AsyncGenerator[PostgresLog]:
    """Make a log for the block alone: large ones take disk, and a young one should stay young."""
    database = f"bench_log_of_{facts}"
    await filled(servers, database, facts, A_STREAM)
    try:
        async with pool_of(servers.dsn(database), CONNECTIONS) as pool:
            yield PostgresLog(pool)
    finally:
        await servers.administer("postgres", f"drop database {database}")
