"""Timers: what falls due is sent to its stream as a command, once.

A timer's command id is a function of the append that set it, so two runners that pick the same timer act once. No lock
is held while a command runs: the append that follows replaces the stream's timers, and a lock here would be a deadlock
that PostgreSQL cannot see. A command that is refused, fails or changes nothing breaks the aggregate's promise to leave
``due``: it is recorded for the operators and put off, so that it neither blocks the others nor disappears. If the
stream has moved on while it was on its way, nothing was broken.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from pydantic import BaseModel

from eventlog.decider import Actor, AnyDecider
from eventlog.errors import EventLogError, Unavailable, VersionConflict
from eventlog.facts import StreamId, Value
from eventlog.handler import Handler, Request
from eventlog.log import EventLog, Timer

NAMESPACE = uuid5(NAMESPACE_URL, "urn:shangyi:timer")
PUT_OFF = timedelta(minutes=10)
IDLE = 1.0  # seconds until the next look when nothing says that something falls due earlier
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
        self, log: EventLog, handler: Handler, deciders: Sequence[AnyDecider], refused: Refused | None = None
    ) -> None:
        self._log = log
        self._handler = handler
        self._deciders = {decider.category: decider for decider in deciders}
        self._refused = refused
        self._paused = asyncio.Event()
        self._paused.set()
        self._logger = structlog.get_logger("timers")

    def pause(self) -> None:
        """Fire nothing until ``resume``: for the moment in which clocks are moved."""
        self._paused.clear()

    def resume(self) -> None:
        self._paused.set()

    async def run(self) -> None:
        """Fire what falls due, for ever."""
        while True:
            await self._paused.wait()
            try:
                fired = await self.fire(100)
            except Unavailable as error:
                self._logger.warning("timers wait for the log", reason=type(error).__name__)
                fired = 0
            if not fired:
                await self._log.appended(IDLE)

    async def fire(self, limit: int) -> int:
        """Send what is due now, one command a stream; return how many were sent.

        The first command's facts may have called off the stream's others, so those wait for the next look.
        """
        earliest: dict[tuple[str, StreamId], Timer] = {}
        for timer in await self._log.due(limit):
            earliest.setdefault((timer.tenant, timer.stream), timer)
        await asyncio.gather(*(self._send(timer) for timer in earliest.values()))
        return len(earliest)

    async def _send(self, timer: Timer) -> None:
        command_id = uuid5(NAMESPACE, f"{timer.tenant}/{timer.stream}/{timer.version}/{timer.n}")
        request = Request(
            tenant=timer.tenant,
            actor=TIMER,
            command_id=command_id,
            digest=sha256(timer.command.encode()).digest(),
            correlation=command_id,
            occurred_at=timer.due_at,
        )
        try:
            decider = self._deciders[timer.stream.category]
            command = read_timed(decider, timer.command)
            accepted = await self._handler.send(decider, timer.stream.key, command, request)
            if accepted.answer.version == timer.version:
                raise NothingFollowed
        except VersionConflict:
            return  # the stream was too busy to get a word in: it is still due, and comes again
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
