"""`alpesctl doctor` must find what is wrong, say why, and name the way out; and find nothing where all is well."""

from __future__ import annotations

import re
from typing import Any

from tests.e2e.conftest import Done, Stack
from tests.e2e.tools import tool
from tests.waiting import eventually


def problems(done: Done) -> dict[str, Any]:
    return {each["subject"]: each for each in done.data["findings"] if each["severity"] == "problem"}


def test_a_stack_that_is_well_must_have_no_problem(stack: Stack) -> None:
    done = stack.run("doctor", "--json")
    assert (done.exit_code, problems(done)) == (0, {})
    told = {each["what"] for each in done.data["findings"]}
    assert any(each.startswith("pulsar: ") and "pulsar-1" in each for each in told), "who holds the broker's port"
    assert any(each.startswith("pulsar's data") for each in told), "the disk of the broker's data"
    assert f"{stack.runtime}: it was asked for" in told


def test_a_worker_that_is_down_must_be_found_with_the_backlog_that_nobody_reads(stack: Stack) -> None:
    before = stack.settled()
    stack.project().runtime.kill("tracking_worker", 1)
    try:
        for _ in range(3):
            assert stack.post()[0] == 201
        done = eventually(lambda: _unread(stack), what="a backlog that nobody reads")
        found = problems(done)
        assert done.exit_code == 3
        assert "it is down (exit code 137" in found["tracking_worker-1"]["what"]
        assert found["tracking_worker-1"]["out"].startswith("alpesctl up")
        assert found["topic commands.tracking"]["why"] == "no consumer of tracking_worker is connected"
        shown = stack.run("doctor").stdout
        assert "✗ tracking_worker-1: it is down" in shown
    finally:
        stack.ok("up")
    eventually(lambda: stack.counted() == before + 3, what="all counted")
    assert stack.run("doctor").exit_code == 0


def _unread(stack: Stack) -> Done | None:
    done = stack.run("doctor", "--json")
    return done if "topic commands.tracking" in problems(done) else None


def test_a_topic_that_nobody_uses_must_stay_and_not_be_missed_without_its_partitions(stack: Stack) -> None:
    """Pulsar deletes the partitions of a topic that is not used, and makes them anew for who needs them."""
    settings = tool(stack, "pulsar-admin", "brokers", "get-runtime-config")
    assert re.search(r"^brokerDeleteInactiveTopicsEnabled\s+false$", settings, re.MULTILINE)
    partition = "persistent://public/default/events.affiliates-partition-0"
    tool(stack, "pulsar-admin", "topics", "delete", "--force", partition)
    done = stack.run("doctor", "--json")
    assert (done.exit_code, problems(done)) == (0, {})


def test_a_frozen_database_must_be_named_as_the_cause(stack: Stack) -> None:
    runtime = stack.project().runtime
    runtime.pause("tracking_db", 1)
    try:
        found = problems(stack.run("doctor", "--json"))
        assert found["tracking_db-1"]["what"] == "it is frozen (paused)"
    finally:
        runtime.unpause("tracking_db", 1)
    eventually(lambda: _well(stack), what="a healthy stack")


def _well(stack: Stack) -> bool:
    return stack.run("doctor").exit_code == 0
