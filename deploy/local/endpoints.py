"""Endpoints: where a running platform is reached."""

from pydantic import BaseModel, ConfigDict


class Endpoints(BaseModel):
    """Content of ``run/platform.json``; it holds passwords, so its file is readable by its owner only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    ports: dict[str, int]
    postgres_dsns: dict[str, str]
    """Service → DSN of its database."""
    kafka_bootstrap: str
    services: dict[str, str]
    """Service → base URL, without a slash at the end."""
    issuer: str
    audience: str
    jwks: str
    """Path of the file with the public keys."""
