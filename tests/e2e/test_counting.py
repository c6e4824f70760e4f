"""From a POST to the daily statistics: each event must be counted exactly once."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.conftest import EVENT, Stack
from tests.waiting import eventually


def test_a_hundred_posts_must_move_the_statistics_by_a_hundred(stack: Stack) -> None:
    before = stack.settled()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stack.post(), range(100)))
    assert {status for status, _ in answers} == {201}
    assert {body["status"] for _, body in answers} == {"success"}
    assert len({body["interaction_id"] for _, body in answers}) == 100
    eventually(lambda: stack.counted() >= before + 100, what="a hundred more")
    assert stack.counted() == before + 100
    shown = stack.ok("stats").stdout
    assert f"{before + 100:,}" in shown


def test_the_same_id_twice_must_be_counted_once(stack: Stack) -> None:
    before, key, own = stack.settled(), str(uuid.uuid4()), str(uuid.uuid4())
    for _ in range(3):
        assert stack.post(Idempotency_Key=key) == (201, {"status": "success", "interaction_id": key})
        assert stack.post({**EVENT, "interaction_id": own})[1]["interaction_id"] == own
    last = stack.post()[1]["interaction_id"]
    eventually(lambda: stack.sql("SELECT 1 FROM interactions WHERE id = %s", last), what="the last one")
    eventually(lambda: stack.counted() == before + 3, what="three more")
    assert stack.sql("SELECT count(*) FROM interactions WHERE id IN (%s, %s)", key, own) == [(2,)]


def test_an_event_must_be_readable_once_counted(stack: Stack) -> None:
    made = stack.post({**EVENT, "campaign_id": "read-me", "timestamp": "2026-01-02T03:04:05+02:00"})[1]
    url = stack.url("tracking", 8010, f"/tracking/interactions/{made['interaction_id']}")

    def read() -> dict[str, object] | None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, object] = json.load(answer)["data"]
                return found
        except urllib.error.HTTPError as error:
            with error:
                assert (error.code, json.load(error)["error"]) == (404, "Interaction not found")
            return None

    data = eventually(read, what="the event")
    assert data["campaign_id"] == "read-me"
    assert str(data["timestamp"]).startswith("2026-01-02T01:04:05")
    assert ("2026-01-02", "ok") in stack.daily()


def test_the_list_must_page_newest_first_without_gap_or_repetition(stack: Stack) -> None:
    for _ in range(5):
        assert stack.post()[0] == 201
    eventually(lambda: stack.sql("SELECT count(*) FROM interactions")[0][0] >= 5)
    seen: list[str] = []
    cursor = ""
    while True:
        query = f"/tracking/interactions?limit=1000{cursor}"
        with urllib.request.urlopen(stack.url("tracking", 8010, query), timeout=10) as answer:
            page = json.load(answer)
        seen += [item["id"] for item in page["data"]]
        if not page.get("next_cursor"):
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen))
    assert len(seen) == stack.sql("SELECT count(*) FROM interactions")[0][0]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        ({}, "interaction_type"),
        ({**EVENT, "interaction_type": "stare"}, "interaction_type"),
        ({**EVENT, "campaign_id": 7}, "campaign_id"),
        ({**EVENT, "campaign_id": "\u0000"}, "campaign_id"),
        ({**EVENT, "interaction_id": "seven"}, "interaction_id"),
        ({**EVENT, "timestamp": "20000-01-01T00:00:00Z"}, "timestamp"),
        ({**EVENT, "timestamp": "yesterday"}, "timestamp"),
    ],
)
def test_a_bad_body_must_be_refused_with_400_and_never_counted(stack: Stack, body: object, word: str) -> None:
    status, problem = stack.post(body)
    assert status == 400
    assert word in problem["detail"] + str(problem.get("field"))
    assert problem["error"]


def test_two_answers_of_the_same_sum_must_come_from_counters_and_rows(stack: Stack) -> None:
    rows = stack.sql(
        "SELECT day::text, status, sum(n)::int FROM (SELECT day, 'ok' AS status, count(*) AS n FROM interactions"
        " GROUP BY day UNION ALL SELECT day, status, count(*) FROM inbox GROUP BY day, status) t GROUP BY 1, 2"
    )
    assert {(day, status): count for day, status, count in rows} == stack.daily()
