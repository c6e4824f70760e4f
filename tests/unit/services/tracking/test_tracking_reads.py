"""What the tracking API gives back: interactions, pages, statistics; no network, no database."""

from __future__ import annotations

import base64
import threading
import time
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from services.storage import reading as reading_module
from services.tracking.adapters.reading import Wanted
from tests.unit.services.asgi import problem
from tests.unit.services.tracking.tracking_calls import AT, ID, FakeReading, call, row


def test_one_interaction() -> None:
    reading = FakeReading([row(1)])
    answer = call("GET", f"/tracking/interactions/{UUID(int=1)}", reading=reading)
    assert answer.body["status"] == "success"
    assert answer.body["data"]["timestamp"] == "2026-11-24T12:00:00+00:00"
    missing = call("GET", f"/tracking/interactions/{UUID(int=2)}", reading=reading)
    assert problem(missing, 404, "not-found")["error"] == "Interaction not found"
    wrong = call("GET", "/tracking/interactions/7", reading=reading)
    assert problem(wrong, 400, "invalid-id")["error"] == "Invalid interaction ID"


def test_pages_follow_each_other_by_a_cursor() -> None:
    reading = FakeReading([row(2), row(1)])
    first = call("GET", "/tracking/interactions?limit=2", reading=reading)
    assert [item["id"] for item in first.body["data"]] == [str(UUID(int=2)), str(UUID(int=1))]
    last = call("GET", f"/tracking/interactions?limit=3&cursor={first.body['next_cursor']}", reading=reading)
    assert reading.asked[-1] == (3, (AT, UUID(int=1)), Wanted())
    assert last.body["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"2026-11-24T12:00:00|7").decode(), "cursor"),
        ("interaction_type=buy", "interaction_type"),
        ("campaign_id=", "campaign_id"),
        ("campaign_id=a%00b", "campaign_id"),
        ("from=yesterday", "from"),
        ("to=1795688000", "to"),
        ("from=0001-01-01T00:00:00%2B01:00", "from"),
        ("to=9999-12-31T23:59:59-01:00", "to"),
    ],
)
def test_a_bad_parameter_is_named(query: str, field: str) -> None:
    answer = call("GET", f"/tracking/interactions?{query}")
    assert problem(answer, 400, "invalid-parameter")["field"] == field


def test_a_page_can_be_of_a_campaign_a_type_and_a_time() -> None:
    reading = FakeReading([row(1)])
    query = "campaign_id=c%201&interaction_type=click&from=2026-11-24T12:00:00%2B02:00&to=2026-11-25"
    assert call("GET", f"/tracking/interactions?{query}", reading=reading).status == 200
    first, before = datetime(2026, 11, 24, 10, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
    assert reading.asked == [(100, None, Wanted("c 1", "click", first, before))]


def test_campaigns_have_their_types_and_their_money() -> None:
    reading = FakeReading()
    first = call("GET", "/tracking/stats/campaigns?limit=2&from=2026-11-01&to=2026-11-30", reading=reading)
    assert first.body["items"] == [
        {"campaign_id": "a", "interaction_type": "click", "count": 3, "amounts": {}},
        {"campaign_id": "a", "interaction_type": "conversion", "count": 3, "amounts": {"EUR": 1250, "USD": 99}},
        {"campaign_id": "b", "interaction_type": "view", "count": 1, "amounts": {}},
    ]
    cursor = first.body["next_cursor"]
    last = call("GET", f"/tracking/stats/campaigns?limit=3&cursor={cursor}&campaign_id=b", reading=reading)
    assert last.body["next_cursor"] is None
    assert reading.asked == [
        (2, None, None, date(2026, 11, 1), date(2026, 11, 30)),
        (3, "b", "b", None, None),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("cursor=%C3%A9", "cursor"), ("cursor=AA", "cursor"), ("from=x", "from")],
)
def test_a_bad_parameter_of_campaigns_is_named(query: str, field: str) -> None:
    answer = call("GET", f"/tracking/stats/campaigns?{query}")
    assert problem(answer, 400, "invalid-parameter")["field"] == field


def test_daily_statistics_have_the_originals_shape() -> None:
    reading = FakeReading()
    answer = call("GET", "/tracking/stats/daily?from=2026-11-01&to=2026-11-30", reading=reading)
    assert answer.body == {"items": [{"day": "2026-11-24", "status": "ok", "count": 2}]}
    assert reading.asked == [(date(2026, 11, 1), date(2026, 11, 30))]
    for wrong in ("x", "0", "2026-13-01"):
        problem(call("GET", f"/tracking/stats/daily?from={wrong}"), 400, "invalid-parameter")


def test_a_database_that_is_away_is_a_503() -> None:
    problem(call("GET", "/tracking/stats/daily", reading=FakeReading(away=True)), 503, "database-away")


@pytest.mark.parametrize("target", ["/tracking/stats/daily", "/tracking/interactions", f"/tracking/interactions/{ID}"])
def test_a_database_that_says_nothing_is_a_503(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    class Frozen(FakeReading):
        def _answer(self, *asked: Any) -> None:
            goes_on.wait(5)

    monkeypatch.setattr(reading_module, "READ_S", 0.05)
    began = time.monotonic()
    answer = call("GET", target, reading=Frozen())
    took = time.monotonic() - began
    goes_on.set()
    problem(answer, 503, "database-away")
    assert took < 4
