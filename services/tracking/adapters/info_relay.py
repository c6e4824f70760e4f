"""Publishes the answers that the worker stored, in their order, and marks them. At least once each, under the same
id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
import structlog

from services.messaging.envelope import envelope, message_id
from services.messaging.messages import Sent

BATCH = 200
BUILT = "InteractionsInfoBuilt"

log = structlog.get_logger()

# One relay at a time, or a later answer to an affiliate's questions could overtake an earlier one. A relay that freezes
# loses this by idle_in_transaction_session_timeout.
LOCK = 0x696E666F  # "info"
MINE = "SELECT pg_try_advisory_xact_lock(%s)"
PENDING = """
SELECT id, saga_id, correlation_id, partition_key, post_id, start_date, end_date, total_interactions, by_type
FROM interactions_info WHERE published_at IS NULL ORDER BY created_at, place LIMIT %s
"""
PUBLISHED = "UPDATE interactions_info SET published_at = now() WHERE id = ANY(%s)"


class Publishes(Protocol):
    def publish(self, topic: str, messages: Sequence[Sent]) -> int: ...


def relay(connection: psycopg.Connection[Any], topic: str, producers: Publishes) -> int:
    """Publish what is pending, up to BATCH answers; return how many: none while another relay is at it. The connection
    is in autocommit. Raises BrokerAway and psycopg.Error."""
    with connection.transaction():
        mine = connection.execute(MINE, (LOCK,), prepare=True).fetchone()
        if mine is None or not mine[0]:
            return 0
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
