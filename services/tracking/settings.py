"""The only place of the service that reads the environment."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field

from services.messaging.topics import dead_letters_of, full_name
from services.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the tracking service needs beside the variables of all services."""

    database_url: str = "postgresql+psycopg2://app:app@tracking_db:5432/app"
    topic_commands_tracking: str = "commands.tracking"
    topic_events_tracking: str = "events.tracking"
    subscription_name: str = "tracking-svc"
    outbox_max_rows: int = Field(default=1_000_000, ge=0)

    @cached_property
    def topic(self) -> str:
        """The commands topic's full name."""
        return full_name(self.topic_commands_tracking)

    @cached_property
    def events_topic(self) -> str:
        """The full name of the topic that the service's own events are published to."""
        return full_name(self.topic_events_tracking)

    @cached_property
    def dead_letter_topic(self) -> str:
        """The full name of the topic that dead letters are published to."""
        return dead_letters_of(self.topic)
