"""Reporting's environment."""

from web.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing of its own yet."""
