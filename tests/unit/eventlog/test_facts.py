"""Stored facts are read back for ever: by newer shapes, past unknown fields, and never with their words in an error."""

import traceback
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from eventlog.errors import CorruptHistory
from eventlog.facts import Fact, NewFact, Recorded, Stored, StreamId, Value

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = UUID(int=1)


class Place(Value):
    village: str


class Moved(Fact, name="test-moved", schema=3):
    """Version 1 had ``to`` as text, version 2 as ``where``."""

    place: Place
    people: int = 1

    @classmethod
    def upcast(cls, schema: int, data: dict[str, Any]) -> dict[str, Any]:
        match schema:
            case 1:
                return {"place": {"village": data["to"]}}
            case _:
                return {"place": {"village": data["where"]["village"]}}


MOVED = Moved(place=Place(village="王家庄"))


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

    @pytest.mark.parametrize(("schema", "json"), [(1, '{"to": "王家庄"}'), (2, '{"where": {"village": "王家庄"}}')])
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
