"""Every test of the gate leaves the registry as it found it."""

from collections.abc import Iterator

import pytest

from eventlog.facts import REGISTRY
from tests.contract.facts.parcels import LETTER, NAME


@pytest.fixture(autouse=True)
def leave_no_parcels() -> Iterator[None]:
    yield
    for name in (NAME, LETTER):
        REGISTRY.pop(name, None)
