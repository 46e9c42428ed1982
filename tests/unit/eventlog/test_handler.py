"""One handler for routes, reactions and timers: what it checks, in which order, and what it answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from eventlog.decider import Context
from eventlog.errors import Absent, CommandMismatch, Forbidden, Rejected, VersionConflict
from eventlog.facts import Stored, StreamId
from eventlog.handler import TRIES, Accepted, Contexts, Handler, Opening
from eventlog.log import Append, Outcome
from eventlog.memory_log import MemoryLog
from tests.fakes.counting import (
    CloseCounter,
    Closed,
    Command,
    Counting,
    OpenCounter,
    RaiseCounter,
    State,
    an_append,
    asking,
    counter,
)

TENANT = "620723"


class Steps(MemoryLog):
    """A log that writes down what is asked of it, and may let another writer in first."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str] = []
        self.overtaken = 0
        self.loaded: list[int] = []  # how many facts each load returned

    async def stream(
        self, tenant: str, stream: StreamId, after_version: int = 0, limit: int | None = None
    ) -> Sequence[Stored]:
        self.steps.append("load")
        facts = await super().stream(tenant, stream, after_version, limit)
        self.loaded.append(len(facts))
        return facts

    async def append(self, item: Append) -> Outcome:
        self.steps.append("append")
        if self.overtaken:
            self.overtaken -= 1
            await super().append(an_append(item.stream.key))
        return await super().append(item)


@pytest.fixture
def log() -> Steps:
    return Steps()


@pytest.fixture
def handler(log: Steps) -> Handler:
    return Handler(log)


@pytest.fixture
async def opened(handler: Handler, log: Steps) -> Accepted:
    accepted = await handler.send(counter, "1", OpenCounter(), asking(opens=True))
    log.steps.clear()
    return accepted


class TestOrder:
    async def test_load_permission_version_context_decide_append(self, log: Steps) -> None:
        contexts = Contexts()
        await Handler(log, contexts).send(counter, "1", OpenCounter(), asking(opens=True))
        log.steps.clear()
        handler = Handler(log, contexts)  # which has not seen the stream

        @contexts.of(counter)
        async def look_up(command: Command, state: State, context: Context, tenant: str) -> Context:
            assert (command, tenant, context.organ) == (RaiseCounter(), TENANT, "office")
            assert isinstance(state, Counting)
            log.steps.append("context")
            return context

        def permit(organ: str, opened_by: str) -> None:
            assert (organ, opened_by) == ("office", "somebody")
            log.steps.append("permission")

        accepted = await handler.send(counter, "1", RaiseCounter(), replace(asking(expected_version=1), permit=permit))
        assert accepted.answer.version == 2
        assert log.steps == ["load", "permission", "context", "append"]
        log.steps.clear()
        with pytest.raises(VersionConflict):
            await handler.send(counter, "1", RaiseCounter(), replace(asking(expected_version=1), permit=permit))
        assert log.steps == ["permission", "load", "permission"]
        assert look_up is not None

    @pytest.mark.usefixtures("opened")
    async def test_who_may_not_learns_nothing_of_the_version(self, handler: Handler, log: Steps) -> None:
        def permit(_organ: str, _opened_by: str) -> None:
            raise Forbidden

        with pytest.raises(Forbidden):
            await handler.send(counter, "1", RaiseCounter(), replace(asking(expected_version=9), permit=permit))
        assert log.steps == ["load"]


class TestGuess:
    """What this process saw last is decided upon first, and never told when it is stale."""

    @pytest.mark.usefixtures("opened")
    async def test_a_stream_seen_before_is_not_loaded(self, handler: Handler, log: Steps) -> None:
        for version in (2, 3, 4):
            accepted = await handler.send(counter, "1", RaiseCounter(), asking())
            assert accepted.answer.version == version
        assert log.steps == ["append"] * 3
        assert await Handler(log).state(counter, TENANT, "1") == await handler.state(counter, TENANT, "1")

    @pytest.mark.usefixtures("opened")
    async def test_a_stale_one_loses_and_the_truth_is_decided_upon(self, handler: Handler, log: Steps) -> None:
        await Handler(log).send(counter, "1", RaiseCounter(by=5), asking())
        await handler.send(counter, "1", RaiseCounter(by=2), asking())
        await handler.send(counter, "1", CloseCounter(), asking())
        assert await handler.state(counter, TENANT, "1") == Closed(total=7)

    async def test_a_refusal_on_a_stale_one_is_not_told(self, log: Steps) -> None:
        """Here it stands for any rule that the other writer's fact has made come true."""
        behind, ahead = Handler(log), Handler(log)
        await behind.send(counter, "1", OpenCounter(), asking(opens=True))
        await ahead.send(counter, "1", RaiseCounter(), asking())
        accepted = await behind.send(counter, "1", RaiseCounter(), asking(expected_version=2))
        assert accepted.answer.version == 3

    @pytest.mark.usefixtures("opened")
    async def test_is_forgotten_when_it_was_wrong(self, handler: Handler, log: Steps) -> None:
        await Handler(log).send(counter, "1", CloseCounter(), asking())
        log.steps.clear()
        for _ in range(2):
            with pytest.raises(Rejected, match="counter-not-counting"):
                await handler.send(counter, "1", RaiseCounter(), asking())
        assert log.steps == ["append", "load", "load"]

    async def test_only_so_many_are_remembered(self, log: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("eventlog.handler.REMEMBERED", 2)
        handler = Handler(log)
        for key in ("1", "2", "3"):
            await handler.send(counter, key, OpenCounter(), asking(opens=True))
        log.steps.clear()
        for key in ("3", "2", "1"):
            await handler.send(counter, key, RaiseCounter(), asking())
        assert log.steps == ["append", "append", "load", "append"]


class TestOpening:
    async def test_an_unopened_stream_is_absent(self, handler: Handler) -> None:
        with pytest.raises(Absent):
            await handler.send(counter, "1", RaiseCounter(), asking())

    async def test_so_it_is_before_its_version_is_wrong(self, handler: Handler) -> None:
        with pytest.raises(Absent):
            await handler.send(counter, "1", RaiseCounter(), asking(expected_version=3))

    async def test_a_new_stream_is_opened_without_looking(self, handler: Handler, log: Steps) -> None:
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        assert log.steps == ["append"]

    @pytest.mark.usefixtures("opened")
    async def test_opening_twice_is_the_rules_to_refuse(self, handler: Handler) -> None:
        with pytest.raises(Rejected, match="counter-open"):
            await handler.send(counter, "1", OpenCounter(), asking(opens=True))

    @pytest.mark.usefixtures("opened")
    async def test_who_would_open_may_find_it_open(self, handler: Handler) -> None:
        """A reaction opens where nothing is; what the rules refuse there is no answer for a stream that is there."""
        accepted = await handler.send(counter, "1", RaiseCounter(by=3), asking(opens=True))
        assert accepted.answer.version == 2
        assert await handler.state(counter, TENANT, "1") == replace_total(await handler.state(counter, TENANT, "1"), 3)

    @pytest.mark.usefixtures("opened")
    async def test_the_stream_keeps_its_organ_and_matter(self, handler: Handler, log: Steps) -> None:
        elsewhere = replace(asking(), opens=Opening("elsewhere", "matter-2"))
        await handler.send(counter, "1", RaiseCounter(), elsewhere)
        facts = await log.stream(TENANT, counter.stream("1"))
        assert [(fact.organ, fact.matter) for fact in facts] == [("office", "matter-1")] * 2

    async def test_what_the_rules_refuse_opens_nothing(self, handler: Handler) -> None:
        with pytest.raises(Rejected, match="counter-not-counting"):
            await handler.send(counter, "1", RaiseCounter(), asking(opens=True))
        assert (await handler.head(counter, TENANT, "1")).version == 0


def replace_total(state: State, total: int) -> State:
    assert isinstance(state, Counting)
    return Counting(total=total, until=state.until)


class TestIfMatch:
    @pytest.mark.usefixtures("opened")
    async def test_the_version_named_must_be_the_one_that_stands(self, handler: Handler) -> None:
        await handler.send(counter, "1", RaiseCounter(), asking(expected_version=1))
        with pytest.raises(VersionConflict) as caught:
            await handler.send(counter, "1", RaiseCounter(), asking(expected_version=1))
        assert caught.value.actual == 2

    @pytest.mark.usefixtures("opened")
    async def test_a_race_lost_after_the_check_is_a_conflict_too(self, handler: Handler, log: Steps) -> None:
        log.overtaken = 1
        with pytest.raises(VersionConflict) as caught:
            await handler.send(counter, "1", RaiseCounter(), asking(expected_version=1))
        assert caught.value.actual == 2


class TestOnce:
    @pytest.mark.usefixtures("opened")
    async def test_the_same_command_again_gets_the_same_answer(self, handler: Handler) -> None:
        request = replace(asking(), answer={"told": "so"})
        first = await handler.send(counter, "1", RaiseCounter(), request)
        assert await handler.send(counter, "1", RaiseCounter(), request) == first
        assert first.answer.body == {"told": "so"}
        assert (await handler.head(counter, TENANT, "1")).version == 2

    @pytest.mark.usefixtures("opened")
    async def test_also_when_the_state_now_refuses_it(self, handler: Handler) -> None:
        request = asking()
        first = await handler.send(counter, "1", RaiseCounter(), request)
        await handler.send(counter, "1", CloseCounter(), asking())
        with pytest.raises(Rejected):
            await handler.send(counter, "1", RaiseCounter(), asking())
        assert await handler.send(counter, "1", RaiseCounter(), request) == first

    @pytest.mark.usefixtures("opened")
    async def test_also_when_the_version_named_has_gone_by(self, handler: Handler) -> None:
        request = asking(expected_version=1)
        first = await handler.send(counter, "1", RaiseCounter(), request)
        assert await handler.send(counter, "1", RaiseCounter(), request) == first

    async def test_also_for_what_opened_the_stream(self, handler: Handler) -> None:
        request = asking(opens=True)
        first = await handler.send(counter, "1", OpenCounter(), request)
        await handler.send(counter, "1", RaiseCounter(), asking())
        assert await handler.send(counter, "1", OpenCounter(), request) == first

    @pytest.mark.usefixtures("opened")
    async def test_other_words_under_the_same_id_are_a_mismatch(self, handler: Handler) -> None:
        command_id = uuid4()
        await handler.send(counter, "1", RaiseCounter(by=1), asking(command_id=command_id, body="1"))
        with pytest.raises(CommandMismatch):
            await handler.send(counter, "1", RaiseCounter(by=2), asking(command_id=command_id, body="2"))
        await handler.send(counter, "1", CloseCounter(), asking())
        with pytest.raises(CommandMismatch):
            await handler.send(counter, "1", RaiseCounter(by=2), asking(command_id=command_id, body="2"))

    @pytest.mark.usefixtures("opened")
    async def test_a_refused_command_may_be_sent_again(self, handler: Handler) -> None:
        request = asking(opens=True)
        with pytest.raises(Rejected):
            await handler.send(counter, "2", RaiseCounter(), request)
        await handler.send(counter, "2", OpenCounter(), asking(opens=True))
        assert (await handler.send(counter, "2", RaiseCounter(), request)).answer.version == 2


class TestRaces:
    @pytest.mark.usefixtures("opened")
    async def test_a_lost_race_starts_again_at_load(self, handler: Handler, log: Steps) -> None:
        log.overtaken = 3
        accepted = await handler.send(counter, "1", RaiseCounter(), asking())
        assert accepted.answer.version == 5
        assert log.steps == ["append", *["load", "append"] * 3]

    @pytest.mark.usefixtures("opened")
    async def test_only_what_is_new_is_loaded_again(self, log: Steps) -> None:
        """Or nobody could win a race for a long stream."""
        await log.append(an_append("1", facts=50))
        log.overtaken = 3
        accepted = await Handler(log).send(counter, "1", RaiseCounter(), asking())
        assert accepted.answer.version == 55
        assert log.loaded == [51, 1, 1, 1]

    async def test_opening_what_another_opened_first(self, handler: Handler, log: Steps) -> None:
        opener = Handler(log)
        both = [h.send(counter, "1", OpenCounter(), asking(opens=True)) for h in (handler, opener)]
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted", "Rejected"]

    @pytest.mark.usefixtures("opened")
    async def test_a_race_that_never_ends_is_given_up_with_the_version_seen(self, handler: Handler, log: Steps) -> None:
        log.overtaken = 1_000
        with pytest.raises(VersionConflict) as caught:
            await handler.send(counter, "1", RaiseCounter(), asking())
        assert caught.value.actual == TRIES + 1

    @pytest.mark.usefixtures("opened")
    async def test_the_context_is_looked_up_on_every_attempt(self, log: Steps) -> None:
        contexts, looked = Contexts(), list[Any]()

        @contexts.of(counter)
        async def look_up(_c: Command, _s: State, context: Context, _t: str) -> Context:
            looked.append(context)
            return context

        log.overtaken = 2
        await Handler(log, contexts).send(counter, "1", RaiseCounter(), asking())
        assert len(looked) == 3
        assert look_up is not None


class TestTime:
    @pytest.mark.usefixtures("opened")
    async def test_it_happened_when_the_request_says_or_now(self, handler: Handler, log: Steps) -> None:
        then = datetime(2026, 1, 5, 9, tzinfo=UTC)
        before = await log.now()
        await handler.send(counter, "1", RaiseCounter(), asking(occurred_at=then))
        await handler.send(counter, "1", RaiseCounter(), asking())
        _, past, present = await log.stream(TENANT, counter.stream("1"))
        assert past.occurred_at == then < past.recorded_at
        assert before <= present.occurred_at <= await log.now()


class TestState:
    async def test_is_folded_page_by_page(self, handler: Handler, log: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
        await handler.send(counter, "1", OpenCounter(), asking(opens=True))
        for by in range(1, 6):
            await handler.send(counter, "1", RaiseCounter(by=by), asking())
        whole = await handler.head(counter, TENANT, "1")
        for page in (1, 2, 3, 6, 7):
            monkeypatch.setattr("eventlog.handler.PAGE", page)
            assert await handler.head(counter, TENANT, "1") == whole
        assert (whole.version, whole.organ, whole.opened_by, whole.state.total) == (6, "office", "somebody", 15)

    async def test_an_unopened_stream_is_in_the_initial_state(self, handler: Handler) -> None:
        assert await handler.state(counter, TENANT, "1") == counter.initial

    @pytest.mark.usefixtures("opened")
    async def test_it_is_the_fold_of_all_facts(self, handler: Handler) -> None:
        await handler.send(counter, "1", RaiseCounter(by=2), asking())
        await handler.send(counter, "1", RaiseCounter(by=3), asking())
        await handler.send(counter, "1", CloseCounter(), asking())
        assert await handler.state(counter, TENANT, "1") == Closed(total=5)
