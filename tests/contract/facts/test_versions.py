"""A fact of three versions: what the first two stored reads for ever, as what it said."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from eventlog.decider import Context, Decider
from eventlog.facts import Data, Fact, Recorded, Value
from tests.contract.facts.freeze import Refused, frozen
from tests.contract.facts.gate import findings
from tests.contract.facts.histories import in_words_of
from tests.contract.facts.lock import Lock
from tests.contract.facts.parcels import FIRST, NAME, SECOND, Size, Sizes, Third, grown, parcel, third
from tests.contract.facts.samples import stored


class Kept(Value):
    """Every parcel there was."""

    parcels: tuple[Fact, ...] = ()


def keep(before: Kept, fact: Fact) -> Kept:
    return Kept(parcels=(*before.parcels, fact))


def nothing(command: Value, before: Kept, context: Context) -> Sequence[Fact]:
    del command, before, context
    return ()


def reads(lock: Lock, version: int) -> Sequence[Recorded[Fact]]:
    """The one parcel, as a program of that version stored it."""
    return [fact.read() for fact in in_words_of(lock, "parcel", [NAME], version)]


class MixingUp(Third):
    """Somebody touched a step."""

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        return {**super().upcast(schema, data), "size": "small"}


class ForgettingAWord(Third):
    """The first sample says small; that there were huge ones, nobody thought of."""

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        newest = super().upcast(schema, data)
        return {**newest, "size": data["size"]}


class CountingOnAField(Third):
    """Facts older than ``heavy`` do not have it."""

    @classmethod
    def upcast(cls, schema: int, data: Data) -> Data:
        return super().upcast(schema, {**data, "heavy": data["heavy"]})


class TestAFactOfThreeVersions:
    def test_passes_and_keeps_the_older_ones_in_the_lock(self) -> None:
        first = frozen(Lock(), parcel(FIRST, 1)).facts[NAME].versions[1]
        lock, kinds = grown(), third()
        assert findings(lock, kinds) == []
        assert frozen(lock, kinds) == lock
        assert lock.facts[NAME].versions.keys() == {1, 2, 3}
        assert lock.facts[NAME].versions[1] == first

    @pytest.mark.parametrize(
        ("schema", "said"),
        [
            (1, {"to": "王家庄", "size": "small", "heavy": True}),
            (1, {"to": "王家庄", "size": "huge"}),
            (2, {"to": {"village": "王家庄"}, "size": "small", "heavy": True}),
            (2, {"to": {"village": "王家庄"}, "size": "large", "heavy": None}),
            (3, {"to": {"village": "王家庄"}, "size": "large"}),
        ],
    )
    def test_reads_what_every_version_stored(self, schema: int, said: dict[str, Any]) -> None:
        kind = third()[NAME]
        expected = kind.model_validate({"parcel_id": UUID(int=1), "to": {"village": "王家庄"}, "size": "large"})
        assert stored(NAME, schema, json.dumps({"parcel_id": str(UUID(int=1)), **said})).read().data == expected

    def test_says_in_each_first_sample_the_same(self) -> None:
        firsts = {n: version.samples[0] for n, version in grown().facts[NAME].versions.items()}
        assert firsts[1]["to"] == firsts[2]["to"]["village"] == firsts[3]["to"]["village"]
        assert (firsts[1]["heavy"], firsts[2]["heavy"], firsts[3]["size"]) == (True, True, "large")

    def test_folds_to_one_state_whichever_version_stored_it(self) -> None:
        lock, [kind] = grown(), third().values()
        kept: Decider[Value, Kept, Fact, Context] = Decider("parcel", Kept(), nothing, keep)
        states = [kept.fold([read.data for read in reads(lock, n)]) for n in (1, 2, 3)]
        expected = kind.model_validate(lock.facts[NAME].versions[3].samples[0])
        assert states == [Kept(parcels=(expected,))] * 3


class TestANewVersion:
    def test_without_an_upcast_is_never_frozen(self) -> None:
        for released in (None, "1.0"):
            lock = frozen(Lock(released), parcel(FIRST, 1))
            without = parcel(SECOND, 2)
            with pytest.raises(Refused) as refused:
                frozen(lock, without)
            assert str(refused.value) == (
                f"{NAME} v1 no longer reads, to: Input should be an object. "
                "Facts of it are stored for ever: write the upcast that reads them."
            )

    def test_that_only_takes_more_words_needs_none(self) -> None:
        lock = frozen(Lock(released="1.0"), parcel({"size": Size}, 1))
        wider = parcel({"size": Sizes}, 2)
        assert findings(frozen(lock, wider), wider) == []


class TestAnUpcast:
    @pytest.mark.parametrize(
        ("base", "why"),
        [(ForgettingAWord, "size: Input should be 'small' or 'large'"), (CountingOnAField, "KeyError('heavy')")],
    )
    def test_has_to_read_all_that_may_be_stored(self, base: type[Fact], why: str) -> None:
        says = [finding.says for finding in findings(grown(), third(base))]
        assert says == [f"{NAME} v2 no longer reads, {why}", f"{NAME} v1 no longer reads, {why}"]

    def test_never_changes_what_was_said(self) -> None:
        assert [str(finding) for finding in findings(grown(), third(MixingUp))] == [
            f"{NAME} v2 no longer says what it said. Put its upcast back."
        ]
