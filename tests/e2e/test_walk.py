"""A walk through the user's document from top to bottom, in its order, on a stack of its own.

On Docker in the document's own words (`docker exec`, `docker logs`), but for `docker compose`, which an engine may
lack; on local processes by `alpesctl exec` and `alpesctl logs`. Pulsar's own tools are the outside judges.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import ROOT, Stack, made
from tests.e2e.tools import tool
from tests.engine import RUNTIMES
from tests.waiting import eventually

TURNS = 200
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
    # 4, 5: the four variables of .env, its URL for psycopg2; the smoke test's four services, with what they need.
    assert "DATABASE_URL=postgresql+psycopg2://app:app@tracking_db:5432/app" in fresh.env_file.read_text().splitlines()
    fresh.ok("up", *(["--build"] if fresh.runtime == "docker" else []), *SUBSET, timeout=900)
    running = {replica.service for replica in fresh.project().runtime.replicas(with_health=False)}
    assert running == {*SUBSET, "tracking_setup"}

    # 6: keep everything.
    tool(fresh, "pulsar-admin", "namespaces", "set-retention", "public/default", "--size", "-1", "--time", "-1")
    kept = fresh.ok("retention", "show", "--json").data
    assert {(each["size"], each["time"]) for each in (kept["namespace"], *kept["topics"])} == {
        ("unlimited", "unlimited")
    }

    # 7: health.
    health = json.loads(shell(f"curl -s {fresh.url('tracking', 8010, '/tracking/health')}"))
    assert health["status"] == "healthy"

    # 8: two probes of Pulsar's own client, then count=2, exactly.
    tool(fresh, "pulsar-client", "produce", "-m", '{"demo":true}', "-n", "2", "-k", "test", "commands.tracking")
    daily = f"curl -s {fresh.url('tracking', 8010, '/tracking/stats/daily')}"
    eventually(lambda: [item["count"] for item in json.loads(shell(daily))["items"]] == [2], what="count=2")

    # 9: partitions, six workers, pulsar-perf without its -m; every record that it says it sent is counted.
    fresh.ok("partition", "set", "commands.tracking=6")
    fresh.ok("scale", "tracking_worker=6")
    said = tool(fresh, "pulsar-perf", "produce", "-r", "1500", "-time", "10", "commands.tracking")
    sent = [int(number) for number in re.findall(r"Aggregated throughput stats --- (\d+) records sent", said)]
    assert len(sent) == 1 and sent[0] > 10_000
    eventually(lambda: fresh.counted() >= 2 + sent[0], what=f"{sent[0]} more")
    assert fresh.settled() == 2 + sent[0]

    # 3: the services' own words for it, of what is up.
    told = fresh.ok("stats", "--json").data["statistics"]
    assert [each["title"] for each in told] == ["Tracking, by day and status", "Tracking, by campaign and type"]

    # 13: KeyShared, on each partition, as Pulsar's own tool sees it.
    stats = tool(fresh, "pulsar-admin", "topics", "partitioned-stats", "commands.tracking", "--per-partition")
    assert stats.count("Key_Shared") >= 6

    # 2, 10: the rest of the stack; nginx before three replicas.
    fresh.ok("up")
    assert len(fresh.project().runtime.replicas(["tracking"])) == 3
    nginx = fresh.url("tracking_nginx", 8040)

    # 11: the document's loop, as it is written but for its port.
    post = f"curl -s -X POST {nginx}/tracking/interactions -H 'Content-Type: application/json' -d '{BODY}'"
    answers = shell(f"for i in $(seq 1 {TURNS}); do {post}; echo; done").splitlines()
    assert {json.loads(answer)["status"] for answer in answers} == {"success"} and len(answers) == TURNS
    assert fresh.settled() == 2 + sent[0] + TURNS

    # 12: a line of the access log for each.
    if fresh.runtime == "docker":
        logs = f"docker logs {fresh.project_name}-tracking_nginx-1 2>/dev/null"
    else:
        logs = " ".join(fresh.command("logs", "tracking_nginx"))
    found = shell(f"cd {ROOT}; ALPES_RUNTIME={fresh.runtime} {logs} | grep /tracking/interactions | wc -l")
    assert int(found) == TURNS

    # 1: the affiliates service.
    with urllib.request.urlopen(fresh.url("affiliates", 8000, "/affiliates/"), timeout=10) as answer:
        assert json.load(answer) == []

    # 14: told to stop, a worker ends by itself; nothing is lost with it.
    runtime = fresh.project().runtime
    assert [runtime.stop("tracking_worker", number) for number in (1, 6)] == [0, 0]
    assert json.loads(shell(post))["status"] == "success"
    fresh.ok("up")
    assert fresh.settled() == 2 + sent[0] + TURNS + 1
