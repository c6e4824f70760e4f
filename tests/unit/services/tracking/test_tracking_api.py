"""The API as its callers see it, but for what goes in and out: health, problems, OpenAPI; driven as ASGI."""

from __future__ import annotations

import pytest

from services.tracking.api.ingest import PATH
from tests.unit.services.asgi import problem
from tests.unit.services.tracking.tracking_calls import BODY, FakeReading, call, post
from tests.unit.services.tracking.tracking_fakes import FakePublisher


def test_a_bug_is_a_problem_too() -> None:
    problem(post(publisher=FakePublisher(KeyError("bug"))), 500, "internal")


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
