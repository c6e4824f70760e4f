"""The only place of the service that reads the environment."""

from __future__ import annotations

from functools import cached_property

from services.messaging.topics import full_name
from services.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the affiliates service needs beside the variables of all services."""

    database_url: str = "postgresql+psycopg2://app:app@affiliates_db:5432/app"
    topic_commands_affiliates: str = "commands.affiliates"
    topic_events_affiliates: str = "events.affiliates"
    topic_commands_tracking: str = "commands.tracking"
    topic_events_tracking: str = "events.tracking"
    subscription_name_affiliates: str = "affiliates-svc"

    @cached_property
    def commands(self) -> str:
        """The full name of the topic of commands to this service; so the others, to whom they belong."""
        return full_name(self.topic_commands_affiliates)

    @cached_property
    def events(self) -> str:
        return full_name(self.topic_events_affiliates)

    @cached_property
    def tracking_commands(self) -> str:
        return full_name(self.topic_commands_tracking)

    @cached_property
    def tracking_events(self) -> str:
        return full_name(self.topic_events_tracking)
