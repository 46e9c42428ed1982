"""Timers: what falls due is sent to its stream as a command, once.

A timer's command id is a function of the append that set it, so two runners that pick the same timer act once. No lock
is held while a command runs: the append that follows replaces the stream's timers, and a lock here would be a deadlock
that PostgreSQL cannot see. A command that is refused, fails or changes nothing breaks the aggregate's promise to leave
``due``: it is recorded for the operators and put off, so that it neither blocks the others nor disappears. If the
stream has moved on while it was on its way, nothing was broken.

A runner takes up some timers at a look, one a stream, and sends them side by side, so that the log's appender carries
many in one transaction. It waits for the slowest of them only so long. Behind a long backlog it also takes up what fell
due last: whoever is due now does not wait until a hundred thousand others are done.

Where the database's clock has leapt nothing is fired, since what was fired early cannot be taken back (see
clock_watch); the runner says so, and goes on when the clock is right again or the process is started anew.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from random import shuffle
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from pydantic import BaseModel

from eventlog.clock_watch import ClockWatch
from eventlog.decider import Actor, AnyDecider
from eventlog.errors import EventLogError, Unavailable, VersionConflict
from eventlog.facts import StreamId, Value
from eventlog.handler import Handler, Request
from eventlog.log import EventLog, Timer

NAMESPACE = uuid5(NAMESPACE_URL, "urn:shangyi:timer")
PUT_OFF = timedelta(minutes=10)
LOOK = 256  # streams taken up at one look
AT_ONCE = 64  # commands on their way to the log: two full flights of its appender
PATIENCE = 1.0  # seconds a look waits for its slowest command before the next look begins without it
IDLE = 1.0  # seconds until the next look when nothing says that something falls due earlier
GAP = 0.02  # seconds between two looks that find nothing, however much is appended meanwhile
TIMER = Actor(id="timer")

Refused = Callable[[Timer, UUID, str, Exception], Awaitable[None]]
"""Told of a due command that broke the promise: its timer, id and name, and why."""


class TimedCommand(BaseModel):
    """A due command as stored."""

    name: str
    data: dict[str, object]


class NothingFollowed(EventLogError):
    """A due command was accepted without any fact, so it is still due."""


class Timers:
    """Fires the timers of the deciders it was given."""

    def __init__(
        self,
        log: EventLog,
        handler: Handler,
        deciders: Sequence[AnyDecider],
        refused: Refused | None = None,
        clock_watch: ClockWatch | None = None,
    ) -> None:
        """``clock_watch``: tells whether the log's clock can be believed; without it, it is."""
        self.work = "timer-runner"
        self.halted: str | None = None
        self._log = log
        self._handler = handler
        self._deciders = {decider.category: decider for decider in deciders}
        self._refused = refused
        self._clock_watch = clock_watch
        self._paused = asyncio.Event()
        self._paused.set()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._on_the_way: dict[tuple[str, StreamId], asyncio.Task[None]] = {}
        self._logger = structlog.get_logger("timers")

    def pause(self) -> None:
        """Fire nothing until ``resume``: for the moment in which clocks are moved."""
        self._paused.clear()

    def resume(self) -> None:
        self._paused.set()

    async def run(self) -> None:
        """Fire what falls due, for ever."""
        try:
            while True:
                await self._paused.wait()
                try:
                    if not await self.fire(LOOK):
                        await (asyncio.sleep(IDLE) if self.halted else self._rest())
                except Unavailable as error:
                    self._logger.warning("timers wait for the log", reason=type(error).__name__)
                    await asyncio.sleep(IDLE)
        finally:
            for task in self._on_the_way.values():
                task.cancel()

    async def fire(self, limit: int) -> int:
        """Send what is due now, one command a stream; return how many were sent. Raises Unavailable.

        The first command's facts may have called off the stream's others, so those wait for the next look.
        """
        due = [timer for timer in await self._look(limit) if (timer.tenant, timer.stream) not in self._on_the_way]
        if not await self._on_time():  # asked behind the look, so that a leap before it is seen
            return 0
        shuffle(due)  # so that two runners that saw the same do not go through it in step
        for timer in due:
            self._start(timer)
        if self._on_the_way:
            done, _ = await asyncio.wait(self._on_the_way.values(), timeout=PATIENCE)
            for task in done:
                task.result()
        return len(due)

    async def _on_time(self) -> bool:
        leapt = 0.0 if self._clock_watch is None else await self._clock_watch.leapt()
        if leapt and not self.halted:
            self._logger.error("the clock leapt", seconds=round(leapt))
        self.halted = (
            f"the database's clock leapt by {leapt:+.0f} s: no timer fires until it is right again, or this service is "
            "started anew, which says that it is right now"
            if leapt
            else None
        )
        return not leapt

    async def _look(self, limit: int) -> Sequence[Timer]:
        earliest = await self._log.due(limit)
        if len(earliest) < limit:
            return earliest
        latest = await self._log.due(max(1, limit // 4), latest=True)
        return list({(timer.tenant, timer.stream): timer for timer in (*earliest, *latest)}.values())

    def _start(self, timer: Timer) -> None:
        key = (timer.tenant, timer.stream)
        task = self._on_the_way[key] = asyncio.create_task(self._send(timer))

        def arrived(task: asyncio.Task[None]) -> None:
            del self._on_the_way[key]
            if not task.cancelled():
                task.exception()  # told by the look that waited; after it, the timer is still due and comes again

        task.add_done_callback(arrived)

    async def _rest(self) -> None:
        """Wait until something falls due or was appended, or for IDLE seconds: others append in other processes."""
        due_at = await self._log.next_due()
        left = IDLE if due_at is None else (due_at - await self._log.now()).total_seconds()
        await asyncio.gather(self._log.appended(min(max(left, GAP), IDLE)), asyncio.sleep(GAP))

    async def _send(self, timer: Timer) -> None:
        async with self._at_once:
            await self._send_now(timer)

    async def _send_now(self, timer: Timer) -> None:
        command_id = uuid5(NAMESPACE, f"{timer.tenant}/{timer.stream}/{timer.version}/{timer.n}")
        request = Request(
            tenant=timer.tenant,
            actor=TIMER,
            command_id=command_id,
            digest=sha256(timer.command.encode()).digest(),
            correlation=command_id,
            expected_version=timer.version,  # a later state may have put it off, or called it off
            occurred_at=timer.due_at,
        )
        try:
            decider = self._deciders[timer.stream.category]
            command = read_timed(decider, timer.command)
            accepted = await self._handler.send(decider, timer.stream.key, command, request)
            if accepted.answer.version == timer.version:
                raise NothingFollowed
        except VersionConflict:
            return  # the stream has moved on, and says anew what is due
        except Unavailable:
            raise
        except Exception as refusal:  # a rule's no or a rule's fault: either way one stream's, not the others'
            await self._put_off(timer, command_id, refusal)

    async def _put_off(self, timer: Timer, command_id: UUID, refusal: Exception) -> None:
        if await self._log.postpone(timer, PUT_OFF):
            name = TimedCommand.model_validate_json(timer.command).name
            self._logger.error(
                "a due command was refused", stream=str(timer.stream), command=name, reason=type(refusal).__name__
            )
            if self._refused is not None:
                await self._refused(timer, command_id, name, refusal)


def read_timed(decider: AnyDecider, text: str) -> Value:
    """Read a due command back. Raises KeyError when the decider does not list its class in ``timed``."""
    stored = TimedCommand.model_validate_json(text)
    kinds: dict[str, type[Value]] = {kind.__name__: kind for kind in decider.timed}
    return kinds[stored.name].model_validate_json(json.dumps(stored.data))
