"""The tables of the tracking service."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UP = (
    """
    CREATE TABLE interactions (
        id uuid PRIMARY KEY,
        interaction_type text NOT NULL,
        target_element_id text NOT NULL,
        target_element_type text NOT NULL,
        campaign_id text NOT NULL,
        "timestamp" timestamptz NOT NULL,
        day date NOT NULL,
        amount bigint,
        currency text,
        counted_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_on timestamptz NOT NULL DEFAULT now()
    )
    """,
    'CREATE INDEX interactions_newest ON interactions ("timestamp", id)',
    """
    CREATE TABLE inbox (
        id uuid NOT NULL,
        generation integer NOT NULL DEFAULT 0,
        status text NOT NULL CHECK (status IN ('ok', 'error')),
        day date NOT NULL,
        counted_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (id, generation)
    )
    """,
    """
    CREATE TABLE dead_letters (
        id uuid NOT NULL,
        generation integer NOT NULL DEFAULT 0,
        topic text NOT NULL,
        partition_key text NOT NULL,
        properties jsonb NOT NULL,
        body bytea NOT NULL,
        reason text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz,
        PRIMARY KEY (id, generation)
    )
    """,
    "CREATE INDEX dead_letters_pending ON dead_letters (created_at) WHERE published_at IS NULL",
    """
    CREATE TABLE conversion_daily_status (
        day date NOT NULL,
        status text NOT NULL,
        count bigint NOT NULL,
        PRIMARY KEY (day, status)
    )
    """,
    """
    CREATE TABLE worker_deliveries (
        worker text PRIMARY KEY,
        redelivered bigint NOT NULL,
        absorbed bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for table in ("worker_deliveries", "conversion_daily_status", "dead_letters", "inbox", "interactions"):
        op.execute(f"DROP TABLE {table}")
