"""Answers to who asks how many interactions a post had; and the index that counts them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UP = (
    """
    CREATE TABLE interactions_info (
        id uuid PRIMARY KEY,
        saga_id text NOT NULL,
        correlation_id text NOT NULL,
        partition_key text NOT NULL,
        post_id text NOT NULL,
        start_date date NOT NULL,
        end_date date NOT NULL,
        total_interactions bigint NOT NULL,
        by_type jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz
    )
    """,
    "CREATE INDEX interactions_info_pending ON interactions_info (created_at) WHERE published_at IS NULL",
    "CREATE INDEX interactions_of_target ON interactions (target_element_id, day, interaction_type)",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Raises RuntimeError while answers wait for their publication: who asked would wait for ever."""
    # Nothing may be answered between the count and the drop.
    op.execute("LOCK TABLE interactions_info IN ACCESS EXCLUSIVE MODE")
    waiting = (
        op.get_bind().exec_driver_sql("SELECT count(*) FROM interactions_info WHERE published_at IS NULL").scalar_one()
    )
    if waiting:
        raise RuntimeError(f"{waiting} answers are not published: start the worker, and go down once they are")
    op.execute("DROP INDEX interactions_of_target")
    op.execute("DROP TABLE interactions_info")
