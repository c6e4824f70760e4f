"""Replicas that come and go under load must be found, and must lose nothing."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from datetime import UTC, datetime

from tests.e2e.conftest import Stack
from tests.e2e.load import Steady
from tests.waiting import eventually


def upstreams(stack: Stack, since: datetime) -> Counter[str]:
    """How many requests each replica has answered, by nginx's own log."""
    lines = stack.project().runtime.logs(["tracking_nginx"], since=since)
    requests = [json.loads(line.text) for line in lines if line.text.startswith('{"time"')]
    return Counter(upstream for request in requests for upstream in request["upstreams"].split(", "))


def test_replicas_added_and_dropped_under_load_must_fail_no_request(stack: Stack) -> None:
    before = stack.settled()
    with Steady(stack, rate=400.0) as load:
        eventually(lambda: len(load.answers) > 400, what="a steady load")
        stack.ok("scale", "tracking=5")
        scaled = datetime.now(UTC)
        eventually(lambda: len(upstreams(stack, scaled)) == 5, within=10, what="all five get requests")
        stack.ok("scale", "tracking=3")
        reached = len(load.answers)
        eventually(lambda: len(load.answers) > reached + 800, within=15, what="the three go on")
        # nginx looks its names up once a second: what it sends to one that has just gone, another one answers.
        later, reached = datetime.now(UTC), len(load.answers)
        eventually(lambda: len(load.answers) > reached + 400, within=15, what="the three go on")
        assert len(upstreams(stack, later)) == 3
    assert Counter(load.answers) == {201: len(load.answers)}
    eventually(lambda: stack.counted() >= before + len(load.answers), within=30, what="all counted")
    assert stack.counted() == before + len(load.answers)


def test_a_replica_killed_at_light_load_must_fail_no_request(stack: Stack) -> None:
    """With few connections none fails at once: each waits for the dead replica, and meanwhile names are resolved
    anew. The others must answer."""
    before = stack.settled()
    sent = sum(killed(stack, number) for number in (1, 2, 3))
    eventually(lambda: stack.counted() >= before + sent, within=30, what="all counted")
    assert stack.counted() == before + sent


def killed(stack: Stack, number: int) -> int:
    """Kill that replica under a light load, bring it back; how many were sent, all of them answered by 201."""
    with Steady(stack, rate=60.0, clients=60) as load:
        eventually(lambda: len(load.answers) > 20, what="a light load")
        stack.project().runtime.kill("tracking", number)
        reached = len(load.answers)
        eventually(lambda: len(load.answers) > reached + 120, what="the others answer")
    stack.ok("up")
    assert Counter(load.answers) == {201: len(load.answers)}
    return len(load.answers)


def test_replicas_restarted_one_after_the_other_must_fail_no_request(stack: Stack) -> None:
    """The first is back, and nginx takes it for dead for a while yet, when the other goes: nginx knows of nobody."""
    runtime, before = stack.project().runtime, stack.settled()
    stack.ok("scale", "tracking=2")
    try:
        with Steady(stack, rate=200.0) as load:
            eventually(lambda: len(load.answers) > 100, what="a load")
            for number in (1, 2):
                assert runtime.stop("tracking", number) == 0
                runtime.start("tracking", number)
                at = runtime.endpoint("tracking", 8010, number)
                eventually(lambda at=at: answers(at), what="it is back")
            reached = len(load.answers)
            eventually(lambda: len(load.answers) > reached + 600, what="the load goes on")
    finally:
        stack.ok("scale", "tracking=3")
    assert Counter(load.answers) == {201: len(load.answers)}
    eventually(lambda: stack.counted() >= before + len(load.answers), within=30, what="all counted")


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/tracking/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
