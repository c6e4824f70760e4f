"""What each campaign got, by day and type, kept as interactions come in; and pages of one campaign's interactions.

A trigger keeps the counters, not the counting statement: workers of the version before go on counting while this
migration runs and after it, and what they count must be in the counters too.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UP = (
    """
    CREATE TABLE campaign_daily_counts (
        campaign_id text NOT NULL,
        day date NOT NULL,
        interaction_type text NOT NULL,
        currency text NOT NULL,
        count bigint NOT NULL,
        amount numeric NOT NULL,
        PRIMARY KEY (campaign_id, day, interaction_type, currency)
    )
    """,
    # In the order of the key, so that two workers don't wait for each other.
    """
    CREATE FUNCTION count_campaigns() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO campaign_daily_counts AS there (campaign_id, day, interaction_type, currency, count, amount)
        SELECT campaign_id, day, interaction_type, coalesce(currency, ''), count(*), coalesce(sum(amount), 0)
        FROM added GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (campaign_id, day, interaction_type, currency)
        DO UPDATE SET count = there.count + excluded.count, amount = there.amount + excluded.amount;
        RETURN NULL;
    END $$
    """,
    # Nothing may come in between what is added up here and the trigger.
    "LOCK TABLE interactions IN SHARE ROW EXCLUSIVE MODE",
    """
    INSERT INTO campaign_daily_counts (campaign_id, day, interaction_type, currency, count, amount)
    SELECT campaign_id, day, interaction_type, coalesce(currency, ''), count(*), coalesce(sum(amount), 0)
    FROM interactions GROUP BY 1, 2, 3, 4
    """,
    """
    CREATE TRIGGER interactions_of_campaigns AFTER INSERT ON interactions
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_campaigns()
    """,
    'CREATE INDEX interactions_of_campaign ON interactions (campaign_id, "timestamp", id)',
)

DOWN = (
    "DROP INDEX interactions_of_campaign",
    "DROP TRIGGER interactions_of_campaigns ON interactions",
    "DROP FUNCTION count_campaigns",
    "DROP TABLE campaign_daily_counts",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
