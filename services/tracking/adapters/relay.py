"""Publishes dead letters that the counting transaction wrote, and marks them. At least once each.

What is published carries the letter's id and generation, so that a reader can tell a repetition. A letter
that is too big for the broker goes without its body, and says so; its row keeps everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import psycopg
import structlog

from services.messaging.broker import TooBig
from services.messaging.letters import (
    LETTER_GENERATION,
    LETTER_ID,
    LETTER_REASON,
    LETTER_TOPIC,
    MAX_REASON,
    smaller,
)
from services.messaging.messages import Sent

BATCH = 100

log = structlog.get_logger()

PENDING = """
SELECT id, generation, topic, partition_key, properties, body, reason FROM dead_letters
WHERE published_at IS NULL ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
PUBLISHED = "UPDATE dead_letters SET published_at = now() WHERE id = %s AND generation = %s"


class Publisher(Protocol):
    def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None: ...


def relay(connection: psycopg.Connection[Any], publisher: Callable[[], Publisher]) -> int:
    """Publish what is pending, up to BATCH letters; return how many. `publisher` is asked for only then. The
    connection is in autocommit.

    Each letter stays locked while it is published, so that two relays don't publish the same one, and is
    committed by itself, so that what fails holds back no other's mark.
    """
    for done in range(BATCH):
        with connection.transaction():
            letter = connection.execute(PENDING, prepare=True).fetchone()
            if letter is None:
                return done
            letter_id, generation, topic, key, properties, body, reason = letter
            about = {
                LETTER_ID: str(letter_id),
                LETTER_GENERATION: str(generation),
                LETTER_TOPIC: topic,
                LETTER_REASON: reason[:MAX_REASON],
            }
            _publish(publisher(), Sent(key, {**properties, **about}, body))
            connection.execute(PUBLISHED, (letter_id, generation))
    return BATCH


def _publish(publisher: Publisher, letter: Sent) -> None:
    while True:
        try:
            publisher.publish(letter.body, letter.key, letter.properties)
            return
        except TooBig:
            less = smaller(letter)
            if less is None:
                raise
            letter_id = letter.properties[LETTER_ID]
            log.warning("a dead letter is too big: less of it goes", id=letter_id, bytes=len(letter.body))
            letter = less
