"""What Prometheus and the log learn of requests, driven as ASGI with the real application inside."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from services.errors import InDoubt, NothingAttempted
from services.process.depths import Depths
from services.tracking.accepting import Accepting
from services.tracking.api import batch, ingest
from services.tracking.api.app import Application
from services.tracking.domain.recent import Recent
from services.tracking.watched import DATABASE, DEPTHS, WatchedAccepting, WatchedOutbox, connected_gauge
from services.web.measured import Measured
from tests.poison import EVENT
from tests.unit.services.tracking.tracking_fakes import FakeOutbox, FakePublisher

INTERACTIONS = "/tracking/interactions"


class Bench:
    """The service as it is wired, on fakes; `lines` is its log."""

    def __init__(self, publisher: FakePublisher | None = None, outbox: FakeOutbox | None = None) -> None:
        self.registry = CollectorRegistry()
        self.depths: tuple[float, float] | None = (3, 2)
        self.reads = 0
        broker = publisher or FakePublisher()
        store = WatchedOutbox(outbox or FakeOutbox(NothingAttempted("the database is away")), self.registry)
        accepting = WatchedAccepting(Accepting(broker, store, Recent()), self.registry)
        reading: Any = None
        application = Application(accepting, broker, reading, 10)
        connected_gauge(self.registry, broker.is_connected)
        depths = Depths(self.registry, DATABASE, DEPTHS, self._read, (ConnectionError,))
        self.app = Measured(application, self.registry, depths.refresh, (ingest.PATH, batch.PATH))
        self.lines: list[Any] = []

    async def _read(self) -> tuple[float, float]:
        self.reads += 1
        if self.depths is None:
            raise ConnectionError
        return self.depths

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "root_path": "",
            "query_string": b"",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        with capture_logs() as lines:
            asyncio.run(self.app(scope, receive, send))
        self.lines += lines
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    def post(self, **members: object) -> int:
        return self.call("POST", INTERACTIONS, json.dumps({**EVENT, **members}).encode())[0]

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_requests_are_counted_by_route_and_status() -> None:
    bench = Bench()
    assert [bench.post(), bench.post(), bench.post(campaign_id=7)] == [201, 201, 400]
    bench.call("GET", "/tracking/health")
    bench.call("GET", "/tracking/interactions/nonsense")
    bench.call("BREW", "/coffee")

    def requests(method: str, route: str, status: str) -> float | None:
        return bench.sample("http_requests_total", method=method, route=route, status=status)

    assert requests("POST", INTERACTIONS, "201") == 2
    assert requests("POST", INTERACTIONS, "400") == 1
    assert requests("GET", "/tracking/health", "200") == 1
    assert requests("GET", "/tracking/interactions/{interaction_id}", "400") == 1
    assert requests("other", "other", "404") == 1
    assert bench.sample("http_request_duration_seconds_count", method="POST", route=INTERACTIONS) == 3


@pytest.mark.parametrize(
    ("publisher", "outbox", "outcome", "status", "line"),
    [
        (FakePublisher(), None, "accepted", 201, None),
        (FakePublisher(NothingAttempted("away")), FakeOutbox(), "accepted", 201, None),
        (FakePublisher(NothingAttempted("away")), None, "refused", 503, "event refused"),
        (FakePublisher(InDoubt("Timeout")), None, "in_doubt", 504, "event in doubt"),
    ],
)
def test_events_are_counted_by_how_accepting_them_ended(
    publisher: FakePublisher, outbox: FakeOutbox | None, outcome: str, status: int, line: str | None
) -> None:
    bench = Bench(publisher, outbox)
    assert bench.post() == status
    assert bench.sample("tracking_events_total", outcome=outcome) == 1
    assert bench.sample("tracking_outbox_stored_events_total") == (1 if outbox else 0)
    assert [(one["event"], one["interaction_id"]) for one in bench.lines] == (
        [(line, EVENT["interaction_id"])] if line else []
    )


def test_another_body_under_an_id_is_counted_apart() -> None:
    bench = Bench()
    assert [bench.post(), bench.post(campaign_id="other")] == [201, 409]
    assert bench.sample("tracking_events_total", outcome="key_reused") == 1


def test_a_refused_request_leaves_a_line_that_names_the_rule_and_no_value() -> None:
    bench = Bench()
    bench.post(campaign_id=["secret"])
    (line,) = bench.lines
    assert (line["event"], line["status"], line["field"], line["rule"]) == (
        "request refused",
        400,
        "campaign_id",
        "string",
    )
    assert "secret" not in str(line)


def test_metrics_tell_what_waits_and_read_it_once_a_second() -> None:
    bench = Bench()
    for _ in range(2):
        status, body = bench.call("GET", "/metrics")
    found = {
        family.name: family.samples[0].value
        for family in text_string_to_metric_families(body.decode())
        if family.samples
    }
    assert status == 200
    assert (found["tracking_outbox_events"], found["tracking_dead_letters_pending"]) == (3, 2)
    assert found["tracking_broker_connected"] == found["tracking_database_connected"] == 1
    assert bench.reads == 1


def test_metrics_are_there_while_the_database_is_away() -> None:
    bench = Bench(FakePublisher(connected=False))
    bench.depths = None
    status, body = bench.call("GET", "/metrics")
    assert status == 200
    assert b"tracking_outbox_events NaN" in body
    assert b"tracking_database_connected 0.0" in body
    assert b"tracking_broker_connected 0.0" in body
    assert bench.call("POST", "/metrics")[0] == 404
