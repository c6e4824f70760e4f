"""Publishes dead letters that the counting transaction wrote, and marks them. At least once each.

What is published carries the letter's id and generation, so that a reader can tell a repetition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from services.tracking.adapters.database import connect
from services.tracking.adapters.decoding import LETTER_GENERATION, LETTER_ID

BATCH = 100

PENDING = """
SELECT id, generation, topic, partition_key, properties, body, reason FROM dead_letters
WHERE published_at IS NULL ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
PUBLISHED = "UPDATE dead_letters SET published_at = now() WHERE id = %s AND generation = %s"


class Publisher(Protocol):
    def publish(self, body: bytes, key: str, properties: Mapping[str, str]) -> None: ...


def relay(conninfo: str, publisher: Callable[[], Publisher]) -> int:
    """Publish what is pending, up to BATCH letters; return how many. `publisher` is asked for only then.

    The letters stay locked meanwhile, so that two relays don't publish the same one.
    """
    with connect(conninfo, "alpes-relay", autocommit=False) as connection:
        letters = connection.execute(PENDING, (BATCH,)).fetchall()
        for letter_id, generation, topic, key, properties, body, reason in letters:
            about = {
                LETTER_ID: str(letter_id),
                LETTER_GENERATION: str(generation),
                "deadLetterTopic": topic,
                "deadLetterReason": reason,
            }
            publisher().publish(body, key, {**properties, **about})
            connection.execute(PUBLISHED, (letter_id, generation))
        connection.commit()
    return len(letters)
