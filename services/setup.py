"""What every service's one-shot does: migrations, topics, subscriptions. Idempotent; ends once everything is there."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from services.messaging.admin import PulsarAdmin
from services.process import logs
from services.settings import ServiceSettings

LOCK = 0x616C706573  # "alpes": one setup migrates at a time
PATIENCE_S = 30.0

log = structlog.get_logger()
Result = TypeVar("Result")


def run(service: str, settings: ServiceSettings, topics: Sequence[tuple[str, str | None]]) -> None:
    """The whole of `python -m services.SERVICE.setup`, which takes `--down REVISION`. `topics` are full names, each
    with the subscription that keeps its messages, if any."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service}.setup", description="Migrations and topics.")
    parser.add_argument("--down", metavar="REVISION", help="only take migrations back, down to this one")
    down: str | None = parser.parse_args().down
    logs.configure(f"{service}-setup", settings.replica)
    if down is not None:
        migrate(service, settings.sqlalchemy_url, down, down=True)
        log.info("database is at an older migration", revision=down)
        return
    patiently(lambda: migrate(service, settings.sqlalchemy_url), "migrations")
    log.info("database is at its newest migration")
    patiently(lambda: create_topics(settings.admin_url, topics), "topics")


def migrate(service: str, sqlalchemy_url: str, revision: str = "head", *, down: bool = False) -> None:
    """Bring a service's database up to the newest migration or this one, or down to it, in one transaction that holds
    an advisory lock. Raises what the database refuses, and RuntimeError where going down would lose what was accepted.
    """
    config = Config()
    config.set_main_option("script_location", f"services.{service}:migrations")
    config.set_main_option("path_separator", "os")
    engine = create_engine(sqlalchemy_url, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            config.attributes["connection"] = connection
            (command.downgrade if down else command.upgrade)(config, revision)
    finally:
        engine.dispose()


def create_topics(admin_url: str, topics: Sequence[tuple[str, str | None]]) -> None:
    """Topics, each with one partition, and with the subscription that keeps its messages, if any."""
    admin = PulsarAdmin(admin_url)
    for topic, subscription in topics:
        admin.create_partitioned(topic, 1)
        if subscription is not None:
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
