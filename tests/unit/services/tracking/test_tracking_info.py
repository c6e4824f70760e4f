"""Questions of other services: read, answered once, never counted."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from services.tracking.adapters.decoding import decode, reject
from services.tracking.domain.outcomes import InfoRequest, Outcome, Rejected
from services.tracking.handlers import OTHER_REQUEST, count
from tests.unit.services.tracking.test_tracking_handlers import event
from tests.unit.services.tracking.tracking_fakes import FakeMessage, FakeStore

OWN = "0b7a8a7e-0000-4000-8000-000000000001"
BODY: dict[str, Any] = {
    "msg_id": OWN,
    "saga_id": "saga",
    "payload": {"post_id": "p", "start_date": "2026-11-01", "end_date": "2026-11-30"},
}


def message(body: object = BODY, **properties: str) -> FakeMessage:
    return FakeMessage(json.dumps(body).encode(), {"name": "BuildInteractionsInfo", **properties})


def request(number: int = 1, post: str = "p") -> InfoRequest:
    return InfoRequest(f"request-{number}", "saga", "walk", "7", post, date(2026, 11, 1), date(2026, 11, 30))


def test_a_question_is_read() -> None:
    found = decode(message(correlationId="walk"))
    assert found == InfoRequest(OWN, "saga", "walk", "7", "p", date(2026, 11, 1), date(2026, 11, 30))


def test_a_question_is_named_by_its_envelope_its_command_or_its_place() -> None:
    without = {name: value for name, value in BODY.items() if name != "msg_id"}
    named, placed = decode(message(without, commandId=OWN)), decode(message(without))
    assert isinstance(named, InfoRequest) and named.id == OWN
    assert isinstance(placed, InfoRequest) and placed.id == decode_place(message())


def decode_place(of: FakeMessage) -> str:
    return reject(of, "").id


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"msg_id": "7"}, "msg_id: must be a UUID"),
        ({"saga_id": None}, "saga_id: is required"),
        ({"payload": None}, "payload: must be a JSON object"),
        ({"payload": {**BODY["payload"], "post_id": 7}}, "post_id: must be a string"),
        (
            {"payload": {**BODY["payload"], "start_date": "soon"}},
            "start_date: must be an ISO 8601 date such as 2026-01-31",
        ),
        ({"payload": {**BODY["payload"], "end_date": "2026-10-01"}}, "end_date: must not lie before start_date"),
    ],
)
def test_a_question_that_breaks_a_rule_is_a_dead_letter(changes: dict[str, Any], reason: str) -> None:
    found = decode(message({**BODY, **changes}))
    assert isinstance(found, Rejected) and found.reason == reason


def test_a_key_that_can_not_be_read_is_none() -> None:
    found = decode(FakeMessage(json.dumps(BODY).encode(), {"name": "BuildInteractionsInfo"}, key=None))
    assert isinstance(found, InfoRequest) and found.key == ""


def rejected(index: int, why: str) -> Rejected:
    return Rejected(f"letter-{index}", 0, date(2026, 11, 24), why, "topic", "7", {}, b"")


def test_questions_are_answered_after_what_came_before_them_and_not_counted() -> None:
    store = FakeStore()
    outcomes: list[Outcome] = [request(1), event(1), request(2)]
    counted = count(store, outcomes, 0, rejected)
    assert (counted.ok, counted.errors, counted.requests) == (1, 0, 2)
    assert [batch.messages for batch in store.batches] == [1]
    assert store.answered == {"request-1": (request(1), 1), "request-2": (request(2), 1)}


def test_a_question_that_comes_again_keeps_its_answer() -> None:
    store = FakeStore()
    count(store, [request()], 0, rejected)
    count(store, [event(1), request(), request()], 0, rejected)
    assert store.answered == {"request-1": (request(), 0)}


def test_another_question_under_the_same_id_is_a_dead_letter() -> None:
    store = FakeStore()
    count(store, [request()], 0, rejected)
    counted = count(store, [request(post="other")], 0, rejected)
    assert (counted.errors, [letter.reason for letter in counted.letters]) == (1, [OTHER_REQUEST])
    assert store.answered["request-1"] == (request(), 0)


def test_a_question_that_the_database_refuses_is_singled_out() -> None:
    store = FakeStore(lambda outcome: isinstance(outcome, InfoRequest) and outcome.post_id == "bad")
    counted = count(store, [request(1), request(2, "bad"), request(3)], 0, rejected)
    assert sorted(store.answered) == ["request-1", "request-3"]
    assert [letter.id for letter in counted.letters] == ["letter-1"]
