"""Messages: every code that may be answered, as a sentence in Chinese and in English."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from string import Formatter
from uuid import UUID

from pydantic import Field, TypeAdapter, model_validator

from eventlog.facts import Value

GENERIC = Path(__file__).with_name("messages.toml")
_TAG = re.compile(r"(?P<tag>[A-Za-z]{1,8})(?:-[A-Za-z0-9-]{1,20})?\s*(?:;\s*q=(?P<q>[01](?:\.[0-9]{0,3})?))?")
_LONGEST = 200


class Language(StrEnum):
    ZH = "zh-CN"
    EN = "en"

    @classmethod
    def preferred(cls, accept: str) -> "Language":
        """Choose by an Accept-Language header; Chinese where it names neither."""
        best, most = cls.ZH, 0.0
        for part in accept[:_LONGEST].split(","):
            match = _TAG.fullmatch(part.strip())
            language = None if match is None else _SPOKEN.get(match["tag"].lower())
            if match is None or language is None:
                continue
            weight = 1.0 if match["q"] is None else float(match["q"])
            if weight > most:
                best, most = language, weight
        return best


_SPOKEN = {"zh": Language.ZH, "en": Language.EN}


class Sentence(Value):
    """One code in both languages, with the same placeholders in each."""

    zh: str = Field(alias="zh-CN", min_length=1)
    en: str = Field(min_length=1)

    @model_validator(mode="after")
    def _agree(self) -> "Sentence":
        if _placeholders(self.zh) != _placeholders(self.en):
            raise ValueError("both languages name the same values")
        return self

    def placeholders(self) -> frozenset[str]:
        return _placeholders(self.zh)


_FILE = TypeAdapter(dict[str, Sentence])


class Messages:
    """The sentences of a service and the generic ones."""

    def __init__(self, sentences: Mapping[str, Sentence]) -> None:
        self._sentences = sentences

    @classmethod
    def load(cls, *paths: Path) -> "Messages":
        """Read files of ``[code] zh-CN = "…" en = "…"`` besides the generic one.

        Raises ValueError: a code without both languages, with other placeholders in one, or given twice.
        """
        sentences: dict[str, Sentence] = {}
        for path in (GENERIC, *paths):
            for code, sentence in _FILE.validate_python(tomllib.loads(path.read_text("utf-8"))).items():
                if code in sentences:
                    raise ValueError(f"{path.name} gives {code!r} a second time")
                sentences[code] = sentence
        return cls(sentences)

    def codes(self) -> frozenset[str]:
        return frozenset(self._sentences)

    def named(self, code: str, values: Mapping[str, object]) -> dict[str, str | int]:
        """Return those values that the code's sentence names, as plain text or numbers: nothing else is ever told."""
        sentence = self._sentences.get(code)
        wanted = frozenset[str]() if sentence is None else sentence.placeholders()
        return {name: plain for name in sorted(wanted) if (plain := _plain(values.get(name))) is not None}

    def sentence(self, code: str, language: Language, values: Mapping[str, object]) -> str:
        """Say it. A code that is not known says only that the rules do not allow it."""
        sentence = self._sentences.get(code, self._sentences["rejected"])
        text = sentence.zh if language is Language.ZH else sentence.en
        named = self.named(code, values)
        return text.format_map({name: named.get(name, "…") for name in sentence.placeholders()})


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _plain(value: object) -> str | int | None:
    """Only what is short and plain is told: never an object, which might hold more than its author thought of."""
    match value:
        case int():
            return value
        case str():
            return value[:_LONGEST]
        case date() | UUID():
            return str(value)
        case _:
            return None
