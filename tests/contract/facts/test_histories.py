"""Old histories fold to the state, and to the rows, that they would fold to had they been stored today."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from eventlog.effect import Key
from eventlog.handler import head_of
from services.reporting.read_models.by_service import READ_MODELS
from tests.contract.facts.histories import HISTORIES, deciders, facts_of, in_words_of
from tests.contract.facts.kinds import kinds
from tests.contract.facts.lock import read
from tests.contract.facts.samples import COUNTY

LOCK = read()
KINDS = kinds()
DECIDERS = deciders()
NEWEST = max(n for fact in LOCK.facts.values() for n in fact.versions)
EVERY = [(category, history) for category, histories in HISTORIES.items() for history in histories]
every = pytest.mark.parametrize(("category", "history"), EVERY, ids=[f"{c}-{h[-1]}" for c, h in EVERY])


def test_every_fact_of_every_stream_happens_in_one() -> None:
    told = {category: {name for history in histories for name in history} for category, histories in HISTORIES.items()}
    assert told.keys() == DECIDERS.keys()
    for category, names in told.items():
        assert names <= {kind.fact_name for kind in facts_of(DECIDERS[category])}
    assert set().union(*told.values()) == set(KINDS)


@every
class TestAHistory:
    def test_folds_to_the_same_state_in_the_words_of_every_version(self, category: str, history: Sequence[str]) -> None:
        today = head_of(DECIDERS[category], in_words_of(LOCK, category, history, NEWEST))
        assert today.version == len(history)
        for version in range(1, NEWEST):
            assert head_of(DECIDERS[category], in_words_of(LOCK, category, history, version)) == today

    def test_folds_to_the_same_rows_in_the_words_of_every_version(self, category: str, history: Sequence[str]) -> None:
        today = rows(category, history, NEWEST)
        assert all(tenant == COUNTY for _, (tenant, _) in today)
        for version in range(1, NEWEST):
            assert rows(category, history, version) == today


def rows(category: str, history: Sequence[str], version: int) -> Mapping[tuple[str, Key], Any]:
    """What reporting's lists say of such a stream, by table and key."""
    facts = in_words_of(LOCK, category, history, version)
    return {
        (model.table, key): row
        for models in READ_MODELS.values()
        for model in models
        for key, row in model.fold({}, model.touched(facts)).items()
    }
