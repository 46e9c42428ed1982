"""Health: whether a service lives, is ready, works, how far it has come; and, in development only, its clock.

What each of the questions means, and why they are kept apart, stands in ``web.lookout``.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import JSONResponse

from eventlog.facts import Value
from eventlog.progress import Progress
from vocabulary.words import Instant
from web.lookout import Working

PREFIXES = ("/health/", "/development/", "/metrics")
"""Routes that are asked every few seconds: a success is worth no line in the log."""


@dataclass(frozen=True)
class Health:
    """``ready`` gives the reasons why not, none when all is well; ``degraded`` what is stuck behind, as last seen;
    ``look`` looks anew.
    """

    ready: Callable[[], Awaitable[Sequence[str]]]
    degraded: Callable[[], Sequence[str]]
    look: Callable[[], Awaitable[Working]]
    progress: Callable[[], Awaitable[Progress]]


@dataclass(frozen=True)
class Development:
    """What may be done to time; never given to a service in earnest."""

    move_clock: Callable[[datetime], Awaitable[None]]
    pause_timers: Callable[[], Awaitable[None]]
    resume_timers: Callable[[], Awaitable[None]]


class MoveClock(Value):
    to: Instant


def health_router(health: Health) -> APIRouter:
    """Open to anybody: nothing here is about a person."""
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Is the process alive?", status_code=204)
    async def live() -> None:
        """Answers while the process does. Asks neither the database nor Kafka: restarting would not help those."""

    @router.get("/ready", summary="Can it take requests?")
    async def ready() -> JSONResponse:
        """200, or 503 with the reasons. Work that stands still behind the API is named, and no reason: commands are
        kept all the same.
        """
        reasons, degraded = list(await health.ready()), list(health.degraded())
        body = {"ready": not reasons, "reasons": reasons, "degraded": degraded}
        return JSONResponse(body, 503 if reasons else 200)

    @router.get("/working", summary="Does the work behind it go on?", response_model=Working)
    async def working() -> JSONResponse:
        """200, or 503 with what is stuck. Ask every few seconds: a standstill is counted from when it was first seen.

        Any replica may be asked: it looks at the service's work, whoever does it.
        """
        seen = await health.look()
        return JSONResponse(seen.model_dump(mode="json"), 200 if seen.working else 503)

    @router.get("/progress", summary="How far has it come?")
    async def progress() -> Progress:
        """How far the log, its relay, consumers and timers are: at rest when all are even."""
        return await health.progress()

    # A decorator registers each; naming them here tells the type checkers that they are used.
    del live, ready, working, progress
    return router


def development_router(development: Development) -> APIRouter:
    """Living through a year in minutes. Not part of any app that is not in development."""
    router = APIRouter(prefix="/development", tags=["development"])

    @router.post("/clock", summary="Move the clock forward", status_code=204)
    async def move_clock(body: MoveClock) -> None:
        """Set the log's clock to a later instant. Pause the timers first, wait for rest, and resume afterwards."""
        await development.move_clock(body.to)

    @router.post("/timers/pause", summary="Pause the timers", status_code=204)
    async def pause_timers() -> None:
        await development.pause_timers()

    @router.post("/timers/resume", summary="Resume the timers", status_code=204)
    async def resume_timers() -> None:
        await development.resume_timers()

    del move_clock, pause_timers, resume_timers
    return router
