"""The composition root of mediation: what is its own, put together by hand."""

from pathlib import Path

from fastapi import FastAPI

from services.mediation import contexts, reactions
from services.mediation.api import cases, committees
from services.mediation.domain.access import access
from services.mediation.domain.case import case
from services.mediation.domain.committee import committee
from services.mediation.settings import Settings
from web.write_service import WriteService


def build(settings: Settings) -> FastAPI:
    """Build mediation; nothing connects before the app's lifespan begins."""
    mediation = WriteService("mediation", settings, [committee, case, access])
    contexts.register(mediation.contexts)
    mediation.react("intake", reactions.to_intake)
    return mediation.serve(
        title="商议 · mediation",
        description="Disputes between people, from their consent to the performance of what they agreed.",
        routers=[committees.router, cases.router],
        messages=Path(__file__).with_name("messages.toml"),
    )


def create() -> FastAPI:
    """Build mediation from the environment, for an ASGI server."""
    return build(Settings())  # pyright: ignore[reportCallIssue]  # the environment fills the fields
