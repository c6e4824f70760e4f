"""A stop must lose nothing: exit code 0 within the grace period, what is in hand counted or handed back."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime

import pulsar
import pytest

from alpesctl.runtimes.base import State
from tests.e2e.conftest import EVENT, Stack
from tests.waiting import eventually


def publish(stack: Stack, count: int) -> None:
    """So many messages, each with the broker's receipt."""
    results: Counter[pulsar.Result] = Counter()
    endpoint = stack.project().runtime.endpoint("pulsar", 6650)
    client = pulsar.Client(f"pulsar://{endpoint}", logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        producer = client.create_producer(
            "commands.tracking",
            block_if_queue_full=True,
            batching_enabled=True,
            batching_type=pulsar.BatchingType.KeyBased,
        )
        for index in range(count):
            producer.send_async(b"probe", lambda result, _: results.update([result]), partition_key=str(index % 64))
        producer.flush()
    finally:
        client.close()
    assert results == {pulsar.Result.Ok: count}


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_a_worker_with_a_batch_in_hand_must_end_with_0_and_lose_nothing(stack: Stack, signal: str) -> None:
    runtime = stack.project().runtime
    before = stack.settled()
    publish(stack, 20_000)
    eventually(lambda: stack.counted() > before, what="the worker is at it")
    pid = stack.replica("tracking_worker", with_health=False).pid
    told = datetime.now(UTC)
    runtime.signal("tracking_worker", 1, signal)
    eventually(lambda: stack.replica("tracking_worker", with_health=False).pid not in (None, pid), what="a new one")
    log = [line.text for line in stack.project().runtime.logs(["tracking_worker"], since=told)]
    assert any('"stopped"' in text for text in log), f"it did not get to its last line: {log}"
    eventually(lambda: stack.counted() >= before + 20_000, within=60, what="the next one counts the rest")
    assert stack.counted() == before + 20_000


def test_a_stopped_worker_must_exit_0(stack: Stack) -> None:
    before = stack.settled()
    publish(stack, 20_000)
    eventually(lambda: stack.counted() > before, what="the worker is at it")
    assert stack.project().runtime.stop("tracking_worker", 1) == 0
    assert stack.replica("tracking_worker").state is State.EXITED
    stack.ok("up")
    eventually(lambda: stack.counted() >= before + 20_000, within=60, what="the rest")
    assert stack.counted() == before + 20_000


def test_a_replica_with_requests_in_flight_must_exit_0_and_fail_none(stack: Stack) -> None:
    before = stack.settled()
    answers: list[int] = []
    going = threading.Event()
    going.set()

    def client() -> None:
        while going.is_set():
            answers.append(stack_post(url))

    url = stack.url("tracking_nginx", 8040, "/tracking/interactions")
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: len(answers) > 200, what="a steady load")
        assert stack.project().runtime.stop("tracking", 2) == 0
        reached = len(answers)
        eventually(lambda: len(answers) > reached + 200, what="the others go on")
    finally:
        going.clear()
        for thread in threads:
            thread.join()
        stack.ok("up")
    assert set(answers) == {201}
    eventually(lambda: stack.counted() >= before + len(answers), what="all counted")
    assert stack.counted() == before + len(answers)


def stack_post(url: str) -> int:
    request = urllib.request.Request(url, json.dumps(EVENT).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
