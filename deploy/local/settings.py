"""What the environment decides about the local platform."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parents[2]


def default_home() -> Path:
    """``var/`` in the checkout; where the code is installed without one, ``var/`` in the working directory."""
    return (CHECKOUT if (CHECKOUT / "pyproject.toml").exists() else Path.cwd()) / "var"


def default_cache() -> Path:
    """The per-user cache that every platform of this user shares."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "shangyi"


class Settings(BaseSettings):
    """``SHANGYI_…`` of the environment; an empty value counts as absent."""

    model_config = SettingsConfigDict(env_prefix="SHANGYI_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home, description="The state directory.")
    cache: Path = Field(default_factory=default_cache, description="Downloads shared by all homes of one user.")
    postgres_dsn: str | None = Field(default=None, description="An operator's own PostgreSQL: none is started then.")
    postgres_bin: Path | None = Field(default=None, description="A directory with `postgres` and `initdb` to use.")
    kafka_bootstrap: str | None = Field(default=None, description="An operator's own Kafka: none is started then.")
    development: bool = Field(default=False, description="No county works here: a single timer may be moved.")
