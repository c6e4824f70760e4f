"""A worker's endpoint, asked over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.process.metrics import registry
from tests.ports import free_ports
from workers.endpoint import serve
from workers.metrics import Measured, Metrics

wrong: list[str] = []


@pytest.fixture
def url() -> Iterator[str]:
    figures = registry("tracking-worker")
    metrics = Metrics("tracking_worker", figures)
    metrics.connected("broker", lambda: not wrong)
    metrics.batch(Measured(10, 6, 1, 2, 0.2, 3600.0))
    metrics.batch(Measured(1, 1, 0, 0, -5.0, None))
    (port,) = free_ports(1)
    server = serve("127.0.0.1", port, lambda: wrong[0] if wrong else None, figures)
    yield f"http://127.0.0.1:{port}"
    wrong.clear()
    server.shutdown()
    server.server_close()


def get(url: str) -> tuple[int, str, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def test_health_is_503_with_the_reason_while_something_is_wrong(url: str) -> None:
    assert get(url + "/health")[::2] == (200, b'{"status": "ok"}')
    wrong.append("the loop is stuck")
    status, kind, body = get(url + "/health")
    assert (status, kind, json.loads(body)) == (503, "application/json", {"status": "the loop is stuck"})


def test_another_path_is_not_found(url: str) -> None:
    assert get(url + "/")[0] == 404


def figures(url: str) -> dict[str, float]:
    """Samples by name and labels."""
    _, kind, body = get(url + "/metrics")
    assert kind.startswith("text/plain")
    return {
        sample.name
        + ("{" + ",".join(f"{k}={v}" for k, v in sample.labels.items()) + "}" if sample.labels else ""): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_metrics_are_there_whatever_is_wrong_and_tell_what_became_of_messages(url: str) -> None:
    wrong.append("no connection to the broker")
    found = figures(url)
    name = "tracking_worker_"
    outcomes = {kind: found[f"{name}messages_total{{outcome={kind}}}"] for kind in ("ok", "error", "absorbed")}
    assert outcomes == {"ok": 7, "error": 1, "absorbed": 3}
    assert found[f"{name}redelivered_messages_total"] == 2
    assert (found[f"{name}batch_messages_count"], found[f"{name}batch_messages_sum"]) == (2, 11)
    assert (found[f"{name}publish_lag_seconds_count"], found[f"{name}publish_lag_seconds_sum"]) == (2, 0.2)
    assert (found[f"{name}event_lag_seconds_count"], found[f"{name}event_lag_seconds_sum"]) == (1, 3600)
    assert found[f"{name}broker_connected"] == 0
    assert found["build_info{service=tracking-worker,version=0.1.0}"] == 1
    assert found["process_start_time_seconds"] > 0
