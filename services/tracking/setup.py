"""One-shot: migrations, topics, subscriptions. Idempotent; ends with 0 once everything is there.

`python -m services.tracking.setup`, or with the revision to go back to: `python -m services.tracking.setup --down 0003`
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from services.tracking import logs
from services.tracking.adapters.admin import PulsarAdmin
from services.tracking.settings import Settings

LOCK = 0x616C706573  # "alpes": one setup migrates at a time
PATIENCE_S = 30.0
DEAD_LETTER_SUBSCRIPTION = "dead-letters"

log = structlog.get_logger()
Result = TypeVar("Result")


def migrate(sqlalchemy_url: str, revision: str = "head", *, down: bool = False) -> None:
    """Bring the database up to the newest migration or this one, or down to it, in one transaction that holds an
    advisory lock. Raises what the database refuses, and RuntimeError where going down would lose what was accepted."""
    config = Config()
    config.set_main_option("script_location", "services.tracking:migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine(sqlalchemy_url, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            config.attributes["connection"] = connection
            (command.downgrade if down else command.upgrade)(config, revision)
    finally:
        engine.dispose()


def create_topics(settings: Settings) -> None:
    """The commands topic and its dead-letter topic, with the subscriptions that keep their messages."""
    admin = PulsarAdmin(settings.admin_url)
    for topic, subscription in (
        (settings.topic, settings.subscription_name),
        (settings.dead_letter_topic, DEAD_LETTER_SUBSCRIPTION),
    ):
        admin.create_partitioned(topic, 1)
        admin.create_subscription(topic, subscription)
        log.info("topic is there", topic=topic, subscription=subscription)


def patiently(step: Callable[[], Result], what: str) -> Result:
    """The step's result; a server that isn't there yet is tried again for PATIENCE_S seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return step()
        except (OperationalError, OSError, RuntimeError) as error:
            if time.monotonic() > deadline:
                raise
            log.warning(f"{what}: trying again", error=str(error).splitlines()[0])
            time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.tracking.setup", description="Migrations and topics.")
    parser.add_argument("--down", metavar="REVISION", help="only take migrations back, down to this one")
    down: str | None = parser.parse_args().down
    settings = Settings()
    logs.configure("tracking-setup", settings.replica)
    if down is not None:
        migrate(settings.sqlalchemy_url, down, down=True)
        log.info("database is at an older migration", revision=down)
        return
    patiently(lambda: migrate(settings.sqlalchemy_url), "migrations")
    log.info("database is at its newest migration")
    patiently(lambda: create_topics(settings), "topics")


if __name__ == "__main__":
    main()
