"""Interactions as they come in, one or many; no network, no database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from services.errors import InDoubt, NothingAttempted
from services.identity import bucket, canonical, placed
from services.tracking.adapters.decoding import STAMPED, read
from services.tracking.api.ingest import MAX_BODY, PATH
from services.tracking.domain.recent import Recent
from tests.unit.services.asgi import Answer, problem
from tests.unit.services.tracking.tracking_calls import BODY, ID, REQUEST, call, post
from tests.unit.services.tracking.tracking_fakes import FakeOutbox, FakePublisher


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


def test_a_refused_event_is_not_published() -> None:
    publisher = FakePublisher()
    post({**BODY, "interaction_type": "buy"}, publisher=publisher)
    assert publisher.sent == []
