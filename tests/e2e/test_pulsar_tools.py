"""Pulsar's own tools are the outside judges: what they send must be counted, what they see must be so."""

from __future__ import annotations

import re

from alpesctl.runtimes.base import ExecResult
from tests.e2e.conftest import Stack
from tests.waiting import eventually


def tool(stack: Stack, name: str, *words: str) -> ExecResult:
    """One of Pulsar's own programs, run beside the broker: it needs no address there."""
    done = stack.project().runtime.exec("pulsar", 1, [f"bin/{name}", *words], timeout=120)
    assert done.exit_code == 0, done.stdout + done.stderr
    return done


def test_two_probes_of_pulsar_client_must_move_ok_by_two(stack: Stack) -> None:
    before = stack.settled()
    tool(stack, "pulsar-client", "produce", "-m", '{"demo":true}', "-n", "2", "-k", "test", "commands.tracking")
    eventually(lambda: stack.counted() == before + 2, what="two more")


def test_pulsar_perf_must_be_counted_to_the_last_record_that_it_sent(stack: Stack) -> None:
    before = stack.settled()
    done = tool(stack, "pulsar-perf", "produce", "-r", "1500", "-time", "10", "commands.tracking")
    sent = re.findall(r"Aggregated throughput stats --- (\d+) records sent", done.stdout + done.stderr)
    assert len(sent) == 1
    assert int(sent[0]) > 10_000
    eventually(lambda: stack.counted() >= before + int(sent[0]), what=f"{sent[0]} more")
    eventually(lambda: stack.ok("stats", "--json").data["topics"][0]["backlog"] == 0, what="no backlog")
    assert stack.counted() == before + int(sent[0])


def test_pulsar_admin_must_see_key_shared_and_the_partitions(stack: Stack) -> None:
    stack.ok("partition", "set", "commands.tracking", "2")
    shown = tool(stack, "pulsar-admin", "topics", "get-partitioned-topic-metadata", "commands.tracking")
    assert re.search(r'"partitions"\s*:\s*2', shown.stdout)
    stats = tool(stack, "pulsar-admin", "topics", "partitioned-stats", "commands.tracking", "--per-partition")
    assert stats.stdout.count("Key_Shared") >= 2
