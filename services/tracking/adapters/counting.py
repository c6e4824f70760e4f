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

from services.tracking.adapters.database import connect
from services.tracking.domain.errors import Refuses, Unacceptable
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Applied, Batch

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

_NOTHING = "[]"
# SQLSTATE classes of troubles that pass: connection, rollback, resources, an operator's intervention.
PASSING = frozenset({"08", "40", "53", "57"})
# Those of what is in a batch: a value, a constraint, more than a limit of the program takes.
OF_ITS_CONTENT = frozenset({"22", "23", "54"})
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
            "topic": _storable(r.topic),
            "partition_key": _storable(r.partition_key),
            "properties": {_storable(name): _storable(value) for name, value in r.properties.items()},
            "body": r.body.hex(),
            "reason": _storable(r.reason),
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


def _storable(text: str) -> str:
    """PostgreSQL stores neither U+0000 nor lone surrogates; a dead letter must always be storable."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def passes(error: psycopg.Error) -> bool:
    """Whether waiting helps."""
    if error.sqlstate is None:
        # The client's own: of these, the connection's pass.
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in PASSING


def _why(error: psycopg.Error) -> str:
    """The error by its names alone: its text may quote the event."""
    return " ".join(filter(None, (error.sqlstate, type(error).__name__, error.diag.constraint_name)))


def _named(error: psycopg.Error) -> str:
    line = (str(error).splitlines() or [""])[0]
    return f"{error.sqlstate or type(error).__name__} {line}".strip()


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
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._conninfo, "alpes-worker")
            rows = self._connection.execute(COUNT, values, prepare=True).fetchall()
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] in OF_ITS_CONTENT:
                raise Unacceptable(_why(error)) from error
            self.close()
            if not passes(error):
                raise Refuses(f"the database refuses: {_named(error)}") from error
            raise
        ok, errors = rows[0][:2]
        found = (_there(row[2:], batch.interactions) for row in rows if row[2] is not None)
        return Applied(ok, errors, dict(found))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
