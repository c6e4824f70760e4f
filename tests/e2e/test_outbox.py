"""An event must be accepted while broker or database is there, and refused at once while neither is."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from urllib.parse import urlsplit

import pytest

from alpesctl.runtimes.base import Health
from tests.e2e.conftest import EVENT, Stack
from tests.e2e.load import Steady
from tests.engine import ONE_RUNTIME
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

# By hand: ALPES_TEST_AWAY_S=60 pytest -k away tests/e2e/test_outbox.py
AWAY_S = float(os.environ.get("ALPES_TEST_AWAY_S", "6"))
PATH = "/tracking/interactions"


@contextmanager
def away(stack: Stack, *services: str) -> Iterator[None]:
    """Killed inside, up and healthy again afterwards."""
    for service in services:
        stack.project().runtime.kill(service, 1)
    try:
        yield
    finally:
        stack.ok("up")


def waiting(stack: Stack) -> int:
    return int(stack.sql("SELECT count(*) FROM outbox")[0][0])


def healthy_anew(stack: Stack, pid: int | None) -> bool:
    found = stack.replica("tracking")
    return found.pid not in (None, pid) and found.health is Health.HEALTHY


def lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def send(url: str, body: object, **headers: str) -> tuple[int, dict[str, str], object]:
    """Status, headers and body of a POST."""
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, sent), timeout=15) as answer:
            return answer.status, lowered(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, lowered(error.headers), json.loads(error.read())


def test_a_broker_that_is_away_must_fail_no_event_and_lose_none(stack: Stack) -> None:
    before = stack.settled()
    with Steady(stack, rate=200.0) as load:
        eventually(lambda: len(load.answers) > 400, what="a steady load")
        with away(stack, "pulsar"):
            eventually(lambda: waiting(stack) > AWAY_S * 200 * 0.8, within=AWAY_S * 3, what="the outbox fills")
            # A replica that begins now accepts as the others do.
            pid = stack.replica("tracking", with_health=False).pid
            stack.project().runtime.signal("tracking", 1, "SIGTERM")
            eventually(lambda: healthy_anew(stack, pid), what="a replica that began while the broker was away")
        reached = len(load.answers)
        eventually(lambda: len(load.answers) > reached + 200, what="the load goes on")
    assert Counter(load.answers) == {201: len(load.answers)}
    assert stack.settled() == before + len(load.answers)
    assert stack.sql("SELECT sum(rows) FROM outbox_size") == [(0,)]


def test_a_broker_that_freezes_must_fail_no_event_and_hold_up_few(stack: Stack) -> None:
    before = stack.settled()
    with Steady(stack, rate=200.0) as load:
        eventually(lambda: len(load.answers) > 200, what="a steady load")
        stack.project().runtime.pause("pulsar", 1)
        try:
            # If each of the 32 clients waited for a receipt, this would take most of a minute.
            frozen = len(load.answers)
            eventually(lambda: len(load.answers) > frozen + 1000, within=15, what="the load goes on without receipts")
        finally:
            stack.project().runtime.unpause("pulsar", 1)
        eventually(lambda: len(load.answers) > frozen + 2000, what="the load goes on with receipts")
    assert Counter(load.answers) == {201: len(load.answers)}
    assert stack.settled() == before + len(load.answers)


def test_with_broker_and_database_away_each_event_must_be_refused_at_once_and_never_counted(stack: Stack) -> None:
    before, url = stack.settled(), stack.url("tracking_nginx", 8040, PATH)

    def refused(_: int) -> tuple[int, object, object, bool]:
        began = time.monotonic()
        status, headers, body = send(url, EVENT)
        assert isinstance(body, dict)
        return status, body["type"], headers.get("retry-after"), time.monotonic() - began < 3

    with away(stack, "pulsar", "tracking_db"), ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(refused, range(200)))
    assert answers == {(503, "nothing-attempted", "1", True): 200}
    assert stack.settled() == before


def test_an_id_with_another_body_must_be_refused_where_that_is_known_and_never_overwrite(stack: Stack) -> None:
    before, url, key = stack.settled(), stack.url("tracking", 8010, PATH), str(uuid.uuid4())
    other = {**EVENT, "campaign_id": "another"}
    assert [send(url, body, Idempotency_Key=key)[0] for body in (EVENT, other, EVENT)] == [201, 409, 201]
    assert stack.settled() == before + 1
    assert stack.sql("SELECT campaign_id FROM interactions WHERE id = %s", key) == [(EVENT["campaign_id"],)]


def test_a_batch_must_have_an_answer_for_each_event_and_count_what_it_accepted(stack: Stack) -> None:
    before, url = stack.settled(), stack.url("tracking_nginx", 8040, f"{PATH}/batch")
    key = uuid.uuid4().hex
    for _ in range(2):
        status, _, answer = send(url, [EVENT, {**EVENT, "campaign_id": 7}, EVENT], Idempotency_Key=key)
        assert isinstance(answer, dict)
        assert (status, [result["status"] for result in answer["results"]]) == (200, ["success", 400, "success"])
    status, _, answer = send(url, [EVENT] * 1000)
    assert isinstance(answer, dict)
    assert (status, len({result["interaction_id"] for result in answer["results"]})) == (201, 1000)
    assert stack.settled() == before + 1002


def declared(url: str, length: int) -> tuple[int, str | None, object]:
    """Status, media type and body of the answer to a POST that says how long its body would be."""
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=15)
    try:
        connection.putrequest("POST", target.path)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), json.load(answer)
    finally:
        connection.close()


def test_what_is_too_large_must_be_refused_alike_by_nginx_and_by_a_replica(stack: Stack) -> None:
    for path, limit in ((PATH, 64 * 1024), (f"{PATH}/batch", 2 * 1024 * 1024)):
        by_nginx, by_replica = (
            declared(stack.url(*where, path), limit + 1) for where in (("tracking_nginx", 8040), ("tracking", 8010))
        )
        assert by_nginx == by_replica
        assert by_nginx[:2] == (413, "application/problem+json")
