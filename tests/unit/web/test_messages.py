"""Messages: every code in both languages, and nothing told but what a sentence names."""

import re
from pathlib import Path
from uuid import UUID

import pytest

import eventlog
import vocabulary
import web
from web.messages import Language, Messages
from web.problems import CODES_BY_STATUS
from web.testing import codes_raised_in


def written(folder: Path, text: str) -> Path:
    path = folder / "messages.toml"
    path.write_text(text, "utf-8")
    return path


class TestLoad:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ('[a]\nzh-CN = "甲"', "en"),
            ('[a]\nen = "a"', "zh-CN"),
            ('[a]\nzh-CN = "甲 {n}"\nen = "a"', "same values|name the same"),
            ('[a]\nzh-CN = "甲"\nen = ""', "at least 1"),
            ('[not-found]\nzh-CN = "甲"\nen = "a"', "a second time"),
        ],
    )
    def test_fails_for_a_code_not_said_in_full(self, tmp_path: Path, text: str, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            Messages.load(written(tmp_path, text))


class TestSentence:
    def test_names_only_short_and_plain_values(self, tmp_path: Path) -> None:
        path = written(tmp_path, '[a]\nzh-CN = "{n}、{who}、{what}。"\nen = "{n}, {who}, {what}."')
        messages = Messages.load(path)
        values = {"n": 3, "who": UUID(int=1), "what": {"name": "张三"}, "more": "x"}
        assert messages.sentence("a", Language.EN, values) == f"3, {UUID(int=1)}, …."
        assert messages.named("a", values) == {"n": 3, "who": str(UUID(int=1))}

    def test_of_an_unknown_code_is_still_a_sentence(self) -> None:
        assert Messages.load().sentence("no-such", Language.ZH, {}) == "按规定不能办理。"


class TestCodes:
    def test_of_the_edge_and_below_have_their_sentences(self) -> None:
        raised = set(CODES_BY_STATUS.values())
        for package in (eventlog, vocabulary, web):
            for file in Path(package.__path__[0]).glob("*.py"):
                if file.name != "problems.py":  # it passes on what others raised
                    raised |= codes_raised_in(file)
        assert raised <= Messages.load().codes()
        assert {"clock-not-forward", "after-invalid", "content-type"} <= raised

    def test_are_never_computed(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text('raise errors.Rejected("fine", n=1)\nraise Rejected(f"bad-{x}")', "utf-8")
        with pytest.raises(ValueError, match=re.escape("a.py:2 computes its code")):
            codes_raised_in(tmp_path)
        (tmp_path / "a.py").write_text('raise errors.Rejected("fine", n=1)', "utf-8")
        assert codes_raised_in(tmp_path) == {"fine"}
