"""Both scenarios of the user's document, shortened, with a part killed in each: the verdict must be passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.engine import RUNTIMES

# The walk runs both on local processes.
ON_DOCKER = [name for name in RUNTIMES if name == "docker"]
pytestmark = pytest.mark.parametrize("stack", ON_DOCKER, indirect=True, scope="session")


def run(stack: Stack, *words: str) -> dict[str, object]:
    """A scenario that passes. A void run (a busy machine) may be repeated once; a loss never is."""
    done = stack.run("scenario", *words, "--json", timeout=240)
    if done.exit_code == 5:
        done = stack.run("scenario", *words, "--json", timeout=240)
    assert done.exit_code == 0, done.stdout[-4000:] + done.stderr[-2000:]
    data: dict[str, object] = done.data
    return data


def test_performance_must_count_every_event_once_though_a_worker_is_killed(stack: Stack) -> None:
    data = run(stack, "performance", "--duration", "10", "--rate", "1000", "--partitions", "6")
    findings = data["findings"]
    assert isinstance(findings, dict)
    assert findings["lost"]["total"] == 0
    assert findings["differences"] == []
    report = stack.ok("report", "--json").data["reports"][0]
    assert report["outcome"] == "passed"
    page = Path(report["path"]).read_text()
    assert "passed" in page.lower()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_availability_must_answer_and_count_every_request_though_a_replica_is_killed(stack: Stack) -> None:
    data = run(stack, "availability", "--requests", "2000", "--rate", "200")
    findings = data["findings"]
    assert isinstance(findings, dict)
    assert findings["lost"]["total"] == 0
    runs = stack.ok("runs", "--json").data["runs"]
    assert next(r["outcome"] for r in runs) == "passed"
    assert len(stack.project().runtime.replicas(["tracking_worker"])) == 1, "the shape was not put back"
