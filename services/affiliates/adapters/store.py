"""Effects and what is remembered of them, in one transaction a batch. Must decide nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import psycopg

from services.affiliates.domain.commands import PENDING, CalculateCost, CreateAffiliate, CreatePost
from services.affiliates.domain.cost import Cost
from services.affiliates.handlers import Calculated, Post, Seen
from services.affiliates.messages import Incoming, Outgoing
from services.storage.database import connect
from services.storage.sqlstates import judged, storable

# Rows are read newest first, and a batch is one transaction, in which now() is the same for all: hence each row's own
# clock_timestamp().
# A message that was refused is judged again when it comes again as a letter of a later generation.
REMEMBER = """
INSERT INTO inbox (id, name, fingerprint, generation) VALUES (%s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, generation = excluded.generation, refusal = NULL
WHERE inbox.refusal IS NOT NULL AND inbox.generation < excluded.generation
RETURNING id
"""
ADD_AFFILIATE = """
INSERT INTO affiliates (id, name, email, program_id, status, joined_at, created_at)
VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (email) DO NOTHING RETURNING id
"""
CALCULATED = """
UPDATE post_costs AS c SET base_cost = %s, interactions_count = %s, interaction_cost = %s, interaction_total_cost = %s,
    engagement_multiplier = %s, total_cost = %s, calculated_at = now()
FROM posts AS p WHERE c.id = %s AND c.calculated_at IS NULL AND p.id = c.post_id
RETURNING c.post_id::text, p.affiliate_id::text, p.brand_id, c.correlation_id, c.calculated_at
"""


class Effects:
    """One open transaction."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def _row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return self._connection.execute(statement, values, prepare=True).fetchone()

    def remember(self, incoming: Incoming) -> Seen:
        values = (incoming.id, storable(incoming.name), incoming.fingerprint, incoming.generation)
        if self._row(REMEMBER, *values):
            return Seen.NEW
        there = self._row("SELECT fingerprint FROM inbox WHERE id = %s", incoming.id)
        return Seen.SAME if there and there[0] == incoming.fingerprint else Seen.OTHER

    def note_refusal(self, message_id: str, reason: str) -> None:
        self._connection.execute("UPDATE inbox SET refusal = %s WHERE id = %s", (storable(reason), message_id))

    def send(self, message: Outgoing) -> None:
        properties = {storable(name): storable(value) for name, value in message.properties.items()}
        self._connection.execute(
            "INSERT INTO outbox (id, fingerprint, topic, partition_key, properties, body)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (
                message.id,
                message.fingerprint,
                storable(message.topic),
                storable(message.key),
                json.dumps(properties),
                message.body,
            ),
            prepare=True,
        )

    def add_affiliate(self, affiliate_id: str, command: CreateAffiliate, incoming: Incoming) -> bool:
        values = (affiliate_id, command.name, command.email, command.program_id, PENDING, incoming.at)
        return self._row(ADD_AFFILIATE, *values) is not None

    def set_status(self, affiliate_id: str, status: str) -> bool:
        change = "UPDATE affiliates SET status = %s, updated_on = now() WHERE id = %s RETURNING id"
        return self._row(change, status, affiliate_id) is not None

    def has_affiliate(self, affiliate_id: str) -> bool:
        return self._row("SELECT 1 FROM affiliates WHERE id = %s", affiliate_id) is not None

    def add_post(self, post_id: str, command: CreatePost) -> None:
        self._connection.execute(
            "INSERT INTO posts (id, title, content, affiliate_id, brand_id, created_at)"
            " VALUES (%s, %s, %s, %s, %s, clock_timestamp())",
            (post_id, command.title, command.content, command.affiliate_id, command.brand_id),
            prepare=True,
        )

    def post(self, post_id: str) -> Post | None:
        row = self._row("SELECT affiliate_id::text, brand_id FROM posts WHERE id = %s", post_id)
        return Post(*row) if row else None

    def add_calculation(self, command: CalculateCost, correlation_id: str) -> None:
        self._connection.execute(
            "INSERT INTO post_costs (id, post_id, start_date, end_date, correlation_id, created_at)"
            " VALUES (%s, %s, %s, %s, %s, clock_timestamp())",
            (command.saga_id, command.post_id, command.start_date, command.end_date, storable(correlation_id)),
            prepare=True,
        )

    def calculated(self, saga_id: str, found: Cost) -> Calculated | None:
        row = self._row(
            CALCULATED,
            found.base_cost,
            found.interactions_count,
            found.interaction_cost,
            found.interaction_total_cost,
            found.engagement_multiplier,
            found.total_cost,
            saga_id,
        )
        if row is None:
            return None
        post_id, affiliate_id, brand_id, correlation_id, at = row
        return Calculated(post_id, affiliate_id, brand_id, correlation_id, at.astimezone(UTC).isoformat())


class DatabaseStore:
    """The store of one worker: one connection, made anew after an error."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def transaction(self) -> Iterator[Effects]:
        """Raises Unacceptable, Refuses or psycopg.Error, as `judged` says."""
        with judged(self.close):
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._conninfo, "alpes-affiliates-worker")
            with self._connection.transaction():
                yield Effects(self._connection)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
