"""The composition root of intake: what is its own, put together by hand."""

from pathlib import Path

from fastapi import FastAPI

from services.intake import contexts, reactions
from services.intake.api import calendars, divisions, issues, submissions
from services.intake.domain.calendar import calendar
from services.intake.domain.division import division, organ
from services.intake.domain.issue import issue
from services.intake.domain.submission import submission
from services.intake.settings import Settings
from web.parts import MIB, Limits
from web.write_service import OURSELVES, WriteService


def build(settings: Settings) -> FastAPI:
    """Build intake; nothing connects before the app's lifespan begins."""
    intake = WriteService("intake", settings, [division, organ, calendar, submission, issue])
    contexts.register(intake.contexts, intake.handler)
    intake.react(OURSELVES, reactions.to_ourselves)
    intake.react("deliberation", reactions.to_deliberation)
    intake.react("mediation", reactions.to_mediation)
    return intake.serve(
        title="商议 · intake",
        description="What people say, turned into well-formed, fairly screened, correctly routed issues.",
        routers=[divisions.router, calendars.router, submissions.router, issues.router],
        messages=Path(__file__).with_name("messages.toml"),
        limits={"import_submissions": Limits(body=16 * MIB)},
    )


def create() -> FastAPI:
    """Build intake from the environment, for an ASGI server."""
    return build(Settings())  # pyright: ignore[reportCallIssue]  # the environment fills the fields
