"""Publishes the answers that the worker stored, and marks them. At least once each, under the same id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
import structlog

from services.messaging.envelope import envelope, message_id
from services.messaging.producers import Sent

BATCH = 200
BUILT = "InteractionsInfoBuilt"

log = structlog.get_logger()

PENDING = """
SELECT id, saga_id, correlation_id, partition_key, post_id, start_date, end_date, total_interactions, by_type
FROM interactions_info WHERE published_at IS NULL ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
PUBLISHED = "UPDATE interactions_info SET published_at = now() WHERE id = ANY(%s)"


class Publishes(Protocol):
    def publish(self, topic: str, messages: Sequence[Sent]) -> int: ...


def relay(connection: psycopg.Connection[Any], topic: str, producers: Publishes) -> int:
    """Publish what is pending, up to BATCH answers; return how many. The connection is in autocommit. Raises BrokerAway
    and psycopg.Error."""
    with connection.transaction():
        rows = connection.execute(PENDING, (BATCH,), prepare=True).fetchall()
        if not rows:
            return 0
        published = producers.publish(topic, [event(*row) for row in rows])
        connection.execute(PUBLISHED, ([row[0] for row in rows[:published]],))
    for _, saga_id, correlation_id, *_ in rows[:published]:
        log.info("interactions info published", saga_id=saga_id, correlation_id=correlation_id)
    return published


def event(
    request_id: Any, saga: str, correlation: str, key: str, post: str, first: Any, last: Any, total: int, by_type: Any
) -> Sent:
    """The event that answers a request; its id follows from the request's."""
    own = message_id(str(request_id), BUILT)
    payload = {
        "post_id": post,
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "total_interactions": total,
        "by_type": by_type,
    }
    properties = {"name": BUILT, "commandId": own, "correlationId": correlation}
    return Sent(key, properties, envelope(BUILT, own, saga, payload))
