"""Logging: one JSON object a line on stderr. Of an error only its type and where it happened, never what it says."""

import json
import logging
import sys
import traceback
from collections.abc import Sequence

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_ENCODER = json.JSONEncoder(ensure_ascii=False, default=repr)
_DEEP = 12  # frames: the innermost ones tell


def described(error: BaseException) -> dict[str, list[str]]:
    """Tell of which types an error and its causes are, and where it arose; never its message, which repeats values."""
    frames = traceback.extract_tb(error.__traceback__)[-_DEEP:]
    return {
        "error": [type(cause).__qualname__ for cause in _causes(error)],
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def without_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type, its causes' types, and its frames."""
    given = event.pop("exc_info", None)
    match given:
        case True:
            error = sys.exc_info()[1]
        case BaseException():
            error = given
        case (_, BaseException() as raised, _):
            error = raised
        case _:
            error = None
    if error is not None:
        event.update(described(error))
    return event


def without_tracebacks(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace what uvicorn says of a failed startup: a traceback made ready as text, with the error's own words."""
    said = event.get("event")
    if event.get("logger") == "uvicorn.error" and isinstance(said, str) and said.startswith("Traceback"):
        event["event"] = "startup failed"
    return event


def configure(service: str, level: int = logging.INFO) -> None:
    """Set up this process's logs.

    Start uvicorn with ``log_config=None, access_log=False``: the app writes its own line for each request.
    """

    def named(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    shared: Sequence[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
        without_values,
    ]
    structlog.configure(
        processors=[*shared, _line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, without_tracebacks, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _text],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True


def _text(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _ENCODER.encode(event)


def _line(logger: WrappedLogger, name: str, event: EventDict) -> bytes:
    """As ``stderr`` itself would write it: what is no text is spelled out, and fails nobody who only wanted to log."""
    return _text(logger, name, event).encode("utf-8", "backslashreplace")


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and len(found) < 5:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found
