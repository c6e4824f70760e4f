"""The tables of the affiliates service."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UP = (
    """
    CREATE TABLE affiliates (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        email text NOT NULL UNIQUE,
        program_id text NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'active', 'suspended')),
        joined_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_on timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX affiliates_newest ON affiliates (created_at, id)",
    """
    CREATE TABLE posts (
        id uuid PRIMARY KEY,
        title text NOT NULL,
        content text NOT NULL,
        affiliate_id uuid NOT NULL REFERENCES affiliates (id),
        brand_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX posts_newest ON posts (created_at, id)",
    "CREATE INDEX posts_of_affiliate ON posts (affiliate_id, created_at, id)",
    """
    CREATE TABLE post_costs (
        id uuid PRIMARY KEY,
        post_id uuid NOT NULL REFERENCES posts (id),
        start_date date NOT NULL,
        end_date date NOT NULL,
        correlation_id text NOT NULL,
        base_cost numeric,
        interactions_count bigint,
        interaction_cost numeric,
        interaction_total_cost numeric,
        engagement_multiplier numeric,
        total_cost numeric,
        created_at timestamptz NOT NULL DEFAULT now(),
        calculated_at timestamptz
    )
    """,
    "CREATE INDEX post_costs_of_post ON post_costs (post_id, created_at, id)",
    "CREATE INDEX post_costs_waiting ON post_costs (created_at) WHERE calculated_at IS NULL",
    """
    CREATE TABLE inbox (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        fingerprint text NOT NULL,
        refusal text,
        generation integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE outbox (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL,
        fingerprint text NOT NULL,
        topic text NOT NULL,
        partition_key text NOT NULL,
        properties jsonb NOT NULL,
        body bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX outbox_of_id ON outbox (id)",
    "CREATE INDEX outbox_of_topic ON outbox (topic, position)",
    # Whoever relays hears of new rows once they are committed.
    """
    CREATE FUNCTION tell_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('outbox', '');
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER outbox_told AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION tell_outbox()",
)

TABLES = ("outbox", "inbox", "post_costs", "posts", "affiliates")


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    """Raises RuntimeError while messages wait in the outbox: they are accepted."""
    # Nothing may be accepted between the count and the drop.
    op.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
    waiting = op.get_bind().exec_driver_sql("SELECT count(*) FROM outbox").scalar_one()
    if waiting:
        raise RuntimeError(f"{waiting} messages wait in the outbox: start the broker, and go down once it has them")
    for table in TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION tell_outbox")
