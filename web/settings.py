"""What every service is told by its environment. Read once, by the service's own settings module, seen by its app."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Part(StrEnum):
    """What this process does: answer requests, do the work behind them, or both."""

    API = "api"
    WORKER = "worker"
    ALL = "all"


class ServiceSettings(BaseSettings):
    """``SHANGYI_DSN``, ``SHANGYI_KAFKA_BOOTSTRAP`` and so on. ``development`` allows the clock to be moved."""

    model_config = SettingsConfigDict(env_prefix="SHANGYI_", frozen=True, extra="ignore")

    dsn: SecretStr
    keys_dsn: SecretStr
    master_key_file: Path
    sharing_key_file: Path
    kafka_bootstrap: str
    kafka_replication: int = 1
    topic_prefix: str = "shangyi"
    oidc_issuer: str
    oidc_audience: str = "shangyi"
    oidc_jwks: str
    role: Part = Part.ALL
    pool_size: int = Field(default=12, ge=8)  # a write service holds up to five for ever: its relay and consumers
    development: bool = False

    def topic(self, name: str) -> str:
        """The topic of a service's facts."""
        return f"{self.topic_prefix}.{name}"

    @property
    def works(self) -> bool:
        return self.role is not Part.API
