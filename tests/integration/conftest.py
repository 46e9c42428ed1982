"""What tests on real servers share."""

import sys
from collections.abc import Generator

import pytest
import structlog


@pytest.fixture(scope="session", autouse=True)
def brief_logs() -> Generator[None]:
    """A line each, as in a service: what structlog makes of a traceback by itself takes a second."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.processors.JSONRenderer(default=repr)],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    yield
    structlog.reset_defaults()
