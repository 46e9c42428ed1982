"""A process that fires the timers of counters, and may be told to die at a moment of the test's choosing.

``python -m tests.integration.eventlog.timer_process DSN [before|after]``: ``before`` the first append of a due command,
or ``after`` it was kept and before anybody learned of it. Prints what its host's clock says, once it runs.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from eventlog.connections import Pool, pool_of
from eventlog.decider import Context, Decider, Due
from eventlog.handler import Handler
from eventlog.log import Append, Outcome
from eventlog.postgres_log import PostgresLog
from eventlog.refusals import TimerRefusals
from eventlog.timers import Timers
from tests.fakes.counting import Command, CounterFact, Counting, RaiseCounter, State, Unopened, decide, evolve


def due(counter: State) -> Sequence[Due[Command]]:
    match counter:
        case Counting(total=0, until=until):
            return [Due[Command](at=until, command=RaiseCounter())]
        case _:
            return []


raised_when_due = Decider[Command, State, CounterFact, Context](
    "test-counter", Unopened(), decide, evolve, due, timed=(RaiseCounter,)
)
"""No rule of it refuses what comes twice: whoever fires a timer twice is seen to."""


class MortalLog(PostgresLog):
    """Ends its process as a power cut does."""

    def __init__(self, pool: Pool, dies: str) -> None:
        super().__init__(pool)
        self._dies = dies

    async def append(self, item: Append) -> Outcome:
        if self._dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        outcome = await super().append(item)
        if self._dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome


async def main(dsn: str, dies: str) -> None:
    async with pool_of(dsn, 8) as pool:
        log = MortalLog(pool, dies)
        timers = Timers(log, Handler(log), [raised_when_due], TimerRefusals(pool))
        sys.stdout.write(f"{datetime.now(UTC).isoformat()}\n")
        sys.stdout.flush()
        await timers.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
