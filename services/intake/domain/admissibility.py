"""AdmissibilityPolicy (议事清单): what is deliberated and what is not, as versioned data."""

import tomllib
from functools import cache
from pathlib import Path

from eventlog.facts import Value
from vocabulary.words import Code, Line


class Clause(Value):
    """One kind of matter, with the code that decisions name."""

    code: Code
    matter: Line


class Policy(Value):
    """The lists in force. A decision keeps ``version``."""

    version: Code
    inclusions: tuple[Clause, ...]
    exclusions: tuple[Clause, ...]

    def includes(self, code: str) -> bool:
        return any(clause.code == code for clause in self.inclusions)

    def excludes(self, code: str) -> bool:
        return any(clause.code == code for clause in self.exclusions)


@cache
def sample_policy() -> Policy:
    """Return the lists shipped as a sample."""
    return Policy.model_validate(tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")))
