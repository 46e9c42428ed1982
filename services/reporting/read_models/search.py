"""Search: published texts by the words in them. An index of clear text, made of facts and keys, emptied with the key.

Facts and keys lie in two databases and come in any order. Each side is acted on when it comes: a new text asks for its
key, a key that came or went looks for its text. What was acted on is noted afterwards, so that a crash in between acts
again; and since a text that is erased stays so, acting again, late or twice, brings nothing back.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby

import asyncpg

from eventlog.connections import Connection, Pool
from eventlog.election import Worker
from eventlog.errors import CorruptHistory
from eventlog.facts import Stored
from eventlog.sealed import Clear, Erased, Opened, Pending, PublicText, Unreadable
from eventlog.shared_keys import SharedKeys
from facts.intake.issue import IssueRegistered
from services.reporting.read_models.listing import Condition

PIECE = 200
POLL = 0.2  # seconds between looks: how long a text may still be found after its tombstone came


class TextState(StrEnum):
    """What the index has of a text: not looked at yet, waiting for its key, its words, or nothing any more."""

    NEW = "new"
    WAITING = "waiting"
    CLEAR = "clear"
    ERASED = "erased"
    UNREADABLE = "unreadable"  # its key does not open it: an error of ours, told in the log; until the key comes anew


def folded(text: str) -> str:
    """Bring text to the form it is found by: full width or half, capital or not."""
    return unicodedata.normalize("NFKC", text).casefold()


def saying(words: str) -> Condition:
    """What is true of a row whose headline holds each of the ``words``, as they are written and not apart."""
    return Condition(
        """(t.headline ->> 'key_id')::uuid in (
               select s.text_id from texts s
               where s.tenant = $1 and s.bigrams @> array(select unnest(bigrams(w)) from unnest({0}::text[]) w)
                 and not exists (select from unnest({0}::text[]) w where position(w in s.words) = 0))""",
        (folded(words).split(),),
    )


class KeepTexts:
    """An Effect: every headline that comes, still sealed, for FollowKeys to open."""

    name = "texts"
    essential = False

    async def act(self, facts: Sequence[Stored]) -> None:
        del facts

    async def write(self, facts: Sequence[Stored], connection: "Connection[asyncpg.Record]") -> None:
        came = [
            (fact.tenant, data.details.headline)
            for fact in facts
            if fact.name == IssueRegistered.fact_name and isinstance(data := fact.read().data, IssueRegistered)
        ]
        await connection.execute(
            """insert into texts (tenant, text_id, sealed) select * from unnest($1::text[], $2::uuid[], $3::jsonb[])
               on conflict do nothing""",
            [tenant for tenant, _ in came],
            [text.key_id for _, text in came],
            [text.model_dump_json() for _, text in came],
        )


class FollowKeys(Worker):
    """Opens texts when both they and their keys are here, and empties them when the key goes."""

    def __init__(self, pool: Pool, keys: SharedKeys) -> None:
        self._keys = keys
        super().__init__(pool, "search")

    async def lead(self, connection: "Connection[asyncpg.Record]") -> None:
        while True:
            if not await self.step(connection):
                await asyncio.sleep(POLL)
            self.halted = None

    async def step(self, connection: "Connection[asyncpg.Record]") -> bool:
        """Act on the next few keys and texts; False when there was nothing to act on."""
        keys = await self._keys_that_moved(connection)
        return await self._new_texts(connection) or keys

    async def waiting(self) -> int:
        """Return how many texts and keys are yet to be acted on."""
        texts: int = await self._pool.fetchval("select count(*) from texts where state in ('new', 'waiting')")
        return texts + await self._keys.waiting()

    async def _keys_that_moved(self, connection: "Connection[asyncpg.Record]") -> bool:
        moved = await self._keys.untold(PIECE)
        gone = [key for key in moved if key.destroyed]
        await connection.execute(
            """update texts t set state = 'erased', words = null
               from unnest($1::text[], $2::uuid[]) as gone (tenant, text_id)
               where t.tenant = gone.tenant and t.text_id = gone.text_id and t.state <> 'erased'""",
            [key.tenant for key in gone],
            [key.key_id for key in gone],
        )
        await self._open(
            connection,
            await connection.fetch(
                """select t.tenant, t.text_id, t.sealed::text from texts t
                   join unnest($1::text[], $2::uuid[]) as came (tenant, text_id)
                     on t.tenant = came.tenant and t.text_id = came.text_id
                   where t.state in ('new', 'waiting', 'unreadable') order by t.tenant""",
                [key.tenant for key in moved if not key.destroyed],
                [key.key_id for key in moved if not key.destroyed],
            ),
        )
        await self._keys.told(moved)
        return bool(moved)

    async def _new_texts(self, connection: "Connection[asyncpg.Record]") -> bool:
        rows = await connection.fetch(
            "select tenant, text_id, sealed::text from texts where state = 'new' order by tenant, text_id limit $1",
            PIECE,
        )
        await self._open(connection, rows)
        return bool(rows)

    async def _open(self, connection: "Connection[asyncpg.Record]", rows: Sequence[asyncpg.Record]) -> None:
        for tenant, texts in groupby(rows, key=lambda row: str(row["tenant"])):
            sealed = [PublicText.model_validate_json(row["sealed"]) for row in texts]
            opened = await self._opened(tenant, sealed)
            await connection.executemany(
                """update texts set state = $3, words = $4
                   where tenant = $1 and text_id = $2 and state in ('new', 'waiting', 'unreadable')""",
                [(tenant, one.key_id, *_kept(text)) for one, text in zip(sealed, opened, strict=True)],
            )

    async def _opened(self, tenant: str, sealed: Sequence[PublicText]) -> Sequence[Opened]:
        """Open what can be opened: one text that its key does not open must not keep the others from being found."""
        try:
            return await self._keys.open_as_of_now(tenant, sealed)
        except CorruptHistory as error:
            if len(sealed) > 1:
                return [(await self._opened(tenant, [one]))[0] for one in sealed]
            self._logger.error("a text cannot be read", text=str(sealed[0].key_id), reason=str(error))  # noqa: TRY400
            return [Unreadable()]


def _kept(opened: Opened) -> tuple[TextState, str | None]:
    match opened:
        case Clear(text=text):
            return TextState.CLEAR, folded(text)
        case Pending():
            return TextState.WAITING, None
        case Erased():
            return TextState.ERASED, None
        case Unreadable():
            return TextState.UNREADABLE, None
