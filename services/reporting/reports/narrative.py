"""Narrative: a report in words, before it is laid out as plain text or as a page."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    heading: str
    paragraphs: Sequence[str]


@dataclass(frozen=True)
class Narrative:
    """``lead``: the paragraph before the first section. ``note``: as of when, and where each number comes from."""

    title: str
    subtitle: str
    lead: str
    sections: Sequence[Section]
    note: str

    def text(self) -> str:
        """One paragraph a line, a blank line between parts."""
        parts = [f"{self.title}\n{self.subtitle}", self.lead]
        parts += ["\n".join([section.heading, *filter(None, section.paragraphs)]) for section in self.sections]
        return "\n\n".join([*parts, self.note]) + "\n"
