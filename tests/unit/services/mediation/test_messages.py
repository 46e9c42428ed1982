"""Messages: each code a rule of mediation raises is a sentence in Chinese and in English, and there are no others."""

import tomllib
from inspect import getfile
from pathlib import Path

from services.mediation.domain import case
from web.messages import Messages
from web.testing import codes_raised_in

SERVICE = Path(getfile(case)).parents[2]


def test_every_code_is_a_sentence() -> None:
    sentences = tomllib.loads((SERVICE / "messages.toml").read_text(encoding="utf-8"))
    assert set(sentences) == codes_raised_in(SERVICE)


def test_both_languages_say_the_same() -> None:
    """Loading refuses a sentence without both languages, or that names other values in one of them."""
    Messages.load(SERVICE / "messages.toml")
