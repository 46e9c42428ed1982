"""The composition root of deliberation: what is its own, put together by hand."""

from pathlib import Path

from fastapi import FastAPI

from services.deliberation import contexts, reactions
from services.deliberation.api import (
    commitments,
    committees,
    deliberations,
    outcomes,
    sessions,
    surveys,
    work_records,
    workstations,
)
from services.deliberation.domain.calendar import calendar
from services.deliberation.domain.commitment import commitment
from services.deliberation.domain.committee import committee
from services.deliberation.domain.deliberation import deliberation
from services.deliberation.domain.outcome import outcome
from services.deliberation.domain.session import session
from services.deliberation.domain.survey import survey
from services.deliberation.domain.work_record import work_record
from services.deliberation.domain.workstation import workstation
from services.deliberation.read_models.open_deadlines import open_deadlines
from services.deliberation.settings import Settings
from web.write_service import OURSELVES, WriteService

DECIDERS = (calendar, committee, workstation, deliberation, session, outcome, commitment, survey, work_record)
ROUTERS = (
    committees.router,
    workstations.router,
    deliberations.router,
    sessions.router,
    outcomes.router,
    commitments.router,
    surveys.router,
    work_records.router,
)


def build(settings: Settings) -> FastAPI:
    """Build deliberation; nothing connects before the app's lifespan begins."""
    service = WriteService("deliberation", settings, DECIDERS)
    contexts.register(service.contexts, service.handler)
    service.react(OURSELVES, reactions.to_ourselves, open_deadlines)
    service.react("intake", reactions.to_intake)
    return service.serve(
        title="商议 · deliberation",
        description="Issues talked over in committees, what came of it, and every promise until it is kept.",
        routers=ROUTERS,
        messages=Path(__file__).with_name("messages.toml"),
    )


def create() -> FastAPI:
    """Build deliberation from the environment, for an ASGI server."""
    return build(Settings())  # pyright: ignore[reportCallIssue]  # the environment fills the fields
