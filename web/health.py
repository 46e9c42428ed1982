"""Health: whether a service lives, is ready, how far it has come; and, in development only, its clock."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import JSONResponse

from eventlog.facts import Value
from eventlog.progress import Progress
from vocabulary.words import Instant

PREFIXES = ("/health/", "/development/")


@dataclass(frozen=True)
class Health:
    """``ready`` gives the reasons why not, none when all is well."""

    ready: Callable[[], Awaitable[Sequence[str]]]
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
        """200, or 503 with the reasons."""
        reasons = list(await health.ready())
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    @router.get("/progress", summary="How far has it come?")
    async def progress() -> Progress:
        """How far the log, its relay, consumers and timers are: at rest when all are even."""
        return await health.progress()

    # A decorator registers each; naming them here tells the type checkers that they are used.
    del live, ready, progress
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
