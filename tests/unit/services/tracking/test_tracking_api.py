"""The API as its callers see it, driven as ASGI; no network, no database."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from services.errors import InDoubt, NothingAttempted
from services.identity import bucket, canonical, placed
from services.storage import reading as reading_module
from services.tracking.accepting import Accepting
from services.tracking.adapters.decoding import STAMPED, read
from services.tracking.adapters.reading import CampaignCount, Wanted
from services.tracking.adapters.tables import DailyStatusRow, InteractionRow
from services.tracking.api.app import Application
from services.tracking.api.ingest import MAX_BODY, PATH
from services.tracking.domain.recent import Recent
from tests.unit.services.asgi import Answer, ask, problem
from tests.unit.services.tracking.tracking_fakes import FakeOutbox, FakePublisher

ID = "046e7f49-31d1-46f5-a17f-568f962340e1"
REQUEST = "0123456789abcdef0123456789abcdef"
BODY = {
    "interaction_type": "click",
    "target_element_id": "123",
    "target_element_type": "button",
    "campaign_id": "123",
}
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def row(number: int) -> InteractionRow:
    return InteractionRow(
        **BODY, id=UUID(int=number), timestamp=AT, day=AT.date(), counted_by="w", created_at=AT, updated_on=AT
    )


class FakeReading:
    def __init__(self, rows: Sequence[InteractionRow] = (), away: bool = False) -> None:
        self.rows = rows
        self.away = away
        self.waiting = 0
        self.asked: list[Any] = []

    def _answer(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.away:
            raise OperationalError("SELECT 1", {}, ConnectionError("refused"))

    def outbox_rows(self) -> int:
        self._answer()
        return self.waiting

    def one(self, event_id: UUID) -> InteractionRow | None:
        self._answer(event_id)
        return next((row for row in self.rows if row.id == event_id), None)

    def newest(self, limit: int, after: Any, wanted: Wanted) -> Sequence[InteractionRow]:
        self._answer(limit, after, wanted)
        return self.rows[:limit]

    def daily(self, first: date | None, last: date | None) -> Sequence[DailyStatusRow]:
        self._answer(first, last)
        return [DailyStatusRow(day=AT.date(), status="ok", count=2)]

    def campaigns(self, *asked: Any) -> Sequence[CampaignCount]:
        self._answer(*asked)
        return [
            CampaignCount("a", "click", "", 3, 0),
            CampaignCount("a", "conversion", "EUR", 2, 1250),
            CampaignCount("a", "conversion", "USD", 1, 99),
            CampaignCount("b", "view", "", 1, 0),
        ]


def call(
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    *,
    publisher: FakePublisher | None = None,
    reading: FakeReading | None = None,
    outbox: FakeOutbox | None = None,
    recent: Recent | None = None,
    chunks: list[bytes] | None = None,
) -> Answer:
    broker = publisher or FakePublisher()
    accepting = Accepting(broker, outbox or FakeOutbox(NothingAttempted("the database is away")), recent or Recent())
    app = Application(accepting, broker, reading or FakeReading(), 10)  # type: ignore[arg-type]
    return ask(app, method, target, body, headers, chunks)


def post(body: Any = BODY, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call("POST", "/tracking/interactions", raw, {"Content-Type": "application/json", **(headers or {})}, **more)


def test_an_accepted_event_is_published_under_its_id() -> None:
    publisher = FakePublisher()
    answer = post(headers={"X-Alpes-Request-ID": REQUEST}, publisher=publisher)
    expected = str(UUID(REQUEST))
    assert (answer.status, answer.body) == (201, {"status": "success", "interaction_id": expected})
    ((raw, key, properties),) = publisher.sent
    published = read(raw)
    assert {name: published[name] for name in BODY} == BODY
    assert published["interaction_id"] == expected
    assert datetime.fromisoformat(published["timestamp"]).tzinfo is not None
    assert key == bucket(expected)
    assert properties == {"name": "TrackInteraction", "commandId": expected, "correlationId": REQUEST, STAMPED: "true"}


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({**BODY, "interaction_id": ID}, {"Idempotency-Key": "other"}, ID),
        (BODY, {"Idempotency-Key": ID, "X-Alpes-Request-ID": REQUEST}, ID),
    ],
)
def test_the_same_id_gives_the_same_answer(body: Any, headers: dict[str, str], expected: str) -> None:
    assert [post(body, headers).body["interaction_id"] for _ in range(2)] == [expected, expected]


def test_without_any_id_the_answer_names_a_new_one() -> None:
    assert canonical(post().body["interaction_id"]) != canonical(post().body["interaction_id"])


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x-www-form-urlencoded"])
def test_what_curl_sends_is_read_as_json(content_type: str) -> None:
    assert post(headers={"Content-Type": content_type}).status == 201


def test_a_body_may_come_in_pieces() -> None:
    raw = json.dumps(BODY).encode()
    assert post(chunks=[raw[:10], raw[10:], b""]).status == 201


@pytest.mark.parametrize("missing", list(BODY))
def test_a_missing_field_is_named(missing: str) -> None:
    answer = post({name: value for name, value in BODY.items() if name != missing})
    assert problem(answer, 400, "invalid-interaction")["field"] == missing


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b'{"campaign_id":NaN}'])
def test_a_body_that_is_no_json_object_is_refused(raw: bytes) -> None:
    assert problem(post(raw), 400, "invalid-interaction")["field"] == ""


def test_a_key_that_is_too_long_is_refused() -> None:
    answer = post(headers={"Idempotency-Key": "k" * 256})
    assert problem(answer, 400, "invalid-interaction")["field"] == "Idempotency-Key"


def test_a_large_body_is_refused_by_its_length_and_by_what_comes() -> None:
    problem(post(headers={"Content-Length": str(MAX_BODY + 1)}), 413, "too-large")
    problem(post(chunks=[b"x" * MAX_BODY, b"x"]), 413, "too-large")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/xml"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Encoding": "gzip"},
    ],
)
def test_what_is_no_json_is_refused(headers: dict[str, str]) -> None:
    problem(post(headers=headers), 415, "unsupported-media-type")


def test_nothing_attempted_and_in_doubt_are_told_apart() -> None:
    refused = post(publisher=FakePublisher(NothingAttempted("not connected")))
    problem(refused, 503, "nothing-attempted")
    assert refused.headers["retry-after"] == "1"
    doubtful = post({**BODY, "interaction_id": ID}, publisher=FakePublisher(InDoubt("Timeout")))
    assert problem(doubtful, 504, "in-doubt")["interaction_id"] == ID


def test_an_event_that_the_broker_does_not_take_is_accepted_by_the_outbox() -> None:
    for error in (NothingAttempted("not connected"), InDoubt("Timeout")):
        outbox = FakeOutbox()
        answer = post({**BODY, "interaction_id": ID}, publisher=FakePublisher(error), outbox=outbox)
        assert (answer.status, answer.body) == (201, {"status": "success", "interaction_id": ID})
        assert list(outbox.stored) == [ID]


def test_an_id_with_another_body_is_a_conflict() -> None:
    recent, publisher = Recent(), FakePublisher()
    changes = ({}, {"campaign_id": "other"}, {"timestamp": "2026-11-24T10:00:00Z"}, {})
    answers = [
        post({**BODY, **change}, {"Idempotency-Key": ID}, recent=recent, publisher=publisher) for change in changes
    ]
    assert [answer.status for answer in answers] == [201, 409, 409, 201]
    assert problem(answers[1], 409, "key-reused")["interaction_id"] == ID
    assert len(publisher.sent) == 2


def batch(events: Any, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    raw = events if isinstance(events, bytes) else json.dumps(events).encode()
    return call("POST", f"{PATH}/batch", raw, {"Content-Type": "application/json", **(headers or {})}, **more)


def test_a_batch_has_an_answer_for_each_event_in_order() -> None:
    publisher, recent = FakePublisher(), Recent()
    events = [BODY, {**BODY, "campaign_id": 7}, {**BODY, "interaction_id": ID}, "no object"]
    events.append({**BODY, "interaction_id": ID, "campaign_id": "other"})
    answer = batch(events, {"X-Alpes-Request-ID": REQUEST}, publisher=publisher, recent=recent)
    assert answer.status == 200
    results = answer.body["results"]
    assert [result["status"] for result in results] == ["success", 400, "success", 400, 409]
    assert [results[0]["interaction_id"], results[2]["interaction_id"]] == [placed(REQUEST, 0), ID]
    assert (results[1]["field"], results[3]["field"], results[4]["type"]) == ("campaign_id", "", "key-reused")
    assert len(publisher.sent) == 2


def test_a_batch_that_comes_again_has_the_same_ids() -> None:
    for headers in ({"Idempotency-Key": "k"}, {"X-Alpes-Request-ID": REQUEST}):
        first, again = (batch([BODY, BODY], headers).body["results"] for _ in range(2))
        assert first == again
        assert first[0] != first[1]


def test_a_batch_of_which_all_is_accepted_is_a_201_and_one_of_which_nothing_could_be_attempted_a_503() -> None:
    assert batch([BODY] * 1000).status == 201
    away = FakePublisher(NothingAttempted("not connected"))
    answer = batch([BODY] * 2, publisher=away)
    problem(answer, 503, "nothing-attempted")
    assert answer.headers["retry-after"] == "1"
    assert batch([BODY, {}], publisher=away).status == 200


@pytest.mark.parametrize(
    ("raw", "rule"), [(b"", "json"), (b"{}", "list"), (b"[]", "length"), (b"[" + b"1," * 1000 + b"1]", "length")]
)
def test_what_is_no_batch_is_refused(raw: bytes, rule: str) -> None:
    assert problem(batch(raw), 400, "invalid-interaction")["rule"] == rule


def test_a_batch_has_a_limit_of_its_own() -> None:
    assert batch([{**BODY, "more": "x" * MAX_BODY}]).status == 201
    problem(batch(b"", {"Content-Length": str(2 * 2**20 + 1)}), 413, "too-large")


def test_a_bug_is_a_problem_too() -> None:
    problem(post(publisher=FakePublisher(KeyError("bug"))), 500, "internal")


def test_a_refused_event_is_not_published() -> None:
    publisher = FakePublisher()
    post({**BODY, "interaction_type": "buy"}, publisher=publisher)
    assert publisher.sent == []


def test_health_is_static_and_ready_names_what_fails() -> None:
    assert call("GET", "/tracking/health", reading=FakeReading(away=True)).status == 200
    assert call("GET", "/tracking/health/ready").status == 200
    answer = call(
        "GET",
        "/tracking/health/ready",
        publisher=FakePublisher(connected=False),
        reading=FakeReading(away=True),
    )
    found = problem(answer, 503, "not-ready")
    assert found["checks"] == {"pulsar": "not connected", "database": "does not answer", "outbox": "unknown"}


@pytest.mark.parametrize(
    ("connected", "away", "waiting", "status", "checks"),
    [
        (False, False, 9, 200, {"pulsar": "not connected", "database": "ok", "outbox": "ok"}),
        (False, False, 10, 503, {"pulsar": "not connected", "database": "ok", "outbox": "full"}),
        (True, True, 0, 200, {"pulsar": "ok", "database": "does not answer", "outbox": "unknown"}),
        (True, False, 10, 200, {"pulsar": "ok", "database": "ok", "outbox": "full"}),
    ],
)
def test_a_replica_is_ready_while_it_can_accept(
    connected: bool, away: bool, waiting: int, status: int, checks: dict[str, str]
) -> None:
    reading = FakeReading(away=away)
    reading.waiting = waiting
    answer = call("GET", "/tracking/health/ready", publisher=FakePublisher(connected=connected), reading=reading)
    assert (answer.status, answer.body["checks"]) == (status, checks)
    assert answer.body["status"] == ("degraded" if status == 200 else 503)


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


def test_a_method_that_is_not_allowed_learns_which_are() -> None:
    assert call("DELETE", "/tracking/interactions").headers["allow"] == "GET, POST"
    assert call("DELETE", "/tracking/stats/daily").headers["allow"] == "GET"
    for method in ("GET", "OPTIONS"):
        answer = call(method, f"{PATH}/batch")
        problem(answer, 405, "about:blank")
        assert answer.headers["allow"] == "POST"


def test_unknown_paths_and_methods_are_problems_too() -> None:
    problem(call("GET", "/tracking/nothing"), 404, "about:blank")
    problem(call("DELETE", "/tracking/interactions"), 405, "about:blank")


def test_openapi_shows_the_hot_path() -> None:
    paths = call("GET", "/tracking/openapi.json").body["paths"]
    post_it = paths["/tracking/interactions"]["post"]
    schema = post_it["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == set(BODY)
    assert {"201", "400", "409", "413", "415", "503", "504"} == set(post_it["responses"])
    assert "get" in paths["/tracking/interactions"]
