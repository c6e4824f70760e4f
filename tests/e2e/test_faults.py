"""Every part killed under load must lose nothing; whatever ends a run, its faults must not outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alpesctl.runtimes.base import State
from tests.e2e.conftest import ALPESCTL, ROOT, Stack
from tests.e2e.test_planted_bugs import SCENARIOS, run
from tests.waiting import eventually

PARTS = 6


def test_every_part_killed_once_must_lose_nothing_and_count_nothing_twice(stack: Stack) -> None:
    exit_code, data = run(stack, "each-part")
    assert exit_code == 0, data["verdict"]
    findings = data["findings"]
    assert (findings["lost_total"], findings["duplicated_total"], findings["refused_counted"]["total"]) == (0, 0, 0)
    assert findings["accepted"] + findings["refused"] + findings["in_doubt"] == findings["sent"] == 300 * 35
    assert findings["in_doubt_counted"]["total"] + findings["in_doubt_not_counted"]["total"] == findings["in_doubt"]
    recovered = data["recoveries"]
    assert len(recovered) == PARTS
    # With so little time in between one may not be over when the next hits; that nothing was lost holds either way.
    assert all(each["lifted"] is not None for each in recovered), recovered
    assert all(str(replica.health) in ("healthy", "none") for replica in stack.project().runtime.replicas())


@contextmanager
def frozen(stack: Stack) -> Iterator[subprocess.Popen[str]]:
    """A run under way whose fault has frozen the database; in the end the database runs."""
    words = ["--project-name", stack.project_name, "--env-file", str(stack.env_file)]
    scenario = str(SCENARIOS / "frozen.toml")
    process = subprocess.Popen(
        [ALPESCTL, *words, "scenario", "run", scenario],
        cwd=ROOT,
        env={**os.environ, "ALPES_RUNTIME": stack.runtime, "ALPES_RECORDS_DIR": str(stack.records)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        eventually(
            lambda: database(stack) is State.PAUSED or process.poll() is not None,
            within=90,
            what="a frozen database",
        )
        assert process.poll() is None, f"the run ended: {process.stdout.read() if process.stdout else ''}"
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        stack.ok("stats")
        stack.settled()


def database(stack: Stack) -> State:
    return stack.replica("tracking_db", with_health=False).state


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_must_undo_its_faults(stack: Stack, number: int) -> None:
    with frozen(stack) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130, output
        assert "undone: unpause tracking_db-1" in output
        assert database(stack) is State.RUNNING


def test_the_next_command_must_undo_what_a_killed_run_left(stack: Stack) -> None:
    with frozen(stack) as process:
        process.kill()
        process.communicate(timeout=10)
        assert database(stack) is State.PAUSED
        stack.ok("plan", "--json")
        assert database(stack) is State.PAUSED, "a command that only looks changed something"
        done = stack.ok("status")
        assert "alpesctl: undone, of a run that was killed: tracking_db-1 (pause)" in done.stderr
        assert database(stack) is State.RUNNING
        assert "undone" not in stack.ok("status").stderr
