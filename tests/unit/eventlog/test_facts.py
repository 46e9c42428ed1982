"""Stored facts are read back for ever: by newer shapes, past unknown fields, and never with their words in an error."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from eventlog.decider import Context, Decider, Send
from eventlog.errors import CorruptHistory, Rejected
from eventlog.facts import LARGEST, Data, Fact, NewFact, Recorded, Stored, StreamId, Value
from eventlog.handler import head_of
from eventlog.reactions import Reactions
from eventlog.read_model import ReadModel

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = UUID(int=1)


class Place(Value):
    village: str


class Moved(Fact, name="test-moved", schema=3):
    """Version 1 had ``to`` as text, version 2 as ``where``."""

    place: Place
    people: int = 1

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        match schema:
            case 1:
                return {"place": {"village": data["to"]}}
            case _:
                return {"place": {"village": data["where"]["village"]}}


class Lives(Value):
    at: Place | None = None


def nothing(command: Place, state: Lives, context: Context) -> Sequence[Moved]:
    del command, state, context
    return ()


def move(_: Lives, fact: Moved) -> Lives:
    return Lives(at=fact.place)


MOVED = Moved(place=Place(village="王家庄"))
OLDER = [(1, '{"to": "王家庄"}'), (2, '{"where": {"village": "王家庄"}}')]

moving: Decider[Place, Lives, Moved, Context] = Decider("test-move", Lives(), nothing, move)
reactions = Reactions()
places = ReadModel(Place, table="places", key="village")


@reactions.to(Moved)
def go_there(fact: Recorded[Moved]) -> Sequence[Send]:
    return [moving.send(fact.data.place.village, fact.data.place)]


@places.on(Moved, key=lambda fact: fact.place.village)
def lived_in(_: Place | None, fact: Recorded[Moved]) -> Place:
    return fact.data.place


def stored(json: str, schema: int = 3, name: str = "test-moved") -> Stored:
    return Stored(
        fact_id=ID,
        tenant="620723",
        stream=StreamId("test-move", "a/b"),
        version=1,
        position=9,
        published=True,
        organ="office",
        matter=None,
        actor="somebody",
        occurred_at=AT,
        recorded_at=AT,
        correlation=ID,
        causation=None,
        name=name,
        schema=schema,
        json=json,
    )


class TestStored:
    def test_reads_back_what_was_written(self) -> None:
        written = NewFact.of(ID, MOVED)
        assert (written.name, written.schema) == ("test-moved", 3)
        read = stored(written.json).read()
        assert read.data == MOVED
        envelope = {k: v for k, v in vars(stored("{}")).items() if k not in ("name", "schema", "json")}
        assert read == Recorded[Fact](**envelope, data=MOVED)

    @pytest.mark.parametrize(("schema", "json"), OLDER)
    def test_upcasts_older_shapes(self, schema: int, json: str) -> None:
        assert stored(json, schema).read().data == MOVED

    def test_ignores_fields_it_does_not_know_at_any_depth(self) -> None:
        assert stored('{"place": {"village": "王家庄", "hamlet": "x"}, "why": {"a": [1]}}').read().data == MOVED

    def test_fills_in_fields_that_older_facts_did_not_have(self) -> None:
        assert stored('{"place": {"village": "王家庄"}}').read().data == MOVED

    @pytest.mark.parametrize(
        ("schema", "json"),
        [
            (3, '{"place": "王小明"}'),
            (3, '{"place": {"village": "李", "people": "王小明"}, "people": "王小明"}'),
            (3, "王小明"),
            (2, '{"where": "王小明"}'),
            (1, '{"王小明": 1}'),
            (1, '"王小明"'),
        ],
    )
    def test_says_where_it_cannot_read_but_not_what(self, schema: int, json: str) -> None:
        with pytest.raises(CorruptHistory, match=f"test-moved v{schema} at position 9 cannot be read") as caught:
            stored(json, schema).read()
        assert "王小明" not in "".join(traceback.format_exception(caught.value))

    def test_refuses_a_shape_newer_than_the_program(self) -> None:
        with pytest.raises(CorruptHistory, match="newer than this program"):
            stored('{"place": {"village": "王家庄"}}', 4).read()

    def test_refuses_a_fact_without_a_class(self) -> None:
        unknown = replace(stored("{}"), name="test-never-heard-of")
        with pytest.raises(CorruptHistory, match="no class reads 'test-never-heard-of'"):
            unknown.read()


class TestWhoeverReads:
    """Rules, reactions and read models, today's facts, a rebuild's and parked ones: all take them from ``Stored``."""

    @pytest.mark.parametrize(("schema", "json"), OLDER)
    def test_a_rule_sees_the_newest_shape(self, schema: int, json: str) -> None:
        assert head_of(moving, [stored(json, schema)]).state == Lives(at=MOVED.place)

    @pytest.mark.parametrize(("schema", "json"), OLDER)
    def test_a_reaction_sees_the_newest_shape(self, schema: int, json: str) -> None:
        [(_, _, send)] = reactions.sends(stored(json, schema))
        assert (send.key, send.command) == ("王家庄", MOVED.place)

    @pytest.mark.parametrize(("schema", "json"), OLDER)
    def test_a_read_model_sees_the_newest_shape(self, schema: int, json: str) -> None:
        assert places.fold({}, places.touched([stored(json, schema)])) == {("620723", "王家庄"): MOVED.place}

    def test_nobody_goes_on_past_what_no_upcast_reads(self) -> None:
        broken = stored('{"where": "here"}', 2)
        for read in (
            lambda: head_of(moving, [broken]),
            lambda: reactions.sends(broken),
            lambda: places.touched([broken]),
        ):
            with pytest.raises(CorruptHistory, match="test-moved v2 at position 9 cannot be read"):
                read()


class TestFact:
    def test_a_name_belongs_to_one_class(self) -> None:
        with pytest.raises(TypeError, match="'test-moved' is taken by"):

            class Departed(Fact, name="test-moved"):  # pyright: ignore[reportUnusedClass]  # defining it is the test
                pass

    def test_writers_forbid_unknown_fields(self) -> None:
        with pytest.raises(ValueError, match="extra_forbidden"):
            Moved.model_validate({"place": {"village": "王家庄"}, "why": 1})


class TestStreamId:
    def test_survives_its_text_whatever_the_key(self) -> None:
        for stream in (StreamId("issue", "1"), StreamId("issue", "a/b"), StreamId("issue", "")):
            assert StreamId.parse(str(stream)) == stream


@pytest.mark.parametrize(
    "text",
    [f'"{"x" * (LARGEST - 1)}"', f'"{"调" * (LARGEST // 3 + 1)}"', f"[{'1,' * (LARGEST // 3)}1]"],
    ids=["letters", "characters", "spaces to come"],
)
def test_a_fact_that_no_topic_takes_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="fact-too-large"):
        NewFact(ID, "test-moved", 3, text)
    NewFact(ID, "test-moved", 3, f"{text[: len(text) // 2]}")
