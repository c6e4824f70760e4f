"""A walk through the user's document, row by row, on a stack of its own.

In the document's order, but for three rows: 1 and 2 want the whole stack, which comes up for row 10, since row 5 is
about four services that nothing else runs beside; row 3 is the way that the messages of 8 take, and is told with it.

On Docker in the document's own words (`docker exec`, `docker logs`), on local processes by `alpesctl exec` and
`alpesctl logs`; `alpesctl up` on both, for `docker compose`, which an engine may lack. Pulsar's own tools are the
outside judges.

Shortened: pulsar-perf and `scenario performance` send for 5 and 10 seconds instead of 60, the curl loop takes 200
turns and `scenario availability` 2,000 requests instead of 10,000. Both scenarios are walked on local processes only;
test_scenario.py runs them on Docker.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Stack, made
from tests.e2e.test_scenario import run
from tests.e2e.test_shutdown import publish
from tests.e2e.tools import tool
from tests.engine import RUNTIMES
from tests.waiting import eventually

TURNS = 200
WORKERS = 6
MESSAGES = 60_000
SUBSET = ("tracking_db", "pulsar", "tracking", "tracking_worker")
BODY = '{"interaction_type":"click","target_element_id":"123","target_element_type":"button","campaign_id":"123"}'


@pytest.fixture(scope="module", params=RUNTIMES)
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of which nothing is there yet."""
    images = request.getfixturevalue("images") if request.param == "docker" else {}
    with made(request.param, tmp_path_factory.mktemp("walk"), images, f"walk-{request.param}") as stack:
        yield stack


def shell(script: str) -> str:
    """What a line of the document prints."""
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_document_must_work_from_top_to_bottom(fresh: Stack) -> None:
    the_smoke_tests_four_services(fresh)
    keep_everything(fresh)
    health(fresh)
    two_probes(fresh)
    counted = 2 + capacity(fresh)
    the_whole_stack(fresh)
    counted += availability(fresh)
    assert fresh.settled() == counted
    key_shared(fresh)
    graceful_shutdown(fresh, counted)


def the_smoke_tests_four_services(fresh: Stack) -> None:
    """4, 5: the four variables of .env, its URL for psycopg2; four services, with what they need."""
    assert {
        "PULSAR_URL=pulsar://pulsar:6650",
        "DATABASE_URL=postgresql+psycopg2://app:app@tracking_db:5432/app",
        "TOPIC_COMMANDS_TRACKING=commands.tracking",
        "SUBSCRIPTION_NAME=tracking-svc",
    } <= set(fresh.env_file.read_text().splitlines())
    fresh.ok("up", *(["--build"] if fresh.runtime == "docker" else []), *SUBSET, timeout=900)
    running = {replica.service for replica in fresh.project().runtime.replicas(with_health=False)}
    assert running == {*SUBSET, "tracking_setup"}


def keep_everything(fresh: Stack) -> None:
    """6: by Pulsar's own tool, then by ours on a namespace that has none of its own again."""
    tool(fresh, "pulsar-admin", "namespaces", "set-retention", "public/default", "--size", "-1", "--time", "-1")
    assert kept(fresh) == {("unlimited", "unlimited")}
    fresh.ok("retention", "set", "--inherit")
    assert ("unlimited", "unlimited") not in kept(fresh)
    fresh.ok("retention", "set", "--size", "-1", "--time", "-1")
    assert kept(fresh) == {("unlimited", "unlimited")}


def kept(fresh: Stack) -> set[tuple[str, str]]:
    """Size and time of the namespace's retention, and of each topic's."""
    shown = fresh.ok("retention", "show", "--json").data
    return {(each["size"], each["time"]) for each in (shown["namespace"], *shown["topics"])}


def health(fresh: Stack) -> None:
    """7."""
    said = json.loads(shell(f"curl -s {fresh.url('tracking', 8010, '/tracking/health')}"))
    assert said["status"] == "healthy"


def two_probes(fresh: Stack) -> None:
    """3, 8: Pulsar's own client, the worker, its database, the endpoint: count=2, exactly."""
    tool(fresh, "pulsar-client", "produce", "-m", '{"demo":true}', "-n", "2", "-k", "test", "commands.tracking")
    daily = f"curl -s {fresh.url('tracking', 8010, '/tracking/stats/daily')}"
    eventually(lambda: [item["count"] for item in json.loads(shell(daily))["items"]] == [2], what="count=2")
    told = fresh.ok("stats", "--json").data["statistics"]
    assert [each["title"] for each in told] == ["Tracking, by day and status", "Tracking, by campaign and type"]
    assert [item["count"] for item in told[0]["items"]] == [2]


def capacity(fresh: Stack) -> int:
    """9: partitions, six workers, pulsar-perf without its -m: every record that it says it sent is counted; then our
    scenario. How many messages that were."""
    fresh.ok("partition", "set", "commands.tracking=6")
    fresh.ok("scale", f"tracking_worker={WORKERS}")
    said = tool(fresh, "pulsar-perf", "produce", "-r", "1500", "-time", "5", "commands.tracking")
    (records,) = re.findall(r"Aggregated throughput stats --- (\d+) records sent", said)
    sent = int(records)
    assert sent > 5_000
    eventually(lambda: fresh.counted() >= 2 + sent, what=f"{sent} more")
    assert fresh.settled() == 2 + sent
    if fresh.runtime == "local":
        sent += proven(fresh, "performance", "--rate", "1500", "--duration", "10")
        assert fresh.settled() == 2 + sent
    return sent


def proven(fresh: Stack, *words: str) -> int:
    """How many events a scenario sent that passed, those of its warm-up too; all of its sources hold as many."""
    data: Any = run(fresh, *words)
    sent: int = data["load"]["sent"]
    assert data["findings"]["lost_total"] == data["findings"]["duplicated_total"] == 0
    assert data["sources"]["rows"]["ids"] == sent
    third = data["sources"]["topic"] or data["sources"]["access_log"]
    assert third.get("ids", third.get("keys")) == sent
    return sent


def the_whole_stack(fresh: Stack) -> None:
    """2, 1, 10: the affiliates service answers; nginx has three replicas behind it."""
    fresh.ok("up")
    with urllib.request.urlopen(fresh.url("affiliates", 8000, "/affiliates/"), timeout=10) as answer:
        assert json.load(answer) == []
    assert len(fresh.project().runtime.replicas(["tracking"])) == 3


def availability(fresh: Stack) -> int:
    """11, 12: the document's loop, as it is written but for its port, and a line of nginx's log for each turn; then our
    scenario, which reconciles that log by itself. How many requests that were."""
    nginx = fresh.url("tracking_nginx", 8040)
    post = f"curl -s -X POST {nginx}/tracking/interactions -H 'Content-Type: application/json' -d '{BODY}'"
    answers = shell(f"for i in $(seq 1 {TURNS}); do {post}; echo; done").splitlines()
    assert {json.loads(answer)["status"] for answer in answers} == {"success"} and len(answers) == TURNS
    if fresh.runtime == "docker":
        logs = f"docker logs {fresh.project_name}-tracking_nginx-1 2>/dev/null"
    else:
        logs = " ".join(fresh.command("logs", "tracking_nginx"))
    found = shell(f"cd {ROOT}; ALPES_RUNTIME={fresh.runtime} {logs} | grep /tracking/interactions | wc -l")
    assert int(found) == TURNS
    return TURNS + (proven(fresh, "availability", "--requests", "2000") if fresh.runtime == "local" else 0)


def key_shared(fresh: Stack) -> None:
    """13: all workers on each partition, as Pulsar's own tool sees it."""
    said = tool(fresh, "pulsar-admin", "topics", "partitioned-stats", "commands.tracking", "--per-partition")
    partitions = json.JSONDecoder().raw_decode(said, said.index("{"))[0]["partitions"]
    assert len(partitions) == 6
    for name, partition in partitions.items():
        subscription = partition["subscriptions"]["tracking-svc"]
        assert (subscription["type"], len(subscription["consumers"])) == ("Key_Shared", WORKERS), name


def graceful_shutdown(fresh: Stack, before: int) -> None:
    """14: told to stop in the midst of a backlog, all workers end by themselves and leave their subscription; what they
    had counted, and what was left, make the whole."""
    numbers, runtime = range(1, WORKERS + 1), fresh.project().runtime
    stops = [partial(fresh.project().runtime.stop, "tracking_worker", number) for number in numbers]
    for number in numbers:
        runtime.pause("tracking_worker", number)
    publish(fresh, MESSAGES)
    for number in numbers:
        runtime.unpause("tracking_worker", number)
    eventually(lambda: fresh.counted() > before, what="the workers are at it")
    with ThreadPoolExecutor(WORKERS) as pool:
        codes = list(pool.map(lambda stop: stop(), stops))
    assert codes == [0] * WORKERS
    assert before < fresh.counted() < before + MESSAGES, "they did not stop in the midst"
    assert not any(fresh.project().admin().stats("commands.tracking").subscriptions["tracking-svc"].consumers.values())
    fresh.ok("up")
    assert fresh.settled() == before + MESSAGES
