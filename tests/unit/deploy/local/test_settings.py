"""The environment decides; an empty value counts as absent."""

from pathlib import Path

import pytest

from deploy.local.settings import CHECKOUT, Settings

NAMES = ("SHANGYI_HOME", "SHANGYI_CACHE", "SHANGYI_POSTGRES_DSN", "SHANGYI_POSTGRES_BIN", "SHANGYI_KAFKA_BOOTSTRAP")


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert Settings() == Settings.model_construct(
        home=CHECKOUT / "var",
        cache=Path("/caches/shangyi"),
        postgres_dsn=None,
        postgres_bin=None,
        kafka_bootstrap=None,
    )


def test_an_operators_own_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHANGYI_HOME", "/srv/shangyi")
    monkeypatch.setenv("SHANGYI_POSTGRES_DSN", "postgresql://admin@db/postgres")
    monkeypatch.setenv("SHANGYI_KAFKA_BOOTSTRAP", "kafka:9092")
    settings = Settings()
    assert (settings.home, settings.postgres_dsn, settings.kafka_bootstrap) == (
        Path("/srv/shangyi"),
        "postgresql://admin@db/postgres",
        "kafka:9092",
    )
