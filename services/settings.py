"""The variables that all services have. Only settings read the environment."""

from __future__ import annotations

import socket
from functools import cached_property
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Variables by the names that the user's document gives them; `host` and `port` are listened on."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    pulsar_url: str = "pulsar://pulsar:6650"
    pulsar_admin_url: str | None = None
    database_url: str
    host: str = "127.0.0.1"
    port: int | None = None
    replica: str = Field(default_factory=socket.gethostname, validation_alias="ALPES_REPLICA")

    @cached_property
    def admin_url(self) -> str:
        """Pulsar's admin REST endpoint; next to the broker where none is named."""
        return self.pulsar_admin_url or f"http://{urlsplit(self.pulsar_url).hostname or 'pulsar'}:8080"

    @cached_property
    def conninfo(self) -> str:
        """The database as libpq reads it."""
        return "postgresql://" + self.database_url.split("://", 1)[1]

    @cached_property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy reads it, on psycopg 3 whatever driver was named."""
        return "postgresql+psycopg://" + self.database_url.split("://", 1)[1]
