"""What these tests share: nothing waits a second to begin anew."""

import pytest

from eventlog import election, sources


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(election, "RETRY", 0.01)
    monkeypatch.setattr(sources, "POLL", 0.01)
