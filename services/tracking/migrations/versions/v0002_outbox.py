"""The outbox: events accepted while the broker is away, and its size in slots that are cheap to move and to add up."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UP = (
    """
    CREATE TABLE outbox (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        fingerprint text NOT NULL,
        partition_key text NOT NULL,
        properties jsonb NOT NULL,
        body bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE outbox_size (
        slot integer PRIMARY KEY,
        rows bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Raises RuntimeError while events wait in the outbox: they are accepted."""
    # Nothing may be accepted between the count and the drop.
    op.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
    waiting = op.get_bind().exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()
    if waiting:
        raise RuntimeError(f"{waiting} events wait in the outbox: start the broker, and go down once it has them")
    for table in ("outbox_size", "outbox"):
        op.execute(f"DROP TABLE {table}")
