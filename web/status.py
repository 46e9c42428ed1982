"""Status: the one word that an answer has for the state an aggregate is in."""

import re

from eventlog.facts import Value

_INNER_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def status_of(state: Value) -> str:
    """Return a state's name as it is spoken of outside: ``QuorumMissed`` is ``quorum-missed``."""
    return _INNER_CAPITAL.sub("-", type(state).__name__).lower()
