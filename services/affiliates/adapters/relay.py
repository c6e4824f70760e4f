"""Publishes what is in the outbox, in its order, and deletes what it has a receipt for.

At least once each: what was published and not deleted is published again under the same id, and absorbed. Must never
delete a row without the broker's receipt.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
import structlog

from services.messaging.link import BrokerAway
from services.messaging.messages import Sent
from services.storage.database import connect

BATCH = 200
WAIT_S = 0.5
# After the broker did not take a topic's messages, how long they are not tried again.
RETRY_S = 1.0
# One relay at a time, or a later message of an affiliate could overtake an earlier one. A relay that freezes with
# rows in hand loses them, and this, by idle_in_transaction_session_timeout.
LOCK = 0x6F7574626F78  # "outbox"

log = structlog.get_logger()

TOPICS = "SELECT DISTINCT topic FROM outbox"
WAITING = """
SELECT position, partition_key, properties, body FROM outbox WHERE topic = %s ORDER BY position LIMIT %s
"""
GONE = "DELETE FROM outbox WHERE position = ANY(%s)"


class Publishes(Protocol):
    def publish(self, topic: str, messages: Sequence[Sent]) -> int: ...
    def close(self) -> None: ...


class OutboxRelay:
    """Used by one thread; any number of them may run, of which one works at a time."""

    def __init__(self, conninfo: str, producers: Publishes) -> None:
        self._conninfo = conninfo
        self._producers = producers
        self._connection: psycopg.Connection[Any] | None = None
        self._not_before: dict[str, float] = {}

    def turn(self) -> int:
        """Publish what waits, up to BATCH messages of each topic; return how many. Raises psycopg.Error."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._conninfo, "alpes-affiliates-relay")
            self._connection.execute("LISTEN outbox")
        topics = [topic for (topic,) in self._connection.execute(TOPICS, prepare=True).fetchall()]
        now = time.monotonic()
        return sum(self._relay(self._connection, topic) for topic in topics if self._not_before.get(topic, 0.0) <= now)

    def wait(self) -> None:
        """Until there is something new, WAIT_S at most. Raises psycopg.Error."""
        if self._connection is not None:
            for _ in self._connection.notifies(timeout=WAIT_S, stop_after=1):
                pass

    def _relay(self, connection: psycopg.Connection[Any], topic: str) -> int:
        with connection.transaction():
            mine = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (LOCK,), prepare=True).fetchone()
            if mine is None or not mine[0]:
                return 0
            rows = connection.execute(WAITING, (topic, BATCH), prepare=True).fetchall()
            if not rows:
                return 0
            try:
                published = self._producers.publish(topic, [Sent(*row[1:]) for row in rows])
            except BrokerAway as error:
                # The other topics may be there.
                self._not_before[topic] = time.monotonic() + RETRY_S
                log.warning("the outbox waits for the broker", topic=topic, error=str(error))
                return 0
            if published:
                connection.execute(GONE, ([row[0] for row in rows[:published]],), prepare=True)
        if published:
            log.info("outbox relayed", topic=topic, published=published, waits=len(rows) - published)
        return published

    def drop(self) -> None:
        """After an error: the next turn connects anew. Raises nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        self.drop()
        self._producers.close()
