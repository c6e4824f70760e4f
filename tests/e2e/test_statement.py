"""The counting statement against the real database, in one made for this file: its rules hold where batches can't."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

import psycopg
import pytest

from services.setup import migrate
from services.tracking.adapters.counting import Counter
from services.tracking.domain.interaction import Interaction
from services.tracking.domain.outcomes import Outcome, Rejected
from services.tracking.handlers import DIFFERENT, Counted, count
from tests.engine import ONE_RUNTIME
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.fixture
def conninfo(database: str) -> str:
    """A database of its own beside the stack's, migrated."""
    migrate("tracking", f"postgresql+psycopg://{database}")
    return f"postgresql://{database}"


def event(campaign: str = "123", *, given: bool = False, at: datetime = AT, number: int = 1) -> Interaction:
    return Interaction(str(uuid.UUID(int=number)), "click", "1", "button", campaign, at, timestamp_given=given)


def letter(index: int, reason: str, properties: dict[str, str] | None = None) -> Rejected:
    return Rejected(str(uuid.UUID(int=index)), 0, AT.date(), reason, "topic", "7", properties or {}, b"\x00\xff")


def apply(conninfo: str, *outcomes: Outcome) -> Counted:
    store = Counter(conninfo, "w1")
    try:
        return count(store, outcomes, 0, letter)
    finally:
        store.close()


def rows(conninfo: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


LETTERS = "SELECT reason, partition_key, properties, body FROM dead_letters ORDER BY id"
COUNTS = "SELECT status, count FROM conversion_daily_status ORDER BY status"


def test_another_content_under_a_counted_id_must_be_one_error_that_says_so(conninfo: str) -> None:
    assert apply(conninfo, event()).ok == 1
    later = datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert apply(conninfo, event(at=later)) == Counted()
    for given in (event("other"), event(given=True)):
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("TRUNCATE dead_letters, inbox")
            connection.execute("DELETE FROM conversion_daily_status WHERE status = 'error'")
        assert apply(conninfo, event(number=2), given).errors == 1
        assert apply(conninfo, event(number=2), given) == Counted()
        assert rows(conninfo, LETTERS) == [(DIFFERENT, "7", {}, b"\x00\xff")]
        assert dict(rows(conninfo, COUNTS))["error"] == 1
    assert rows(conninfo, "SELECT campaign_id FROM interactions ORDER BY id") == [("123",), ("123",)]


def test_a_time_that_its_caller_gave_must_be_the_same(conninfo: str) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert apply(conninfo, event(given=True, at=moment)).ok == 1
    assert apply(conninfo, event(given=True, at=moment)) == Counted()
    assert apply(conninfo, event(given=True)).errors == 1


def test_a_row_from_before_must_be_compared_without_its_time(conninfo: str) -> None:
    apply(conninfo, event())
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("UPDATE interactions SET timestamp_given = NULL")
    assert apply(conninfo, event(given=True, at=datetime(2026, 1, 1, tzinfo=UTC))) == Counted()
    assert apply(conninfo, event("other")).errors == 1


@pytest.mark.parametrize(("campaign", "errors"), [("123", 0), ("other", 1)])
def test_a_row_committed_while_the_statement_runs_must_be_compared_too(
    conninfo: str, campaign: str, errors: int
) -> None:
    results: list[Counted] = []
    with psycopg.connect(conninfo) as other:
        other.execute(
            "INSERT INTO interactions (id, interaction_type, target_element_id, target_element_type, campaign_id,"
            ' "timestamp", day, counted_by, timestamp_given) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, false)',
            (uuid.UUID(int=1), "click", "1", "button", campaign, AT, AT.date(), "w2"),
        )
        thread = threading.Thread(target=lambda: results.append(apply(conninfo, event(), event(number=2))))
        thread.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'alpes-worker' AND wait_event_type = 'Lock'"
        eventually(lambda: rows(conninfo, waiting), what="the worker waits for the other")
        other.commit()
        thread.join(30)
    assert [(counted.ok, counted.errors) for counted in results] == [(1, errors)]
    assert rows(conninfo, COUNTS) == [*([("error", 1)] * errors), ("ok", 1)]


def test_a_dead_letter_that_breaks_a_rule_must_be_kept_bare(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("ALTER TABLE dead_letters ADD CONSTRAINT few CHECK (properties = '{}')")
    sent = [event(number=1), letter(5, "unknown name 'x'", {"name": "x"}), event(number=2)]
    counted = apply(conninfo, *sent)
    assert (counted.ok, counted.errors) == (2, 1)
    reason = "unknown name 'x'; kept without key and properties: 23514 CheckViolation few"
    assert rows(conninfo, LETTERS) == [(reason, "", {}, b"\x00\xff")]
    assert apply(conninfo, *sent) == Counted()
