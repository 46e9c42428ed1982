"""AgreementForm: when an agreement may stay oral, as versioned data."""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path

from eventlog.facts import Value
from vocabulary.words import Code, Count


class AgreementForm(Value):
    """The rule in force."""

    version: Code
    oral_within_days: Count

    def allows_oral(self, reached: date, perform_by: date) -> bool:
        """Whether an agreement to be performed by that day may stay oral."""
        return (perform_by - reached).days <= self.oral_within_days


@cache
def default_form() -> AgreementForm:
    """Return the rule shipped as default."""
    return AgreementForm.model_validate(tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")))
