"""``make facts-freeze`` writes the lock, or says why it must not, and then leaves it as it is."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.contract.facts.freeze import freeze
from tests.contract.facts.lock import RELEASE, read
from tests.contract.facts.parcels import ADDING, BREAKING, NAME, parcel

WITH_WEIGHT, _ = ADDING["a field that may be missing"]
WITHOUT_CARRIER, _ = BREAKING["a removed field"]


@pytest.fixture(params=["null", '"1.0"'], ids=["before a release", "after one"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A lock of the parcel as it was first, before and after a release."""
    (tmp_path / RELEASE).write_text(f'{{"released": {request.param}}}', encoding="utf-8")
    freeze(tmp_path, parcel())
    return tmp_path


def files(folder: Path) -> Mapping[str, str]:
    return {file.name: file.read_text("utf-8") for file in folder.iterdir()}


class TestFreeze:
    def test_writes_what_was_added_and_says_so(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        assert freeze(folder, parcel(WITH_WEIGHT)) == 0
        assert capsys.readouterr() == (f"{NAME} v1: weight is new\n", "")
        assert "weight" in read(folder).facts[NAME].versions[1].schema["properties"]

    def test_changes_nothing_when_done_again(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = files(folder)
        capsys.readouterr()
        assert freeze(folder, parcel()) == 0
        assert (files(folder), *capsys.readouterr()) == (before, "", "")

    def test_rewrites_what_stands_only_before_a_release(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before, released = files(folder), read(folder).released
        capsys.readouterr()
        assert freeze(folder, parcel(WITHOUT_CARRIER)) == (1 if released else 0)
        said, refused = capsys.readouterr()
        if released:
            assert files(folder) == before
            assert refused == (
                f"{NAME} v1: carrier is gone. Put it back, or make it schema=2 with an upcast, see "
                "docs/how-to-change-a-fact.md.\nThe lock was not changed.\n"
            )
        else:
            assert said == f"{NAME} v1: carrier is gone\n"
            [sample] = read(folder).facts[NAME].versions[1].samples
            assert "carrier" not in sample

    def test_never_says_itself_that_there_is_a_release(self, folder: Path) -> None:
        before = (folder / RELEASE).read_text("utf-8")
        freeze(folder, parcel(WITH_WEIGHT))
        assert (folder / RELEASE).read_text("utf-8") == before
