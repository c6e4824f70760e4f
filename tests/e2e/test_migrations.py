"""Migrations on a database that has data: what was counted before must be there after, up and down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from services.setup import migrate
from tests.e2e.conftest import HELD_UP
from tests.engine import ONE_RUNTIME
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

FIRST, NEWEST = "0001", "0006"
# Two days, two campaigns, three types, two currencies; 70 rows.
DATA = """
INSERT INTO interactions (id, interaction_type, target_element_id, target_element_type, campaign_id, "timestamp", day,
                          amount, currency, counted_by)
SELECT gen_random_uuid(), (ARRAY['click', 'view', 'conversion'])[1 + i % 3], '1', 'button', 'c' || i % 2,
       '2026-11-24 10:00+00'::timestamptz + make_interval(hours => i), '2026-11-24'::date + (i % 2),
       CASE WHEN i % 3 = 2 THEN 9223372036854775807 END,
       CASE WHEN i % 3 = 2 THEN (ARRAY['EUR', 'USD'])[1 + i % 2] END, 'w'
FROM generate_series(1, 70) AS i;
INSERT INTO inbox (id, status, day, counted_by) VALUES (gen_random_uuid(), 'ok', '2026-11-24', 'w');
INSERT INTO dead_letters (id, topic, partition_key, properties, body, reason)
VALUES (gen_random_uuid(), 't', '7', '{"a": "b"}', '\\xff', 'why');
INSERT INTO conversion_daily_status VALUES ('2026-11-24', 'ok', 36), ('2026-11-25', 'ok', 35);
INSERT INTO worker_deliveries VALUES ('w', 1, 2);
"""
OF_FIRST = ("interactions", "inbox", "dead_letters", "conversion_daily_status", "worker_deliveries")
COLUMNS = """
id, interaction_type, target_element_id, target_element_type, campaign_id, "timestamp", day, amount, currency,
counted_by, created_at, updated_on
"""
BY_CAMPAIGN = """
SELECT campaign_id, day, interaction_type, coalesce(currency, ''), count(*), coalesce(sum(amount), 0)
FROM interactions GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""
KEPT = "SELECT * FROM campaign_daily_counts ORDER BY campaign_id, day, interaction_type, currency"


def to(database: str, revision: str = "head", *, down: bool = False, service: str = "tracking") -> None:
    migrate(service, f"postgresql+psycopg://{database}", revision, down=down)


def run(database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(f"postgresql://{database}", autocommit=True) as connection:
        done = connection.execute(query.encode())
        return done.fetchall() if done.description else []


def content(database: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the first revision's tables hold, in its own columns."""
    columns = {"interactions": COLUMNS}
    return {name: run(database, f"SELECT {columns.get(name, '*')} FROM {name} ORDER BY 1, 2") for name in OF_FIRST}


def test_data_of_the_first_revision_must_outlast_the_way_up_and_down(database: str) -> None:
    to(database, FIRST)
    run(database, DATA)
    before = content(database)
    assert [len(rows) for rows in before.values()] == [70, 1, 1, 2, 1]
    to(database)
    assert content(database) == before
    assert run(database, KEPT) == run(database, BY_CAMPAIGN) != []
    to(database)  # a second time: nothing to do
    to(database, FIRST, down=True)
    assert content(database) == before
    tables = run(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    assert {name for (name,) in tables} == {*OF_FIRST, "alembic_version"}
    to(database, "base", down=True)
    assert run(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("alembic_version",)]


def test_what_a_worker_of_before_counts_must_be_in_the_campaigns_too(database: str) -> None:
    to(database, FIRST)
    run(database, DATA)
    to(database)
    more = DATA[: DATA.index("INSERT INTO inbox")]
    run(database, more)
    assert run(database, "SELECT count(*) FROM interactions") == [(140,)]
    assert run(database, KEPT) == run(database, BY_CAMPAIGN)
    repeated = more.replace("gen_random_uuid()", "(SELECT id FROM interactions LIMIT 1)").replace(", 70)", ", 1)")
    run(database, repeated.rstrip().rstrip(";") + " ON CONFLICT DO NOTHING")
    assert run(database, KEPT) == run(database, BY_CAMPAIGN), "what was there already was counted again"


def test_events_that_wait_in_the_outbox_must_not_be_dropped_by_a_migration(database: str) -> None:
    to(database)
    run(database, TRACKING_EVENT)
    with pytest.raises(RuntimeError, match="1 events wait in the outbox"):
        to(database, FIRST, down=True)
    assert run(database, "SELECT count(*) FROM outbox") == [(1,)]
    assert run(database, "SELECT version_num FROM alembic_version") == [(NEWEST,)]


def test_answers_that_are_not_published_must_not_be_dropped_by_a_migration(database: str) -> None:
    to(database)
    run(database, ANSWER)
    with pytest.raises(RuntimeError, match="1 answers are not published"):
        to(database, FIRST, down=True)
    run(database, "UPDATE interactions_info SET published_at = now()")
    to(database, FIRST, down=True)


TRACKING_EVENT = """
INSERT INTO outbox (id, fingerprint, partition_key, properties, body) VALUES (gen_random_uuid(), 'f', '7', '{}', '')
"""
AFFILIATES_COMMAND = """
INSERT INTO outbox (id, fingerprint, topic, partition_key, properties, body)
VALUES (gen_random_uuid(), 'f', 't', '7', '{}', '')
"""
ANSWER = """
INSERT INTO interactions_info (id, saga_id, correlation_id, partition_key, post_id, start_date, end_date,
                               total_interactions, by_type)
VALUES (gen_random_uuid(), 's', 'c', '7', 'p', now(), now(), 1, '{}')
"""


@pytest.mark.parametrize(
    ("service", "table", "row"),
    [
        ("tracking", "outbox", TRACKING_EVENT),
        ("tracking", "interactions_info", ANSWER),
        ("affiliates", "outbox", AFFILIATES_COMMAND),
    ],
)
def test_what_is_accepted_while_a_migration_goes_down_must_stop_it(
    database: str, service: str, table: str, row: str
) -> None:
    to(database, service=service)
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(f"postgresql://{database}") as accepting:
            accepting.execute(row.encode())
            down = pool.submit(to, database, "base", down=True, service=service)
            eventually(lambda: run(database, HELD_UP) == [(1,)], within=10.0, what="the migration waits")
            accepting.commit()
        with pytest.raises(RuntimeError, match=r"1 .*"):
            down.result(timeout=30.0)
    assert run(database, f"SELECT count(*) FROM {table}") == [(1,)]


def test_the_affiliates_tables_must_come_and_go_but_never_with_what_was_accepted(database: str) -> None:
    to(database, service="affiliates")
    to(database, service="affiliates")
    run(database, AFFILIATES_COMMAND)
    with pytest.raises(RuntimeError, match="1 messages wait in the outbox"):
        to(database, "base", down=True, service="affiliates")
    run(database, "DELETE FROM outbox")
    to(database, "base", down=True, service="affiliates")
    left = run(database, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    assert left == [("alembic_version",)]
    to(database, service="affiliates")
