"""Which read models are folded from which topic."""

from collections.abc import Mapping
from typing import Any

from eventlog.read_model import ReadModel
from services.reporting.read_models.cases import cases
from services.reporting.read_models.divisions import divisions
from services.reporting.read_models.issues import issues
from services.reporting.read_models.sessions import sessions
from services.reporting.read_models.submissions import submissions

CONSUMER = "reporting"
"""Under which name each topic is taken in."""

READ_MODELS: Mapping[str, tuple[ReadModel[Any], ...]] = {
    "intake": (divisions, submissions, issues),
    "deliberation": (sessions,),
    "mediation": (cases,),
}
"""A row is owned by one topic: what joins topics joins when it is read."""
