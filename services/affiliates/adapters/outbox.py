"""Accepts commands: each is a row of the outbox, committed before its caller is answered."""

from __future__ import annotations

import json

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from services.affiliates.messages import Outgoing
from services.errors import InDoubt, KeyReused, NothingAttempted
from services.storage.reading import engine

# What stands under the id already: in effect, accepted, or on its way since before these were noted. They outlive
# their rows of the outbox, or another command under an id would be accepted until the first one takes effect.
STORE = text("""
WITH there AS (
    SELECT fingerprint FROM inbox WHERE id = :id
    UNION ALL SELECT fingerprint FROM accepted WHERE id = :id
    UNION ALL SELECT fingerprint FROM outbox WHERE id = :id
    LIMIT 1
), mine AS (
    INSERT INTO accepted (id, fingerprint) SELECT :id, :fingerprint WHERE NOT EXISTS (SELECT FROM there)
    ON CONFLICT DO NOTHING RETURNING id
), stored AS (
    INSERT INTO outbox (id, fingerprint, topic, partition_key, properties, body)
    SELECT :id, :fingerprint, :topic, :key, CAST(:properties AS jsonb), :body FROM mine
)
SELECT coalesce((SELECT fingerprint FROM there), (SELECT :fingerprint FROM mine))
""")
# Where another call committed the id while STORE ran.
ACCEPTED = text("SELECT fingerprint FROM accepted WHERE id = :id")


class Outbox:
    """Used from any number of threads."""

    def __init__(self, sqlalchemy_url: str) -> None:
        self._engine: Engine = engine(sqlalchemy_url, "alpes-affiliates-outbox")

    def store(self, message: Outgoing) -> None:
        """Return once the message is committed, here or by an earlier call. Raises NothingAttempted, InDoubt or
        KeyReused."""
        values = {
            "id": message.id,
            "fingerprint": message.fingerprint,
            "topic": message.topic,
            "key": message.key,
            "properties": json.dumps(message.properties),
            "body": message.body,
        }
        try:
            connection = self._engine.connect()
        except (DBAPIError, PoolTimeout) as error:
            raise NothingAttempted(f"the database is away: {_line(error)}") from error
        try:
            with connection, connection.begin():
                there = connection.execute(STORE, values).scalar_one()
                if there is None:
                    there = connection.execute(ACCEPTED, {"id": message.id}).scalar_one()
        except DBAPIError as error:
            # An ERROR ends the statement and nothing else; what ends the connection may come after the commit.
            cause = error.orig
            if isinstance(cause, psycopg.Error) and cause.diag.severity_nonlocalized == "ERROR":
                raise NothingAttempted(f"the database refuses: {_line(error)}") from error
            raise InDoubt(_line(error)) from error
        if there != message.fingerprint:
            raise KeyReused("this id is that of another command")

    def close(self) -> None:
        self._engine.dispose()


def _line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
