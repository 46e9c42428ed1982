"""A toy service with one aggregate, on a log in memory: what the edge's tests talk to."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, TypeAlias
from uuid import UUID

import httpx2
from fastapi import Query
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet

from eventlog.decider import Context, Decider
from eventlog.errors import Rejected
from eventlog.facts import Fact, Value
from eventlog.handler import Handler
from eventlog.memory_keys import MemoryKeys
from eventlog.memory_log import MemoryLog
from eventlog.progress import Progress
from eventlog.vitals import Behind, Vitals
from vocabulary.organs import OrganId
from vocabulary.roles import Permissions
from vocabulary.words import Count, Instant, Line, Words
from web.actor import Verifier
from web.after import CaughtUp
from web.app import create_app
from web.asking import Asking
from web.commands import MINT, Commands, Created
from web.health import Development, Health
from web.incoming import Incoming
from web.jwks import Keys
from web.lookout import PoolUse, Working
from web.messages import Messages
from web.paging import Page, Paging
from web.parts import Limits
from web.routing import APIRouter

TOWN, ELSEWHERE = "620724100", "620724101"
OFFICE = f"{TOWN}.town-government"
OFFICE_ELSEWHERE = f"{ELSEWHERE}.town-government"
ISSUER, AUDIENCE = "https://id.example", "shangyi"


class NoticePosted(Fact, name="test-web-notice-posted"):
    title: Line


class NoticeTakenDown(Fact, name="test-web-notice-taken-down"):
    reason: Line


class PostNotice(Value):
    title: Line


class TakeDown(Value):
    reason: Line


class Nothing(Value): ...


class Posted(Value):
    title: Line


class Gone(Value): ...


Command: TypeAlias = PostNotice | TakeDown
Happened: TypeAlias = NoticePosted | NoticeTakenDown
State: TypeAlias = Nothing | Posted | Gone


def decide(command: Command, state: State, context: Context) -> Sequence[Happened]:
    del context
    match command, state:
        case PostNotice(title=title), Nothing():
            return [NoticePosted(title=title)]
        case TakeDown(reason=reason), Posted():
            return [NoticeTakenDown(reason=reason)]
        case PostNotice() | TakeDown(), Nothing() | Posted() | Gone():
            raise Rejected("notice-not-so", state=type(state).__name__, secret=object())


def evolve(state: State, fact: Happened) -> State:
    del state
    match fact:
        case NoticePosted(title=title):
            return Posted(title=title)
        case NoticeTakenDown():
            return Gone()


notice: Decider[Command, State, Happened, Context] = Decider("notice", Nothing(), decide, evolve)
diary: Decider[Command, State, Happened, Context] = Decider("diary", Nothing(), decide, evolve, published=False)

router = APIRouter(prefix="/notices", tags=["notice"])


class NoticeBody(Value):
    organ: OrganId
    title: Line
    text: Words | None = None
    copies: Count = 1
    posted_at: Instant | None = None
    tags: Mapping[str, Count] = {}


class NoticeShown(Value):
    title: str


@router.post("", status_code=201, summary="Post a notice")
async def post_notice(body: NoticeBody, commands: Commands) -> Created:
    return await commands.create(
        notice, PostNotice(title=body.title), organ=body.organ, matter=MINT, occurred_at=body.posted_at
    )


@router.post("/diary", status_code=201, summary="Write into the diary")
async def write_diary(body: NoticeBody, commands: Commands) -> Created:
    return await commands.create(diary, PostNotice(title=body.title), organ=body.organ)


@router.post("/named/{name}", status_code=201, summary="Post under a name")
async def post_named(name: Line, body: NoticeBody, commands: Commands) -> Created:
    return await commands.create(notice, PostNotice(title=body.title), organ=body.organ, key=name)


@router.post("/import", status_code=204, summary="Post one notice a line")
async def import_notices(request: Incoming, commands: Commands, organ: Annotated[OrganId, Query()]) -> None:
    for n, line in enumerate((await request.body()).decode().splitlines()):
        key = commands.new_id(str(n))
        await commands.create(notice, PostNotice(title=line), organ=organ, matter=MINT, key=key, part=str(n))


@router.post("/{notice_id}/take-down", status_code=204, summary="Take a notice down")
async def take_down(notice_id: UUID, body: TakeDown, commands: Commands) -> None:
    await commands.send(notice, notice_id, body)


@router.get("/{notice_id}", summary="Show a notice")
async def show_notice(notice_id: UUID, commands: Commands) -> NoticeShown:
    head = await commands.head(notice, notice_id)
    return NoticeShown(title=getattr(head.state, "title", "-"))


@router.get("", summary="List notices")
async def list_notices(asking: Asking, paging: Paging, after: CaughtUp, division: Line = TOWN) -> Page[NoticeShown]:
    del after
    asking.authorize(division)
    place = paging.after(NoticeShown)
    begin = 0 if place is None else int(place.title) + 1
    rows = [NoticeShown(title=str(n)) for n in range(begin, 5)][: paging.fetch]
    return Page[NoticeShown].of(rows, paging, lambda row: row)


@router.post("/break", status_code=204, summary="Fall over")
async def fall_over(body: NoticeBody, commands: Commands) -> None:
    del commands
    if body.title == "gone":
        raise ConnectionRefusedError("the database is gone")
    raise RuntimeError(f"cannot cope with {body.title}")


ROUTES = [
    "post_notice",
    "write_diary",
    "post_named",
    "import_notices",
    "take_down",
    "show_notice",
    "list_notices",
    "fall_over",
]
PERMISSIONS = Permissions.parse(
    "[town]\n" + "\n".join(f'{name} = {{ village-clerk = "division", sys-admin = "county" }}' for name in ROUTES)
)


@cache
def issuers_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "issuer", "use": "sig"})


def write_jwks(path: Path, *keys: Key) -> str:
    path.write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)), "utf-8")
    return str(path)


def claims(now: float, role: str = "village-clerk", at: str = TOWN, **changes: object) -> dict[str, object]:
    plain = {"iss": ISSUER, "aud": AUDIENCE, "sub": "clerk-1", "exp": now + 600, "roles": [{"role": role, "at": at}]}
    return {**plain, **changes}


def token(said: Mapping[str, object], key: Key | None = None, kid: str = "issuer", alg: str = "ES256") -> str:
    return jwt.encode({"alg": alg, "kid": kid}, {**said}, key or issuers_key(), algorithms=[alg])


ALL_IS_WELL = Working(
    working=True,
    stuck=(),
    halted={},
    kafka=True,
    keys_waiting=0,
    pool=PoolUse(limit=8, open=3, idle=2),
    vitals=Vitals(
        drawn=3,
        settled=3,
        fence=None,
        ahead=0,
        timers_due=0,
        timers_late=0,
        first_due=None,
        refusals=0,
        works=(
            Behind(
                name="relay/shangyi.town",
                consumer=None,
                source="shangyi.town",
                position=3,
                token=0,
                led=True,
                facts=0,
                seconds=None,
            ),
        ),
    ),
)


class Town:
    """The app, its log, a client, and somebody to ask as."""

    def __init__(self, folder: Path, clock: float, *, development: bool = False) -> None:
        self.log = MemoryLog()
        self.clock = clock
        self.reasons: list[str] = []
        self.seen = ALL_IS_WELL
        self.health = Health(self.ready, lambda: self.seen.stuck, self.look, self.progress)
        self.reached: set[tuple[str, int]] = set()
        messages = folder / "messages.toml"
        messages.write_text(
            '[notice-not-so]\nzh-CN = "公告状态不符：{state}。"\nen = "The notice is {state}."\n', "utf-8"
        )
        keys = Keys(write_jwks(folder / "jwks.json", issuers_key()), clock=lambda: self.clock)
        self.verifier = Verifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=lambda: self.clock)
        self.app = create_app(
            "town",
            title="Town",
            routers=[router],
            verifier=self.verifier,
            permissions=PERMISSIONS,
            messages=Messages.load(messages),
            health=self.health,
            handler=Handler(self.log),
            now=self.log.now,
            digest=MemoryKeys().digest,
            reached=self.has_reached,
            limits={"import_notices": Limits(body=1 << 22)},
            development=Development(self.log.move_clock, self.nothing, self.nothing) if development else None,
        )

    async def ready(self) -> Sequence[str]:
        return self.reasons

    async def look(self) -> Working:
        return self.seen

    async def progress(self) -> Progress:
        return Progress(end=3, relayed=3, pseq=3, timers_due=0, refusals=0, cursors=())

    async def has_reached(self, service: str, position: int) -> bool:
        return (service, position) in self.reached

    async def nothing(self) -> None:
        return None

    async def facts(self) -> int:
        return len((await self.log.after(0, 10_000))[0])

    def bearer(self, **said: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token(claims(self.clock, **said))}"}

    def client(self, *, accept: str = "en", **said: str) -> httpx2.AsyncClient:
        """Somebody with a valid token, by default the clerk of TOWN."""
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app),
            base_url="http://town",
            headers={**self.bearer(**said), "Accept-Language": accept},
        )


def key(name: str, **more: str) -> dict[str, str]:
    """A command's headers."""
    return {"Idempotency-Key": name, **{header.replace("_", "-"): value for header, value in more.items()}}


def body(**changes: object) -> dict[str, object]:
    return {"organ": OFFICE, "title": "停水通知", **changes}
