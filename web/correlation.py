"""Correlation: one id for all that follows from a request, in its answer, its log lines and its facts."""

from uuid import UUID

from starlette.requests import Request
from uuid_utils.compat import uuid7

HEADER = "X-Correlation-Id"


def given_or_new(text: str | None) -> UUID:
    """Take a caller's id if it is a UUID; anything else could carry words into our logs."""
    if text is not None and len(text) == 36:
        try:
            return UUID(text)
        except ValueError:
            return uuid7()
    return uuid7()


def correlation_of(request: Request) -> UUID:
    """The id that the app's edge gave to ``request``."""
    correlation = request.state.correlation
    if not isinstance(correlation, UUID):
        raise TypeError("build the app with create_app")
    return correlation
