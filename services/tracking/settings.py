"""The only place of the service that reads the environment."""

from __future__ import annotations

import socket
from functools import cached_property
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

NAMESPACE = "public/default"


class Settings(BaseSettings):
    """Variables by the names that the user's document gives them; `host` and `port` are listened on."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    pulsar_url: str = "pulsar://pulsar:6650"
    pulsar_admin_url: str | None = None
    database_url: str = "postgresql+psycopg2://app:app@tracking_db:5432/app"
    topic_commands_tracking: str = "commands.tracking"
    subscription_name: str = "tracking-svc"
    outbox_max_rows: int = Field(default=1_000_000, ge=0)
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

    @cached_property
    def topic(self) -> str:
        """The commands topic's full name."""
        return full_name(self.topic_commands_tracking)

    @cached_property
    def dead_letter_topic(self) -> str:
        """The full name of the topic that dead letters are published to."""
        return self.topic + "-DLQ"


def full_name(topic: str) -> str:
    """A topic's full name, whether or not it was given one."""
    return topic if "://" in topic else f"persistent://{NAMESPACE}/{topic}"
