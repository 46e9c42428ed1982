"""Problems: every refusal as RFC 9457 problem+json, with a stable code and a sentence in the caller's language."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from eventlog.connections import LOST
from eventlog.errors import (
    Absent,
    CommandMismatch,
    EventLogError,
    Fenced,
    Forbidden,
    Rejected,
    Unavailable,
    VersionConflict,
)
from web.correlation import correlation_of
from web.inputs import FieldError, Found
from web.logging import described
from web.messages import Language
from web.parts import parts_of
from web.refusal import Refusal

MEDIA_TYPE = "application/problem+json"
RETRY = {"Retry-After": "1"}


class ProblemShown(BaseModel):
    """A refusal. ``code`` is stable; ``title`` is a sentence in the language asked for."""

    type: str = Field(examples=["urn:shangyi:problem:not-found"])
    title: str = Field(examples=["没有找到。"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not-found"])
    correlation: UUID
    values: dict[str, str | int] | None = Field(default=None, description="What the sentence names")
    errors: tuple[FieldError, ...] | None = Field(default=None, description="Where the input is not valid")


def answer(request: Request, refusal: Refusal) -> Response:
    """Write a refusal. It never repeats what the caller sent."""
    messages = parts_of(request).messages
    language = Language.preferred(request.headers.get("accept-language", ""))
    body: dict[str, object] = {
        "type": f"urn:shangyi:problem:{refusal.code}",
        "title": messages.sentence(refusal.code, language, refusal.values),
        "status": refusal.status_code,
        "code": refusal.code,
        "correlation": str(correlation_of(request)),
    }
    if named := messages.named(refusal.code, refusal.values):
        body["values"] = named
    if refusal.errors:
        body["errors"] = [error.model_dump() for error in refusal.errors]
    headers = {"Content-Language": language.value, "Vary": "Accept-Language", **(refusal.headers or {})}
    return JSONResponse(body, refusal.status_code, headers, MEDIA_TYPE)


def refusal_of(error: EventLogError, *, conditional: bool) -> Refusal:
    """What a refusal of the log or of a rule means to a caller; ``conditional``: the caller sent If-Match."""
    match error:
        case Rejected():
            return Refusal(409, error.code, values=error.values)
        case Absent():
            return Refusal(404, "not-found")
        case Forbidden():
            return Refusal(403, "forbidden")
        case VersionConflict() if conditional:
            return Refusal(412, "version-conflict")
        case CommandMismatch():
            return Refusal(422, "idempotency-key-reused")
        case VersionConflict() | Unavailable() | Fenced():  # without If-Match: lost too many races in a row
            return Refusal(503, "unavailable", headers=RETRY)
        case _:
            raise error


async def refuse(request: Request, error: Exception) -> Response:
    match error:
        case Refusal():
            return answer(request, error)
        case EventLogError():
            return answer(request, refusal_of(error, conditional="if-match" in request.headers))
        case RequestValidationError():
            found: Sequence[Found] = error.errors()
            return answer(request, Refusal(422, "invalid-input", errors=parts_of(request).inputs.errors(found)))
        case HTTPException():
            code = CODES_BY_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")
            return answer(request, Refusal(error.status_code, code, headers=error.headers or {}))
        case _ if isinstance(error, LOST):
            # Most likely the database; should it be a mistake of ours after all, the log says where.
            structlog.get_logger("problems").warning("unreachable", **described(error))
            return answer(request, Refusal(503, "unavailable", headers=RETRY))
        case _:
            raise error


CODES_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large", 415: "content-type"}
HANDLED: tuple[type[Exception], ...] = (
    Refusal,
    Rejected,
    Absent,
    Forbidden,
    VersionConflict,
    CommandMismatch,
    Unavailable,
    Fenced,
    RequestValidationError,
    HTTPException,
    *LOST,
)


def install(app: FastAPI) -> None:
    """Answer each of these as a problem; anything else is unexpected and meets the app's edge."""
    for kind in HANDLED:
        app.add_exception_handler(kind, refuse)
