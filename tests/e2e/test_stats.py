"""`alpesctl stats --watch` must go on with what answers, say what doesn't, and tell how fast things move."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Stack
from tests.waiting import eventually, until_none


@pytest.fixture
def watch(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    words = stack.command("stats", "--watch", "--interval", "0.3", "--json")
    process = subprocess.Popen(words, cwd=ROOT, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    os.set_blocking(process.stdout.fileno(), False)
    with process.stdout, process.stderr:
        yield process
        process.kill()
        process.wait()


def test_a_watch_must_outlast_a_part_that_is_away_and_end_quietly(stack: Stack, watch: subprocess.Popen[bytes]) -> None:
    before, rest, seen = stack.settled(), b"", []

    def looks() -> list[dict[str, Any]]:
        nonlocal rest
        assert watch.stdout is not None and watch.poll() is None
        *lines, rest = (rest + (watch.stdout.read() or b"")).split(b"\n")
        seen.extend(json.loads(line)["data"] for line in lines)
        return seen

    def last() -> dict[str, Any]:
        return (looks() or [{}])[-1]

    eventually(lambda: last().get("away") == [] and len(seen) > 1, what="two looks at a whole stack")
    assert stack.post()[0] == 201
    eventually(lambda: any(rate > 0 for look in looks() for rate in look["counted_per_second"].values()), what="a rate")
    runtime = stack.project().runtime
    runtime.pause("pulsar", 1)
    try:
        eventually(lambda: last()["away"] == ["Pulsar's admin endpoint does not answer"], what="who is away")
        assert last()["statistics"][0]["items"], "what answers is told all the same"
    finally:
        runtime.unpause("pulsar", 1)
    eventually(lambda: last()["away"] == [], what="a whole stack again")
    watch.send_signal(signal.SIGINT)
    assert watch.wait(timeout=10) == 130
    assert watch.stderr is not None
    assert watch.stderr.read() == b""
    assert stack.settled() == before + 1
    until_none(lambda: problems(stack), what="a healthy stack")


def problems(stack: Stack) -> list[dict[str, Any]]:
    """What `doctor` says is wrong."""
    findings = stack.run("doctor", "--json").data["findings"]
    return [finding for finding in findings if finding["severity"] == "problem"]


@pytest.mark.parametrize(
    ("service", "away", "told"),
    [
        ("affiliates", "affiliates does not answer", 2),
        ("affiliates_db", "affiliates answers 503: the database does not answer", 2),
        ("pulsar", "Pulsar's admin endpoint does not answer", 3),
    ],
)
def test_statistics_must_tell_what_answers_and_name_what_does_not(
    stack: Stack, service: str, away: str, told: int
) -> None:
    before = stack.settled()
    stack.project().runtime.stop(service, 1)
    try:
        assert f"! {away} (" in stack.ok("stats").stdout
        data = stack.ok("stats", "--json").data
        items = data["statistics"][0]["items"]
        assert sum(item["count"] for item in items if item["status"] == "ok") == before
        assert (data["away"], len(data["statistics"]), data["topics"] == []) == ([away], told, service == "pulsar")
    finally:
        stack.ok("up")
    assert stack.ok("stats", "--json").data["away"] == []


def test_status_must_tell_in_one_line_that_up_would_change_something(stack: Stack) -> None:
    stack.project().runtime.stop("tracking_nginx", 1)
    try:
        done = stack.ok("status")
        assert "see alpesctl plan" in done.stderr
        assert "start tracking_nginx-1: it is stopped" not in done.stderr
        assert any("start tracking_nginx-1" in each for each in stack.ok("status", "--json").data["operations"])
    finally:
        stack.ok("up")
    assert stack.ok("status", "--json").data["operations"] == []
