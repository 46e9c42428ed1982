"""Asking: who asks a route, and whether the table of permissions lets them."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from eventlog.errors import Absent, Forbidden
from vocabulary.roles import Verdict
from web.actor import Caller, caller_of
from web.parts import parts_of


class AskingRequest:
    """A caller at a route. The action is the route's function name."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._parts = parts_of(request)
        self.caller: Caller = caller_of(request)
        self.action: str = request.scope["route"].name

    @property
    def tenant(self) -> str:
        """The caller's county, by the token."""
        return self.caller.tenant

    def authorize(self, place: str, opened_by: str = "") -> None:
        """Let the caller do this at an organ or a division, to what ``opened_by`` opened.

        Raises Forbidden, or Absent where the caller may not even know of it.
        """
        verdict = self._parts.permissions.allows(
            self._parts.service,
            self.action,
            self.caller.grants,
            actor=self.caller.id,
            organ=place,
            opened_by=opened_by,
        )
        match verdict:
            case Verdict.ALLOWED:
                return
            case Verdict.FORBIDDEN:
                raise Forbidden
            case Verdict.ABSENT:
                raise Absent


async def asking(request: Request) -> AskingRequest:
    return AskingRequest(request)


Asking = Annotated[AskingRequest, Depends(asking)]
"""For routes that only ask: ``async def list_issues(asking: Asking)``."""
