"""Who gave an interaction's time: without that, what comes again under its id can't be compared with it."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Null for a row from before: nobody knows.
UP = ("ALTER TABLE interactions ADD COLUMN timestamp_given boolean",)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE interactions DROP COLUMN timestamp_given")
