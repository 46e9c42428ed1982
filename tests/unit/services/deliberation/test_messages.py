"""Messages: each code a rule of deliberation raises is a sentence in Chinese and in English, and has a test."""

import tomllib
from inspect import getfile
from pathlib import Path

from services.deliberation import reactions
from web.messages import Messages
from web.testing import codes_raised_in

SERVICE = Path(getfile(reactions)).parent


def test_every_code_is_a_sentence() -> None:
    sentences = tomllib.loads((SERVICE / "messages.toml").read_text(encoding="utf-8"))
    assert set(sentences) == codes_raised_in(SERVICE)


def test_both_languages_say_the_same() -> None:
    """Loading refuses a sentence without both languages, or that names other values in one of them."""
    Messages.load(SERVICE / "messages.toml")


def test_every_code_is_expected_by_some_case() -> None:
    cases = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in sorted(codes_raised_in(SERVICE)) if f'"{code}"' not in cases] == []
