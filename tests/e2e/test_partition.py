"""A topic that grows under load must lose nothing, and must have all its consumers on every partition at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Done, Stack
from tests.engine import ONE_RUNTIME
from tests.waiting import eventually

pytestmark = pytest.mark.parametrize("stack", ONE_RUNTIME, indirect=True, scope="session")

TOPIC = "commands.tracking"
GROWING = str(Path(__file__).parent / "scenarios" / "growing.toml")


def test_growing_a_topic_under_load_must_lose_nothing_and_reach_every_consumer(stack: Stack) -> None:
    run = grown(stack)
    if run.exit_code == 5:  # a busy machine: a void run may be repeated once, a loss never
        run = grown(stack)
    assert run.exit_code == 0, run.stdout[-4000:] + run.stderr[-2000:]
    findings = run.data["findings"]
    assert (findings["lost"]["total"], findings["differences"]) == (0, [])
    notes = run.data["verdict"]["reasons"]
    assert [note for note in notes if note.startswith("beside the run, ") and f"partition set {TOPIC}=" in note], notes


def grown(stack: Stack) -> Done:
    """Four partitions more in the middle of a run; the run, which is told of it."""
    counted, before = stack.settled(), present(stack)
    with ThreadPoolExecutor() as pool:
        run = pool.submit(stack.run, "scenario", "run", GROWING, "--json", timeout=240)
        eventually(lambda: run.done() or stack.counted() > counted + 1500, within=60, what="a load")
        growth = stack.ok("partition", "set", f"{TOPIC}={before + 4}")
        assert "a scenario is running: its record names this change" in growth.stderr
        own = subscription(stack)
        assert not run.done(), f"the load was over before the topic had grown:\n{growth.stderr}"
        assert len(own["consumers"]) == before + 4
        assert {tuple(names) for names in own["consumers"].values()} == {("tracking_worker-1", "tracking_worker-2")}
        return run.result()


def present(stack: Stack) -> int:
    topics = stack.ok("partition", "show", TOPIC, "--json").data["topics"]
    return int(topics[0]["partitions"])


def subscription(stack: Stack) -> dict[str, Any]:
    shown: dict[str, Any] = stack.ok("partition", "show", TOPIC, "--json").data["topics"][0]
    return next(own for own in shown["subscriptions"] if own["name"] == "tracking-svc")
