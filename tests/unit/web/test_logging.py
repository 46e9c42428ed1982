"""Logs: JSON lines on stderr, without the words of errors, ours and the libraries' alike."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from web.logging import configure


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.getLogger("uvicorn.access").disabled = False
    structlog.reset_defaults()


class TestConfigure:
    @pytest.mark.usefixtures("restored")
    def test_writes_lines_without_the_words_of_errors(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure("town")
        try:
            raise ValueError("canary-5")
        except ValueError:
            structlog.get_logger("x").exception("fell over", n=1)
            logging.getLogger("library").exception("fell over too")
        with structlog.contextvars.bound_contextvars(correlation="c"):
            structlog.get_logger("x").info("说", odd="\ud800", thing=b"\xff")
        logging.getLogger("uvicorn.access").warning("GET /secret")
        out, err = capsys.readouterr()
        lines = [json.loads(line) for line in err.splitlines()]
        assert out == ""
        assert "canary-5" not in err
        assert "说" in err
        assert [line["event"] for line in lines] == ["fell over", "fell over too", "说"]
        assert {line["service"] for line in lines} == {"town"}
        assert [line.get("error") for line in lines] == [["ValueError"], ["ValueError"], None]
        assert (lines[2]["correlation"], lines[2]["odd"], lines[2]["thing"]) == ("c", "\ud800", "b'\\xff'")

    @pytest.mark.usefixtures("restored")
    def test_a_failed_startup_is_told_without_its_words(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure("town")
        logging.getLogger("uvicorn.error").error("Traceback (most recent call last):\n  …\nValueError: canary-6")
        logging.getLogger("uvicorn.error").error("Application startup failed. Exiting.")
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        assert [line["event"] for line in lines] == ["startup failed", "Application startup failed. Exiting."]
        assert "canary-6" not in json.dumps(lines)
