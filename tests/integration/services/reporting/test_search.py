"""Published texts are found by their words once text and key are here, in whatever order, and never after the end."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations
from uuid import UUID

import pytest

from eventlog.connections import Pool
from eventlog.facts import Stored
from eventlog.kafka import Received
from eventlog.keys import SCHEMA as KEYS_SCHEMA
from eventlog.migrations import KEY_GRANTS, LOG_GRANTS, migrate
from eventlog.postgres_log import SCHEMA as LOG_SCHEMA
from eventlog.sealed import Opened, PublicText, Sealed, seal
from eventlog.shared_keys import Arrival, SharedKeys
from eventlog.wrapping import Wrapping
from facts.intake.issue import IssueDetails, IssueRegistered
from services.reporting.admin import MIGRATIONS
from services.reporting.api.headlines import HeadlineState, state_of
from services.reporting.fact_store.store import StoreFacts
from services.reporting.read_models.issues import issues, listing
from services.reporting.read_models.search import FollowKeys, KeepTexts, saying
from tests.conftest import APPLICATION, as_application
from tests.integration.services.reporting.conftest import connected, prepared
from tests.integration.services.reporting.sample import BEGINS, COUNTY, KEY, OTHER_COUNTY, Sample
from vocabulary.kinds import Category

SHARING = Wrapping(bytes([1]) * 32)
TOPIC = "test.intake.keys"
WORDS = "村口路灯坏了"


@dataclass
class Index:
    """The index, what comes to it, and what is found in it."""

    pool: Pool
    made: Sample = field(default_factory=Sample)
    sent: int = 0

    @property
    def keys(self) -> SharedKeys:
        return SharedKeys(self.pool, SHARING)

    def text(self, words: str = WORDS, county: str = COUNTY) -> PublicText:
        return seal(KEY, county, self.made.id(), "public-text", words)

    def fact(self, text: PublicText, county: str = COUNTY) -> Stored:
        issue = self.made.id()
        registered = IssueRegistered(
            issue_id=issue, details=IssueDetails(category=Category.LIVELIHOOD, headline=text), submissions=()
        )
        self.made.county = county
        return self.made.record("intake", f"issue/{issue}", registered, BEGINS, organ=f"{county}103.town-government")

    async def text_comes(self, text: PublicText, county: str = COUNTY) -> None:
        fact = self.fact(text, county)
        async with self.pool.acquire() as connection, connection.transaction():
            for effect in (issues, KeepTexts()):
                await effect.write([fact], connection)

    async def key_comes(self, text: PublicText, county: str = COUNTY, key: bytes = KEY) -> None:
        await self._take_in(text, county, SHARING.wrap(county, text.key_id, key))

    async def tombstone_comes(self, text: PublicText, county: str = COUNTY) -> None:
        await self._take_in(text, county, None)

    async def _take_in(self, text: PublicText, county: str, value: bytes | None) -> None:
        self.sent += 1
        record = Received(f"{county}/{text.key_id}".encode(), value, (("sent", str(self.sent).encode()),), self.sent)
        async with self.pool.acquire() as connection:
            await self.keys.take_in(TOPIC, [record], connection)

    async def follow(self, keys: SharedKeys | None = None) -> None:
        """Act on everything there is to act on."""
        worker = FollowKeys(self.pool, keys or self.keys)
        async with self.pool.acquire() as connection:
            while await worker.step(connection):
                pass

    async def found(self, words: str, county: str = COUNTY) -> set[UUID]:
        """The texts of the rows that a search gives."""
        rows = await listing.page(self.pool, county, county, {}, after=None, limit=500, also=saying(words))
        return {row.headline.key_id for row in rows}

    async def in_clear(self) -> int:
        count: int = await self.pool.fetchval("select count(*) from texts where num_nonnulls(words, bigrams) > 0")
        return count


@pytest.fixture
async def index(database: str) -> AsyncGenerator[Index]:
    async with prepared(database) as pool:
        yield Index(pool)


class TestOrder:
    @pytest.mark.parametrize("order", [("text_comes", "key_comes"), ("key_comes", "text_comes")])
    async def test_text_and_key_come_in_either(self, index: Index, order: Sequence[str]) -> None:
        text = index.text()
        for step in order:
            assert await index.found("路灯") == set()
            await getattr(index, step)(text)
            await index.follow()
        assert await index.found("路灯") == {text.key_id}

    async def test_nothing_is_found_after_the_tombstone_whenever_it_comes(self, index: Index) -> None:
        """All orders of text, key and tombstone, with and without a look at what there is between any two."""
        for order in permutations(["text_comes", "key_comes", "tombstone_comes"]):
            for looks in (set[int](looks) for n in range(3) for looks in combinations(range(2), n)):
                text = index.text()
                for n, step in enumerate(order):
                    await getattr(index, step)(text)
                    if n in looks:
                        await index.follow()
                await index.follow()
                assert await index.found(WORDS) == set(), (order, looks)
        assert await index.in_clear() == 0
        assert await index.pool.fetchval("select count(*) from texts where state <> 'erased'") == 0

    async def test_a_key_said_again_changes_nothing(self, index: Index) -> None:
        gone, stays = index.text(), index.text()
        for text in (gone, stays):
            await index.text_comes(text)
            await index.key_comes(text)
        await index.follow()
        await index.tombstone_comes(gone)
        await index.follow()
        for text in (gone, stays):
            await index.key_comes(text)
            await index.text_comes(text)
        await index.follow()
        assert await index.found("路灯") == {stays.key_id}
        assert await FollowKeys(index.pool, index.keys).waiting() == 0

    async def test_an_index_that_was_lost_is_made_anew(self, index: Index) -> None:
        """Out of facts and keys, which were acted on long ago."""
        gone, stays = index.text(), index.text()
        for text in (gone, stays):
            await index.text_comes(text)
            await index.key_comes(text)
        await index.tombstone_comes(gone)
        await index.follow()
        await index.pool.execute("delete from texts")
        for text in (gone, stays):
            await index.text_comes(text)
        await index.follow()
        assert await index.found("路灯") == {stays.key_id}

    async def test_what_waits_for_its_key_is_told(self, index: Index) -> None:
        text, worker = index.text(), FollowKeys(index.pool, index.keys)
        await index.text_comes(text)
        await index.follow()
        assert await worker.waiting() == 1
        await index.key_comes(text)
        assert await worker.waiting() == 2
        await index.follow()
        assert await worker.waiting() == 0


class Forgetful(SharedKeys):
    """Dies before it notes what was acted on."""

    async def told(self, arrivals: Sequence[Arrival]) -> None:
        if arrivals:
            raise ConnectionResetError


class Sleeper(SharedKeys):
    """Opens texts, and sleeps before it says so until it is woken."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, SHARING)
        self.asleep, self.wake = asyncio.Event(), asyncio.Event()

    async def open_as_of_now(self, tenant: str, sealed: Sequence[Sealed[str]]) -> Sequence[Opened]:
        opened = await super().open_as_of_now(tenant, sealed)
        if sealed:
            self.asleep.set()
            await self.wake.wait()
        return opened


class TestCrashes:
    @pytest.mark.parametrize("last", ["key_comes", "tombstone_comes"])
    async def test_between_acting_and_noting_are_made_good(self, index: Index, last: str) -> None:
        text = index.text()
        await index.text_comes(text)
        if last == "tombstone_comes":
            await index.key_comes(text)
            await index.follow()
        await getattr(index, last)(text)
        with pytest.raises(ConnectionResetError):
            await index.follow(Forgetful(index.pool, SHARING))
        await index.follow()
        assert await index.found("路灯") == ({text.key_id} if last == "key_comes" else set())
        assert await FollowKeys(index.pool, index.keys).waiting() == 0

    @pytest.mark.parametrize("first", ["text_comes", "key_comes"])
    async def test_a_straggler_does_not_bring_a_text_back(self, index: Index, first: str) -> None:
        """It opened the text while the key was there, and says so after another has emptied it."""
        text, keys = index.text(), Sleeper(index.pool)
        await getattr(index, first)(text)
        await index.follow()
        await getattr(index, "key_comes" if first == "text_comes" else "text_comes")(text)
        straggler = asyncio.create_task(index.follow(keys))
        await asyncio.wait_for(keys.asleep.wait(), 10)
        await index.tombstone_comes(text)
        await index.follow()
        keys.wake.set()
        await asyncio.wait_for(straggler, 10)
        assert await index.found("路灯") == set()
        assert await index.in_clear() == 0

    async def test_a_text_is_found_once_a_key_comes_that_opens_it(self, index: Index) -> None:
        text = index.text()
        await index.text_comes(text)
        await index.key_comes(text, key=bytes(32))
        await index.follow()
        assert await index.found("路灯") == set()
        await index.key_comes(text)
        await index.follow()
        assert await index.found("路灯") == {text.key_id}

    async def test_a_text_that_its_key_does_not_open_keeps_no_other_back(self, index: Index) -> None:
        good = index.text()
        bad = index.text().model_copy(update={"ciphertext": good.ciphertext})
        for text in (bad, good):
            await index.text_comes(text)
            await index.key_comes(text)
        await index.follow()
        assert await index.found("路灯") == {good.key_id}
        assert await index.pool.fetchval("select count(*) from texts where state = 'unreadable'") == 1
        [shown, other] = await index.keys.open_many(COUNTY, [bad, good])
        assert (state_of(shown), state_of(other)) == (HeadlineState.UNREADABLE, HeadlineState.CLEAR)
        await index.tombstone_comes(bad)
        await index.follow()
        assert await index.pool.fetchval("select count(*) from texts where state = 'erased'") == 1


class TestSearch:
    @pytest.fixture
    async def full(self, index: Index) -> Index:
        for words in ("村口路灯坏了", "口路的灯", "Water 100% ＡＢＣ_d", "路", "路灯 东街"):
            text = index.text(words)
            await index.text_comes(text)
            await index.key_comes(text)
        other = index.text("村口路灯坏了", OTHER_COUNTY)
        await index.text_comes(other, OTHER_COUNTY)
        await index.key_comes(other, OTHER_COUNTY)
        await index.follow()
        return index

    @pytest.mark.parametrize(
        ("words", "count"),
        [
            ("路灯", 2),
            ("口路灯", 1),
            ("路", 4),
            ("东街 路灯", 1),
            ("路灯 东 街", 1),
            ("WATER", 1),
            ("ｗａｔｅｒ", 1),
            ("abc", 1),
            ("100%", 1),
            ("%", 1),
            ("10%", 0),
            ("c_d", 1),
            ("b_d", 0),
            ("灯路", 0),
            ("{0}", 0),
            ("'; select", 0),
        ],
    )
    async def test_finds_each_word_as_it_is_written(self, full: Index, words: str, count: int) -> None:
        assert len(await full.found(words)) == count

    async def test_stays_in_its_county(self, full: Index) -> None:
        here, there = await full.found("村口路灯坏了"), await full.found("村口路灯坏了", OTHER_COUNTY)
        assert (len(here), len(there), here & there) == (1, 1, set())

    async def test_keeps_texts_of_one_id_in_two_counties_apart(self, index: Index) -> None:
        here = index.text("村口路灯")
        there = seal(KEY, OTHER_COUNTY, here.key_id, "public-text", "渠道漫水")
        for text, county in ((here, COUNTY), (there, OTHER_COUNTY)):
            await index.text_comes(text, county)
            await index.key_comes(text, county)
        await index.follow()
        assert (await index.found("漫水"), await index.found("漫水", OTHER_COUNTY)) == (set(), {there.key_id})
        await index.tombstone_comes(here)
        await index.follow()
        assert (await index.found("路灯"), await index.found("漫水", OTHER_COUNTY)) == (set(), {there.key_id})


async def test_takes_in_the_texts_that_came_before_there_was_an_index(empty_database: str) -> None:
    application, before = APPLICATION, [file for file in MIGRATIONS if file.name < "003"]
    await migrate(empty_database, application, LOG_GRANTS, LOG_SCHEMA, *before)
    await migrate(empty_database, application, KEY_GRANTS, KEYS_SCHEMA)
    async with connected(as_application(empty_database)) as pool:
        index = Index(pool)
        text = index.text()
        fact = index.fact(text)
        async with pool.acquire() as connection, connection.transaction():
            for effect in (StoreFacts("intake"), issues):
                await effect.write([fact], connection)
        await index.key_comes(text)
        await migrate(empty_database, application, LOG_GRANTS, LOG_SCHEMA, *MIGRATIONS)
        await index.follow()
        assert await index.found("路灯") == {text.key_id}
