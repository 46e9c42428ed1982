"""Messages: each code a rule of mediation raises is a sentence in Chinese and in English, and there are no others."""

import re
import tomllib
from inspect import getfile
from pathlib import Path

from services.mediation.domain import case

SERVICE = Path(getfile(case)).parents[1]


def test_every_code_is_a_sentence_in_both_languages() -> None:
    sources = [file.read_text(encoding="utf-8") for file in SERVICE.rglob("*.py")]
    raised = {code for source in sources for code in re.findall(r'Rejected\(\s*"([a-z-]+)"', source)}
    messages = tomllib.loads((SERVICE / "messages.toml").read_text(encoding="utf-8"))
    assert set(messages) == raised
    assert {frozenset(sentences) for sentences in messages.values()} == {frozenset({"zh-CN", "en"})}
    assert all(sentence.strip() for sentences in messages.values() for sentence in sentences.values())


def test_both_languages_name_the_same_values() -> None:
    messages = tomllib.loads((SERVICE / "messages.toml").read_text(encoding="utf-8"))
    for sentences in messages.values():
        named = {language: set(re.findall(r"{(\w+)}", sentence)) for language, sentence in sentences.items()}
        assert named["zh-CN"] == named["en"]
