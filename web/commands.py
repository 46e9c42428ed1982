"""Commands: what a route sends to the handler on a caller's behalf, and how the answer's headers come about."""

from datetime import datetime
from enum import Enum
from functools import cached_property
from types import TracebackType
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils.compat import uuid5

from eventlog.decider import AnyDecider
from eventlog.errors import Absent, Forbidden, Rejected
from eventlog.facts import Value
from eventlog.handler import Handler, Head, Opening
from eventlog.handler import Request as Order
from eventlog.log import Answer
from vocabulary.calendar import SHANGHAI
from vocabulary.matter import MatterCode, mint
from web import idempotency
from web.asking import AskingRequest
from web.correlation import correlation_of
from web.incoming import Incoming
from web.parts import Digest, Now, parts_of

POSITION = "Shangyi-Position"


class _Mint(Enum):
    MINT = "mint"


MINT: Final = _Mint.MINT
"""For ``create``: the stream begins a new matter."""


class Created(Value):
    """What was opened: its key, and the code of its matter."""

    id: str = Field(examples=["01931c5e-7a52-7c3a-9f0d-6f2f1b6f0a11"])
    matter: MatterCode | None = None


class CommandsRequest(AskingRequest):
    """One request's way to the log. Every call sets ETag and Shangyi-Position on the answer."""

    def __init__(self, request: Incoming, response: Response, handler: Handler, now: Now, digest: Digest) -> None:
        super().__init__(request)
        self._incoming = request
        self._headers = response.headers
        self._handler = handler
        self._now = now
        self._digest = digest
        self._reached = 0  # the last position of what was sent so far
        self._before: Answer | None = None

    @cached_property
    def command_id(self) -> UUID:
        """The same for every repetition of this request, and for no other."""
        route: str = self._request.scope["route"].path
        key = idempotency.key_of(self._request)
        return idempotency.command_id(self.tenant, self.caller.id, f"{self._request.method} {route}", key)

    def new_id(self, name: str = "key") -> UUID:
        """Make an id that a repetition of this request makes again."""
        return uuid5(self.command_id, name)

    async def send(
        self, decider: AnyDecider, key: object, command: Value, *, occurred_at: datetime | None = None
    ) -> None:
        """Send a command to a stream that is there.

        Raises Rejected, Absent, Forbidden, VersionConflict, CommandMismatch, Unavailable.
        """
        self._tell(await self._carry_out(decider, key, command, None, {}, occurred_at, ""))

    async def create(
        self,
        decider: AnyDecider,
        command: Value,
        *,
        organ: str,
        matter: MatterCode | Literal[_Mint.MINT] | None = None,
        key: object | None = None,
        occurred_at: datetime | None = None,
        part: str = "",
        said: Value | None = None,
    ) -> Created:
        """Open a stream for an organ, and return what a repetition will return as well.

        ``key``: ``new_id()`` unless the stream has a natural one. ``matter``: a code, or MINT for a new one.
        ``part`` tells apart the commands of a route that sends several; then no ETag is set. ``said``: what the part
        says by itself; a repetition is then held to that, and not to the request's whole body. Raises as ``send``.
        """
        key = self.new_id() if key is None else key
        if matter is MINT:
            today = (await self._now()).astimezone(SHANGHAI).date()
            matter = mint(self.tenant, today, self._id_of(part))
        created = Created(id=str(key), matter=matter)
        opening, body = Opening(organ, matter), created.model_dump()
        answer = await self._carry_out(decider, key, command, opening, body, occurred_at, part, said)
        self._tell(answer, etag=not part)
        return created if answer.body is body else Created.model_validate(dict(answer.body))

    def unless_answered(self, part: str = "", said: Value | None = None) -> "UnlessAnswered":
        """Around what a route checks and seals before it sends: a refusal there gives way, as one of the rules does,
        to the answer that this very command was given before. After the block, that answer is ``created_before``.

        ``part`` and ``said``: as for ``create``. The answer is looked up after a refusal only.
        """
        return UnlessAnswered(self, part, said)

    async def answered(self, part: str, said: Value | None) -> bool:
        """Whether this command was carried out before; then the headers say what it was told.

        Raises CommandMismatch.
        """
        digest = await self._said(part, said)
        self._before = await self._handler.answered(self.tenant, self._id_of(part), digest)
        if self._before is not None:
            self._tell(self._before, etag=not part)
        return self._before is not None

    def created_before(self) -> Created:
        """What was returned when this command was carried out before."""
        if self._before is None:
            raise TypeError("nothing was")
        return Created.model_validate(dict(self._before.body))

    async def head(self, decider: AnyDecider, key: object) -> Head:
        """Return where a stream stands, and set its ETag. Raises Absent, Forbidden."""
        head = await self._handler.head(decider, self.tenant, key)
        if head.version == 0:
            raise Absent
        self.authorize(head.organ, head.opened_by)
        self._headers["ETag"] = f'"{head.version}"'
        return head

    async def _carry_out(
        self,
        decider: AnyDecider,
        key: object,
        command: Value,
        opens: Opening | None,
        answer: dict[str, object],
        occurred_at: datetime | None,
        part: str,
        said: Value | None = None,
    ) -> Answer:
        if occurred_at is not None and occurred_at > await self._now():
            raise Rejected("occurred-in-future")
        order = Order(
            tenant=self.tenant,
            actor=self.caller.actor,
            command_id=self._id_of(part),
            digest=await self._said(part, said),
            correlation=correlation_of(self._request),
            permit=self.authorize,
            opens=opens,
            expected_version=idempotency.version_of(self._request),
            occurred_at=occurred_at,
            answer=answer,
        )
        return (await self._handler.send(decider, key, command, order)).answer

    def _id_of(self, part: str) -> UUID:
        return uuid5(self.command_id, part) if part else self.command_id

    async def _said(self, part: str, said: Value | None) -> bytes:
        content = await self._incoming.digest(part, None if said is None else said.model_dump_json().encode())
        return await self._digest(self.tenant, content)

    def _tell(self, answer: Answer, *, etag: bool = True) -> None:
        if etag:
            self._headers["ETag"] = f'"{answer.version}"'
        if answer.position is not None:
            self._reached = max(self._reached, answer.position)
            self._headers[POSITION] = f"{self._parts.service}-{self._reached}"


class UnlessAnswered:
    """See ``CommandsRequest.unless_answered``."""

    def __init__(self, commands: CommandsRequest, part: str, said: Value | None) -> None:
        self._commands = commands
        self._part = part
        self._said = said

    async def __aenter__(self) -> None:
        return

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, Rejected | Absent | Forbidden) and await self._commands.answered(
            self._part, self._said
        )


async def commands(request: Request, response: Response) -> CommandsRequest:
    parts = parts_of(request)
    if parts.handler is None or parts.now is None or parts.digest is None or not isinstance(request, Incoming):
        raise TypeError("commands need web.routing and an app with a handler")
    return CommandsRequest(request, response, parts.handler, parts.now, parts.digest)


Commands = Annotated[CommandsRequest, Depends(commands)]
"""For routes of a service with a log: ``async def route_issue(issue_id: UUID, body: …, commands: Commands)``."""
