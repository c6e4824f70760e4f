"""Where an answer's question stood in its batch: answers are published in that order."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


# A worker of the version before leaves it out.
UP = ("ALTER TABLE interactions_info ADD COLUMN place integer NOT NULL DEFAULT 0",)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE interactions_info DROP COLUMN place")
