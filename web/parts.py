"""Parts: what a service's app gives to its routes. Built once by ``create_app``, found through the request."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request

from eventlog.facts import Value
from eventlog.handler import Handler
from vocabulary.roles import Permissions
from web.actor import Verifier
from web.inputs import Inputs
from web.messages import Messages

MIB = 1 << 20


class Limits(Value):
    """How much a route takes in: bytes of body, items of any one list, levels of nesting."""

    body: int = MIB
    items: int = 1_000
    depth: int = 32


Now = Callable[[], Awaitable[datetime]]
Reached = Callable[[str, int], Awaitable[bool]]
Digest = Callable[[str, bytes], Awaitable[bytes]]


@dataclass(frozen=True)
class Parts:
    """``limits`` by action, for routes that take in more than usual. ``now`` is the log's clock, ``digest``
    the keyed digest by which a tenant's requests are told apart.

    A service without a log of its own has neither of these nor ``handler``; only reporting has ``reached``.
    """

    service: str
    verifier: Verifier
    permissions: Permissions
    messages: Messages
    inputs: Inputs
    handler: Handler | None = None
    now: Now | None = None
    digest: Digest | None = None
    reached: Reached | None = None
    limits: Mapping[str, Limits] = field(default_factory=dict[str, Limits])

    def limits_of(self, action: str) -> Limits:
        return self.limits.get(action, Limits())


def parts_of(request: Request) -> Parts:
    """The parts of the app that answers ``request``."""
    parts = request.app.state.parts
    if not isinstance(parts, Parts):
        raise TypeError("build the app with create_app")
    return parts
