"""Counts a batch in ONE autocommitted statement: rows, counters, dead letters, or nothing of them.

Must not decide what counts; must never report success before the commit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import psycopg
import structlog

from services.errors import Unacceptable
from services.storage.database import connect
from services.storage.sqlstates import judged, storable
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Applied, Batch, InfoRequest

log = structlog.get_logger()

# Rows are locked in the same order by every worker: interactions by id, inbox by id, counters by
# (day, status), the worker's own row. `counted` and `noted` hold only what was really inserted; `there` holds what
# stood under an id already, with nulls where another worker committed it after this statement began. It costs
# nothing where everything is new.
COUNT = """
WITH incoming AS (
    SELECT * FROM jsonb_to_recordset(%(interactions)s::jsonb) AS r(
        id uuid, kind text, element text, element_type text, campaign text,
        at timestamptz, given boolean, day date, amount bigint, currency text)
), counted AS (
    INSERT INTO interactions (id, interaction_type, target_element_id, target_element_type, campaign_id,
                              "timestamp", timestamp_given, day, amount, currency, counted_by)
    SELECT id, kind, element, element_type, campaign, at, coalesce(given, false), day, amount, currency, %(worker)s
    FROM incoming ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING id, day
), there AS (
    SELECT id, r.interaction_type, r.target_element_id, r.target_element_type, r.campaign_id, r."timestamp",
           r.amount, r.currency, r.timestamp_given
    FROM incoming LEFT JOIN interactions r USING (id)
    WHERE (SELECT count(*) FROM counted) < (SELECT count(*) FROM incoming) AND id NOT IN (SELECT id FROM counted)
), messages AS (
    SELECT * FROM jsonb_to_recordset(%(inbox)s::jsonb) AS r(
        id uuid, generation integer, status text, day date)
), noted AS (
    INSERT INTO inbox (id, generation, status, day, counted_by)
    SELECT id, generation, status, day, %(worker)s FROM messages ORDER BY id, generation
    ON CONFLICT DO NOTHING
    RETURNING id, generation, day, status
), letters AS (
    INSERT INTO dead_letters (id, generation, topic, partition_key, properties, body, reason)
    SELECT r.id, r.generation, r.topic, r.partition_key, r.properties, decode(r.body, 'hex'), r.reason
    FROM jsonb_to_recordset(%(letters)s::jsonb) AS r(
        id uuid, generation integer, topic text, partition_key text, properties jsonb, body text, reason text)
    JOIN noted USING (id, generation)
    ORDER BY r.id, r.generation
    ON CONFLICT DO NOTHING
), fresh AS (
    SELECT day, 'ok' AS status FROM counted UNION ALL SELECT day, status FROM noted
), totals AS (
    INSERT INTO conversion_daily_status (day, status, count)
    SELECT day, status, count(*) FROM fresh GROUP BY day, status ORDER BY day, status
    ON CONFLICT (day, status) DO UPDATE SET count = conversion_daily_status.count + excluded.count
), deliveries AS (
    INSERT INTO worker_deliveries (worker, redelivered, absorbed)
    SELECT %(worker)s, %(redelivered)s, %(received)s - n FROM (SELECT count(*) AS n FROM fresh) AS f
    WHERE %(redelivered)s > 0 OR n < %(received)s
    ON CONFLICT (worker) DO UPDATE SET redelivered = worker_deliveries.redelivered + excluded.redelivered,
                                       absorbed = worker_deliveries.absorbed + excluded.absorbed
)
SELECT f.*, there.*
FROM (SELECT count(*) FILTER (WHERE status = 'ok'), count(*) FILTER (WHERE status = 'error') FROM fresh) AS f
LEFT JOIN there ON true
"""

# One row a request, whatever how often it comes: its number is that of its first time. Rows are locked by id, and keep
# the place that they had in their batch.
BUILD = """
INSERT INTO interactions_info (id, saga_id, correlation_id, partition_key, post_id, start_date, end_date,
                               total_interactions, by_type, place)
SELECT r.id, r.saga, r.correlation, r.key, r.post, r.first, r.last, coalesce(sum(c.n), 0),
       coalesce(jsonb_object_agg(c.interaction_type, c.n) FILTER (WHERE c.n IS NOT NULL), '{}'), r.place
FROM jsonb_to_recordset(%(requests)s::jsonb) AS r(
    id uuid, saga text, correlation text, key text, post text, first date, last date, place integer)
LEFT JOIN LATERAL (
    SELECT interaction_type, count(*) AS n FROM interactions
    WHERE target_element_id = r.post AND day BETWEEN r.first AND r.last GROUP BY interaction_type
) AS c ON true
GROUP BY r.id, r.saga, r.correlation, r.key, r.post, r.first, r.last, r.place ORDER BY r.id
ON CONFLICT DO NOTHING
"""
OTHER_REQUESTS = """
SELECT there.id::text FROM interactions_info AS there
JOIN jsonb_to_recordset(%(requests)s::jsonb) AS r(id uuid, saga text, post text, first date, last date) USING (id)
WHERE (there.saga_id, there.post_id, there.start_date, there.end_date) <> (r.saga, r.post, r.first, r.last)
"""

_NOTHING = "[]"
# Of the parameters. What is far beyond would break limits of the protocol and of jsonb, as errors of neither kind.
MOST_BYTES = 64 * 2**20


def parameters(batch: Batch, worker: str) -> dict[str, Any]:
    """The statement's parameters: three JSON arrays, whatever the batch's size."""
    interactions: list[dict[str, Any]] = [
        {
            "id": i.id,
            "kind": i.interaction_type,
            "element": i.target_element_id,
            "element_type": i.target_element_type,
            "campaign": i.campaign_id,
            "at": (at := i.timestamp.isoformat()),
            "day": at[:10],
            "amount": i.amount,
            "currency": i.currency,
            # Left out where it is false, as it mostly is: each member costs a little on both sides.
            **({"given": True} if i.timestamp_given else {}),
        }
        for i in batch.interactions.values()
    ]
    inbox = [
        {"id": p.id, "generation": p.generation, "status": "ok", "day": p.day.isoformat()}
        for p in batch.probes.values()
    ]
    inbox += [
        {"id": r.id, "generation": r.generation, "status": "error", "day": r.day.isoformat()}
        for r in batch.rejected.values()
    ]
    letters = [
        {
            "id": r.id,
            "generation": r.generation,
            "topic": storable(r.topic),
            "partition_key": storable(r.partition_key),
            "properties": {storable(name): storable(value) for name, value in r.properties.items()},
            "body": r.body.hex(),
            "reason": storable(r.reason),
        }
        for r in batch.rejected.values()
    ]
    return {
        "interactions": json.dumps(interactions) if interactions else _NOTHING,
        "inbox": json.dumps(inbox) if inbox else _NOTHING,
        "letters": json.dumps(letters) if letters else _NOTHING,
        "worker": worker,
        "received": batch.messages,
        "redelivered": batch.redelivered,
    }


def _there(row: Sequence[Any], incoming: Mapping[str, Interaction]) -> tuple[str, Interaction | None]:
    """An id and what stands under it. Where nobody knows who gave its time, it is as good as the incoming one's."""
    event_id, kind, element, element_type, campaign, at, amount, currency, given = row
    if kind is None:
        return str(event_id), None
    if given is None:
        at, given = incoming[str(event_id)].timestamp, incoming[str(event_id)].timestamp_given
    at = at.astimezone(UTC)
    return str(event_id), Interaction(str(event_id), kind, element, element_type, campaign, at, amount, currency, given)


class Counter:
    """The store of one worker: one connection, made anew after an error."""

    def __init__(self, conninfo: str, worker: str) -> None:
        self._conninfo = conninfo
        self._worker = worker
        self._connection: psycopg.Connection[Any] | None = None

    def apply(self, batch: Batch) -> Applied:
        """Count the batch; return what was new of it, and what stood there already. Committed once this returns.

        Raises Unacceptable for SQLSTATE classes 22, 23 and 54, and for what is too much at once; psycopg.Error for
        troubles that pass: classes 08, 40, 53, 57 and a connection that breaks or does not come about; Refuses for
        everything else.
        """
        values = parameters(batch, self._worker)
        size = sum(len(values[name]) for name in ("interactions", "inbox", "letters"))
        if size > MOST_BYTES:
            raise Unacceptable(f"{size} bytes are too many")
        rows = self._execute(COUNT, values)
        ok, errors = rows[0][:2]
        found = (_there(row[2:], batch.interactions) for row in rows if row[2] is not None)
        return Applied(ok, errors, dict(found))

    def build(self, requests: Sequence[InfoRequest]) -> Sequence[str]:
        """Store the answer to each request; return the ids under which another request stands. Committed once this
        returns. Raises as `apply` does."""
        values = {
            "requests": json.dumps(
                [
                    {
                        "id": r.id,
                        "saga": r.saga_id,
                        "correlation": storable(r.correlation_id),
                        "key": storable(r.key),
                        "post": r.post_id,
                        "first": r.first.isoformat(),
                        "last": r.last.isoformat(),
                        "place": place,
                    }
                    for place, r in {r.id: (place, r) for place, r in reversed(list(enumerate(requests)))}.values()
                ]
            )
        }
        self._execute(BUILD, values)
        return [row[0] for row in self._execute(OTHER_REQUESTS, values)]

    def _execute(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with judged(self.close):
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._conninfo, "alpes-worker")
            done = self._connection.execute(statement, values, prepare=True)
            return done.fetchall() if done.description else []

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
