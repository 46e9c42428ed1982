"""The lock itself: it is what the classes say, and what it says was stored is what they wrote and will read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsoncompat
import pytest
from pydantic import ValidationError

from eventlog.facts import Data, Stored
from eventlog.sealed import Sealed, unseal
from tests.contract.facts.freeze import frozen
from tests.contract.facts.gate import findings
from tests.contract.facts.kinds import kinds
from tests.contract.facts.lock import FOLDER, Version, read, write
from tests.contract.facts.samples import COUNTY, KEY, all_of, made_up, say_all, stored, written

LOCK = read()
KINDS = kinds()
VERSIONS = [(name, n, version) for name, fact in LOCK.facts.items() for n, version in fact.versions.items()]
NEWEST = [(name, version) for name, n, version in VERSIONS if n == max(LOCK.facts[name].versions)]
named = pytest.mark.parametrize(("name", "n", "version"), VERSIONS, ids=[f"{name}-v{n}" for name, n, _ in VERSIONS])
newest = pytest.mark.parametrize(("name", "version"), NEWEST, ids=[name for name, _ in NEWEST])


class TestTheLock:
    def test_is_what_the_classes_say(self) -> None:
        assert [str(finding) for finding in findings(LOCK, KINDS)] == []

    def test_is_as_make_facts_freeze_writes_it(self, tmp_path: Path) -> None:
        write(frozen(LOCK, KINDS), tmp_path)
        there = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.json") if file.name != "release.json"}
        assert {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()} == there

    def test_holds_sealed_words_that_still_open(self) -> None:
        """How something is sealed is stored for ever too."""
        sealed = [each for _, _, version in VERSIONS for each in sealed_in(version.samples)]
        assert len({unseal(KEY, COUNTY, each).text for each in sealed}) > 1

    def test_has_one_file_a_service(self) -> None:
        assert {fact.service for fact in LOCK.facts.values()} == {"deliberation", "eventlog", "intake", "mediation"}


@named
class TestEveryVersion:
    def test_has_samples_that_its_schema_allows(self, name: str, n: int, version: Version) -> None:
        assert version.samples
        for sample in version.samples:
            assert allows(version, sample), f"{name} v{n}"
            assert not allows(version, {**sample, "unheard_of": 1})

    def test_reads_with_all_that_may_be_stored_beside_its_samples(self, name: str, n: int, version: Version) -> None:
        told = [said for sample in version.samples for said in all_of(version.schema, sample)]
        assert all(allows(version, said) for said in told)
        assert [of(name, n, said).read().data.fact_name for said in told] == [name] * len(told)

    def test_reads_past_fields_that_nobody_knows_yet(self, name: str, n: int, version: Version) -> None:
        for sample in version.samples:
            assert of(name, n, beyond(sample)).read() == of(name, n, sample).read()


@newest
class TestTheNewestVersion:
    def test_says_something_in_every_field(self, name: str, version: Version) -> None:
        assert say_all(version.samples, made_up(KINDS[name]))

    def test_has_a_sample_as_the_class_writes_it(self, name: str, version: Version) -> None:
        latest = version.samples[-1]
        assert json.dumps(written(KINDS[name], latest)) == json.dumps(latest)

    def test_is_written_without_any_other_field(self, name: str, version: Version) -> None:
        latest = version.samples[-1]
        for place in places(latest):
            with pytest.raises(ValidationError, match="extra_forbidden"):
                written(KINDS[name], beyond(latest, only=place))


def of(name: str, n: int, data: Data) -> Stored:
    return stored(name, n, json.dumps(data))


def allows(version: Version, data: Data) -> bool:
    """Whether the schema that stands in the lock takes this; formats aside."""
    return jsoncompat.check_compat(json.dumps({"const": data}), json.dumps(version.schema), "deserializer")


def places(value: Any, at: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Every object inside, by its path."""
    match value:
        case {**fields}:
            yield at
            for name, inner in fields.items():
                yield from places(inner, (*at, name))
        case [*items]:
            for n, inner in enumerate(items):
                yield from places(inner, (*at, n))
        case _:
            pass


def beyond(value: Any, at: tuple[object, ...] = (), only: tuple[object, ...] | None = None) -> Any:
    """The value with a field of the future in every object, or in one."""
    match value:
        case {**fields}:
            more = {"unheard_of": {"of": [1]}} if only in (None, at) else {}
            return {**{name: beyond(inner, (*at, name), only) for name, inner in fields.items()}, **more}
        case [*items]:
            return [beyond(inner, (*at, n), only) for n, inner in enumerate(items)]
        case _:
            return value


def sealed_in(value: Any) -> Iterator[Sealed[str]]:
    match value:
        case {"ciphertext": _}:
            yield Sealed[str].model_validate_json(json.dumps(value))
        case {**fields}:
            for inner in fields.values():
                yield from sealed_in(inner)
        case [*items]:
            for inner in items:
                yield from sealed_in(inner)
        case _:
            pass
