"""Every code that reporting may answer has its sentence, and every route its right."""

from pathlib import Path

from services import reporting
from services.reporting.api import lists, reports
from vocabulary.roles import Permissions
from web.app import actions
from web.messages import Messages
from web.testing import codes_raised_in

SERVICE = Path(reporting.__file__).parent


def test_every_code_has_a_sentence() -> None:
    assert codes_raised_in(SERVICE) <= Messages.load(SERVICE / "messages.toml").codes()


def test_every_route_is_an_action_that_somebody_may_do() -> None:
    assert set(actions([reports.router, lists.router])) == Permissions.load().actions("reporting")
