"""Prometheus' view of the stack: what was counted, and whether it is connected, from each process itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from alpesctl.runtimes.base import Replica
from tests.e2e.conftest import EVENT, Stack
from tests.e2e.test_poison import send
from tests.poison import KINDS
from tests.waiting import eventually


def scrape(stack: Stack, service: str, port: int, number: int = 1) -> dict[tuple[str, ...], float]:
    """Samples by name and values of labels."""
    endpoint = stack.project().runtime.endpoint(service, port, number)
    with urllib.request.urlopen(f"http://{endpoint}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, *(str(value) for value in sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }


def connected(stack: Stack) -> dict[tuple[str, ...], float] | None:
    """The samples of a worker that tells that both answer; None while it doesn't: it may have begun just now."""
    samples = scrape(stack, "tracking_worker", 9010)
    both = ("tracking_worker_broker_connected", "tracking_worker_database_connected")
    return samples if all(samples[name,] == 1 for name in both) else None


def test_a_workers_metrics_must_tell_what_it_counted(stack: Stack) -> None:
    stack.settled()
    before = eventually(lambda: connected(stack), what="a worker with its broker and its database")
    sent = [(b"probe", "7", {}), *((poison.body, "7", poison.properties) for poison in KINDS[:3])]
    send(stack, sent)

    def moved(*name: str) -> float:
        return scrape(stack, "tracking_worker", 9010)[name] - before[name]

    eventually(lambda: moved("tracking_worker_dead_letters_published_total") == 3, what="three dead letters published")
    assert moved("tracking_worker_messages_total", "ok") == 1
    assert moved("tracking_worker_messages_total", "error") == 3
    assert moved("tracking_worker_batch_messages_sum") == 4
    assert 0 < moved("tracking_worker_publish_lag_seconds_sum") < 60


def test_each_of_six_workers_must_have_a_port_of_its_own(stack: Stack) -> None:
    workers: list[Replica] = []
    stack.ok("scale", "tracking_worker=6")
    try:
        workers = list(stack.project().runtime.replicas(["tracking_worker"], with_health=False))
        assert [
            scrape(stack, "tracking_worker", 9010, w.number)["build_info", "tracking-worker", "0.1.0"] for w in workers
        ] == [1] * 6
    finally:
        stack.ok("scale", "tracking_worker=1")


def test_trackings_metrics_must_tell_what_it_accepted_and_what_waits(stack: Stack) -> None:
    before = scrape(stack, "tracking", 8010)
    url = stack.url("tracking", 8010, "/tracking/interactions")
    for _ in range(3):
        request = urllib.request.Request(url, json.dumps(EVENT).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    def moved(*name: str) -> float:
        return scrape(stack, "tracking", 8010)[name] - before.get(name, 0.0)

    assert moved("tracking_events_total", "accepted") == 3
    assert moved("http_requests_total", "POST", "/tracking/interactions", "201") == 3
    assert moved("http_request_duration_seconds_count", "POST", "/tracking/interactions") == 3
    after = scrape(stack, "tracking", 8010)
    assert after["tracking_broker_connected",] == after["tracking_database_connected",] == 1
    assert after["tracking_outbox_events",] == 0


@pytest.mark.parametrize("path", ["/metrics", "//metrics", "/x/../metrics", "/%6detrics", "/metrics/", "/metrics?x=1"])
def test_nginx_must_show_no_metrics(stack: Stack, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(stack.url("tracking_nginx", 8040, path), timeout=5)
    with refused.value as answer:
        assert (answer.code, b"python_info" in answer.read()) == (404, False)
